package enginetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// The shops of a world.
const (
	tea = "tea.myshopify.com"
	pot = "pot.example.com"
)

// world is one test: an engine with its surroundings.
type world struct {
	t         *testing.T
	open      Open
	dir       string
	flows     *Flows
	shops     Shops
	invoker   *Invoker
	perPlugin int
	seq       map[string]uint64 // of the last delivery, by shop
	engine.Engine
}

func newWorld(t *testing.T, open Open, dir string) *world {
	return &world{
		t: t, open: open, dir: dir, flows: NewFlows(t), invoker: &Invoker{}, seq: map[string]uint64{},
		shops: Shops{tea: time.Now().Add(-24 * time.Hour), pot: time.Now().Add(-24 * time.Hour)},
	}
}

// start applies flows and opens the engine.
func (w *world) start(flows ...string) {
	w.t.Helper()
	for _, source := range flows {
		w.flows.Apply(w.t, source)
	}
	w.Engine = w.open(w.t, Options{Dir: w.dir, Flows: w.flows, Shops: w.shops, Invoker: w.invoker, PerPlugin: w.perPlugin})
	opened := w.Engine
	w.t.Cleanup(func() {
		if w.Engine == opened {
			w.close()
		}
	})
}

func (w *world) close() {
	w.t.Helper()
	if err := w.Engine.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	w.Engine = nil
}

// crash goes on in a copy of the folder, as if the host had been killed now. What the old engine does from
// here on is lost.
func (w *world) crash() {
	w.t.Helper()
	synctest.Wait()
	copied := Copy(w.t, w.dir)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Engine.Close(ended); err != nil {
		w.t.Error(err)
	}
	w.dir = copied
	w.invoker = &Invoker{}
}

// arrival makes the next delivery of the shop of its first event.
func (w *world) arrival(events ...event.Event) engine.Arrival {
	shop := events[0].Shop
	w.seq[shop]++
	return engine.Arrival{
		Shop: shop, Seq: w.seq[shop], Events: events,
		Delivery: event.Delivery{Platform: platformOf(shop), Shop: shop, Body: events[0].Raw, ReceivedAt: time.Now()},
	}
}

// accept gives the engine one delivery for each event and returns them.
func (w *world) accept(events ...event.Event) []engine.Arrival {
	w.t.Helper()
	var arrivals []engine.Arrival
	for _, e := range events {
		arrivals = append(arrivals, w.arrival(e))
	}
	if err := w.Accept(w.t.Context(), arrivals); err != nil {
		w.t.Fatal(err)
	}
	return arrivals
}

// order is an event of an order of the shop tea, now.
func (w *world) order(typ, id string) event.Event { return Order(tea, typ, id, time.Now(), nil) }

// pass lets time pass, and all that happens in it.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// runs lists the newest runs of a query with their steps.
func (w *world) runs(q engine.RunQuery) []engine.Run {
	w.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100_000
	}
	list, err := w.Runs(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, r := range list {
		if list[i], err = w.Run(w.t.Context(), r.ID); err != nil {
			w.t.Fatal(err)
		}
	}
	return list
}

// only returns the only run that there is.
func (w *world) only() engine.Run {
	w.t.Helper()
	runs := w.runs(engine.RunQuery{})
	if len(runs) != 1 {
		w.t.Fatalf("there are %d runs, not 1: %+v", len(runs), runs)
	}
	return runs[0]
}

func (w *world) events(q engine.EventQuery) []engine.Event {
	w.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100_000
	}
	list, err := w.Events(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// wantStatus checks how many runs there are, and that all have that status.
func (w *world) wantStatus(n int, status run.Status) {
	w.t.Helper()
	runs := w.runs(engine.RunQuery{})
	if len(runs) != n {
		w.t.Fatalf("there are %d runs, not %d", len(runs), n)
	}
	for _, r := range runs {
		if r.Status != status {
			w.t.Fatalf("run %s of %s is %s (%s), not %s", r.ID, r.Flow, r.Status, r.Reason, status)
		}
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// keys returns the idempotency keys of attempts, sorted, each once.
func keys(attempts []Attempt) []string {
	var out []string
	for _, a := range attempts {
		out = append(out, a.Key)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func outcomes(events []engine.Event) []engine.Outcome {
	var out []engine.Outcome
	for _, e := range slices.Backward(events) {
		out = append(out, e.Outcome)
	}
	return out
}
