package bolt_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/engine/bolt"
	"github.com/shophand/shophand/core/engine/enginetest"
	"github.com/shophand/shophand/core/run"
)

// TestConformance runs the suite, and after each of its tests folds every run that it left behind.
func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Exercise(t, func(t testing.TB, o enginetest.Options) engine.Engine {
		t.Cleanup(func() { checkFold(t, o.Dir, o.Flows) }) // the suite has closed the engine by then
		return open(t, o)
	})
}

func config(o enginetest.Options) bolt.Config {
	return bolt.Config{
		Path: filepath.Join(o.Dir, "engine.db"), Flows: o.Flows, Shops: o.Shops, Invoker: o.Invoker, PerPlugin: o.PerPlugin,
	}
}

func open(t testing.TB, o enginetest.Options) *bolt.Engine {
	t.Helper()
	e, err := bolt.Open(config(o))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// checkFold checks that folding Advance over the stored inputs of every run gives its stored state, and that a
// run waits for one attempt or timer, and one that is over or parked for none.
func checkFold(t testing.TB, dir string, flows engine.Flows) {
	t.Helper()
	runs, err := bolt.StoredRuns(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		due := 1
		if r.Header.Status.Over() || r.Header.Status == run.Parked {
			due = 0
		}
		if r.Due != due {
			t.Errorf("run %s of %s is %s, and waits for %d attempts and timers", r.Header.ID, r.Header.Flow, r.Header.Status, r.Due)
		}
		f, err := flows.Version(r.Header.Flow, r.Header.Version)
		if err != nil {
			t.Fatal(err)
		}
		state := run.Load(run.Header{}, r.Event, nil)
		for _, in := range r.Inputs {
			if state, _, err = run.Advance(f, state, in); err != nil {
				t.Fatal(err)
			}
		}
		frames := map[string]run.Frame{}
		for _, frame := range state.Changed() {
			frames[frame.Path] = frame
		}
		got, want := text(t, state.Header, frames), text(t, r.Header, r.Frames)
		if got != want {
			t.Errorf("folding the inputs of run %s of %s gives\n%s\nand stored is\n%s", r.Header.ID, r.Header.Flow, got, want)
		}
	}
}

func text(t testing.TB, h run.Header, frames map[string]run.Frame) string {
	t.Helper()
	raw, err := json.MarshalIndent(struct {
		Header run.Header
		Frames map[string]run.Frame
	}{h, frames}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
