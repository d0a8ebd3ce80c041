package run_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// counted are stored frames that count how often they are read.
type counted struct {
	frames
	reads int
}

// Frame implements run.Frames.
func (c *counted) Frame(path string) (run.Frame, bool, error) {
	c.reads++
	return c.frames.Frame(path)
}

// loopFlows are loops over what the event carries, and over what a step returned.
func loopFlows() map[string]string {
	return map[string]string{
		"of the event": `
flow: lines
on: order.paid
steps:
  - id: fetch
    do: http/request
  - for_each: order.line_items
    as: line
    steps:
      - if: line.price > 0
        then: [{do: http/request, with: {title: "${line.title}"}}]
`,
		"of an output": `
flow: rows
on: order.paid
steps:
  - id: fetch
    do: http/request
  - for_each: steps.fetch.rows
    as: row
    steps:
      - if: row.price > 0
        then: [{do: http/request, with: {title: "${row.title}"}}]
`,
	}
}

// loopOutput is what the step before the loops returns: n rows.
func loopOutput(n int) json.RawMessage {
	type row struct {
		Title string `json:"title"`
		Price int    `json:"price"`
		Note  string `json:"note"`
	}
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{Title: fmt.Sprint("Tea ", i), Price: 5, Note: "of the kind that is drunk in the afternoon"}
	}
	raw, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		panic(err)
	}
	return raw
}

// TestLongLoop carries a loop of 5,000 turns through, and checks that a transition costs what it does and not
// what was done before.
func TestLongLoop(t *testing.T) {
	t.Parallel()
	n := 2000
	if os.Getenv("SHOPHAND_TEST_SCALE") == "full" {
		n = 5000
	}
	for name, source := range loopFlows() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := compile(t, []byte(source))
			stored := &counted{frames: frames{}}
			turns := 0
			state := longLoop(t, f, orderOf(n), stored, loopOutput(n), func(state run.State) {
				turns++
				if stored.reads > 12 || len(state.Changed()) > 12 {
					t.Fatalf("transition %d read %d frames and changed %d", turns, stored.reads, len(state.Changed()))
				}
				stored.reads = 0
			})
			if state.Header.Status != run.Succeeded || turns != n+2 || len(stored.frames) != 2+2*n {
				t.Errorf("after %d transitions the run is %s, with %d frames: %s", turns, state.Header.Status, len(stored.frames), state.Header.Reason)
			}
		})
	}
}

// TestPauses carries a loop through that waits for nobody: it pauses now and then, so that no transition is long.
func TestPauses(t *testing.T) {
	t.Parallel()
	f := compile(t, []byte(`
flow: idle
on: order.paid
steps:
  - for_each: order.line_items
    as: line
    steps:
      - if: line.quantity < 999
        then: [{wait: 0s}]
        else: [{do: http/request}]
`))
	e := orderOf(1000)
	stored := frames{}
	state := run.Load(run.Header{}, e, stored)
	in := run.Input(run.Started{At: start, RunID: "RUN", Event: e})
	pauses := 0
	for ; !state.Header.Status.Over(); pauses++ {
		next, effects, err := run.Advance(f, state, in)
		if err != nil || len(effects) != 1 || len(next.Changed()) > 210 {
			t.Fatalf("pause %d: %v, %d frames (%v)", pauses, effects, len(next.Changed()), err)
		}
		for _, frame := range next.Changed() {
			stored[frame.Path] = frame
		}
		state = next.Stored()
		again, none, err := run.Advance(f, state, in)
		if err != nil || len(none)+len(again.Changed()) > 0 || again.Header != state.Header {
			t.Fatalf("pause %d: %#v came again and gave %v (%v)", pauses, in, none, err)
		}
		switch e := effects[0].(type) {
		case run.StartTimer:
			in = run.TimerFired{At: e.At, Timer: e.Timer}
		case run.InvokeAction:
			in = run.ActionSucceeded{At: start, Path: e.Path, Attempt: e.Attempt}
		}
	}
	if pauses < 10 || state.Header.Status != run.Succeeded || len(stored) != state.Header.Begun {
		t.Errorf("after %d pauses the run is %s, with %d frames", pauses, state.Header.Status, len(stored))
	}
}

// longLoop carries a run through with actions that succeed.
func longLoop(t testing.TB, f *flow.Flow, e *event.Event, stored *counted, output json.RawMessage, each func(run.State)) run.State {
	t.Helper()
	state := run.Load(run.Header{}, e, stored)
	in := run.Input(run.Started{At: start, RunID: "RUN", Shop: expr.Shop{Name: "tea.example"}, Event: e})
	for at := start; ; at = at.Add(time.Second) {
		next, effects, err := run.Advance(f, state, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range next.Changed() {
			stored.frames[frame.Path] = frame
		}
		each(next)
		state = next.Stored()
		if state.Header.Status.Over() || len(effects) == 0 {
			return state
		}
		switch e := effects[0].(type) {
		case run.InvokeAction:
			in = run.ActionSucceeded{At: at, Path: e.Path, Attempt: e.Attempt, Output: output}
			output = json.RawMessage(`{}`)
		case run.StartTimer:
			in = run.TimerFired{At: e.At, Timer: e.Timer}
		}
	}
}

// BenchmarkAdvance measures one transition: in a short flow, and deep in long loops.
func BenchmarkAdvance(b *testing.B) {
	b.Run("one action", func(b *testing.B) {
		f := compile(b, []byte("flow: one\non: order.paid\nsteps: [{do: http/request, with: {id: \"${order.id}\", total: \"${order.total}\"}}]\n"))
		e := orderOf(3)
		b.ReportAllocs()
		for b.Loop() {
			state, effects, err := run.Advance(f, run.Load(run.Header{}, e, nil), run.Started{At: start, RunID: "RUN", Event: e})
			if err != nil || len(effects) != 1 {
				b.Fatal(err)
			}
			if state, _, err = run.Advance(f, state, run.ActionSucceeded{At: start, Path: "request", Attempt: 1, Output: json.RawMessage(`{}`)}); err != nil || !state.Header.Status.Over() {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/transition")
	})
	for name, source := range loopFlows() {
		b.Run("a loop of 5000 "+name, func(b *testing.B) {
			f := compile(b, []byte(source))
			e, output := orderOf(5000), loopOutput(5000)
			b.ReportAllocs()
			turns := 0
			for b.Loop() {
				longLoop(b, f, e, &counted{frames: frames{}}, output, func(run.State) { turns++ })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(turns), "ns/transition")
		})
	}
}
