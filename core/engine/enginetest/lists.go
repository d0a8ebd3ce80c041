package enginetest

import (
	"errors"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

func lists(w *world) {
	w.start(onPaid, onCreated, `
flow: waiting
on: order.created
if: order.id != "3"
steps: [{wait: 1w}]
`)
	begin := time.Now()
	for i := range 60 {
		shop := []string{tea, pot}[i%2]
		w.accept(Order(shop, []string{"order.created", "order.paid"}[i%3/2], fmt.Sprint(i), time.Now(), nil))
		w.pass(time.Minute)
	}
	w.seq[tea]++
	if err := w.Accept(w.t.Context(), []engine.Arrival{{Shop: tea, Seq: w.seq[tea], Rejected: "no", Delivery: event.Delivery{Shop: tea, ReceivedAt: time.Now()}}}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()

	all := w.runs(engine.RunQuery{})
	if len(all) != 99 { // 40 orders were created and 20 paid, and one created did not start the second flow
		w.t.Fatalf("there are %d runs", len(all))
	}
	for _, test := range []struct {
		name  string
		query engine.RunQuery
		keep  func(engine.Run) bool
	}{
		{"all, without a limit", engine.RunQuery{}, func(engine.Run) bool { return true }},
		{"of a shop", engine.RunQuery{Shop: pot, Limit: 1000}, func(r engine.Run) bool { return r.Shop == pot }},
		{"of a flow", engine.RunQuery{Flow: "waiting", Limit: 1000}, func(r engine.Run) bool { return r.Flow == "waiting" }},
		{"of a status", engine.RunQuery{Status: run.Waiting, Limit: 7}, func(r engine.Run) bool { return r.Status == run.Waiting }},
		{"of a type", engine.RunQuery{Type: "order.paid", Limit: 1000}, func(r engine.Run) bool { return r.Flow == "on-paid" }},
		{"of an event", engine.RunQuery{EventID: all[0].EventID}, func(r engine.Run) bool { return r.EventID == all[0].EventID }},
		{"since", engine.RunQuery{Since: begin.Add(30 * time.Minute)}, func(r engine.Run) bool { return !r.StartedAt.Before(begin.Add(30 * time.Minute)) }},
		{"several", engine.RunQuery{Shop: tea, Flow: "on-created", Limit: 2}, func(r engine.Run) bool { return r.Shop == tea && r.Flow == "on-created" }},
	} {
		got, err := w.Runs(w.t.Context(), test.query)
		if err != nil {
			w.t.Fatal(err)
		}
		limit := test.query.Limit
		if limit == 0 {
			limit = 50
		}
		var want []string
		for _, r := range all {
			if test.keep(r) && len(want) < limit {
				want = append(want, r.ID)
			}
		}
		var ids []string
		for i, r := range got {
			ids = append(ids, r.ID)
			if i > 0 && r.StartedAt.After(got[i-1].StartedAt) {
				w.t.Errorf("%s: run %d is newer than the one before", test.name, i)
			}
			if len(r.Steps) > 0 {
				w.t.Errorf("%s: run %d has steps", test.name, i)
			}
		}
		if !slices.Equal(ids, want) || len(want) == 0 {
			w.t.Errorf("%s: %d runs, not %d", test.name, len(ids), len(want))
		}
	}

	for _, test := range []struct {
		name  string
		query engine.EventQuery
		want  int
	}{
		{"all, without a limit", engine.EventQuery{}, 50},
		{"all", engine.EventQuery{Limit: 1000}, 61},
		{"of a shop", engine.EventQuery{Shop: pot}, 30},
		{"of a type", engine.EventQuery{Type: "order.paid"}, 20},
		{"of a subject", engine.EventQuery{Subject: "3"}, 1},
		{"of a flow that started or not", engine.EventQuery{Flow: "waiting"}, 40},
		{"rejected", engine.EventQuery{Outcome: engine.Rejected}, 1},
		{"since", engine.EventQuery{Since: begin.Add(30 * time.Minute)}, 31},
		{"several", engine.EventQuery{Shop: tea, Type: "order.created", Limit: 3}, 3},
	} {
		got, err := w.Events(w.t.Context(), test.query)
		if err != nil || len(got) != test.want {
			w.t.Errorf("%s: %d events (%v), not %d", test.name, len(got), err, test.want)
		}
		for i, e := range got {
			if i > 0 && e.ReceivedAt.After(got[i-1].ReceivedAt) {
				w.t.Errorf("%s: event %d is newer than the one before", test.name, i)
			}
			if e.Content != nil || e.Delivery != nil {
				w.t.Errorf("%s: event %d has its content", test.name, i)
			}
		}
	}
}

func notFound(w *world) {
	w.start(onPaid)
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	r := w.only()
	ctx := w.t.Context()
	for _, id := range []string{"", "x", r.ID[:25], r.ID + "x", "01JDZZZZZZZZZZZZZZZZZZZZZZ"} {
		if _, err := w.Run(ctx, id); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("the run %q: %v", id, err)
		}
		if _, err := w.Event(ctx, id); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("the event %q: %v", id, err)
		}
		if _, err := w.Replay(ctx, id); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("replaying the event %q: %v", id, err)
		}
	}
}
