package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// drains closes an engine with work at hand: what is at work is waited for, what waits goes on later.
func drains(w *world) {
	w.perPlugin = 2
	w.start(`
flow: two-steps
on: order.paid
steps: [{do: mail/send}, {do: http/request}]
`)
	slow := func(context.Context, engine.Invocation) engine.Result {
		time.Sleep(10 * time.Second)
		return ok()
	}
	w.invoker.Do = slow
	for i := range 6 {
		w.accept(w.order("order.paid", fmt.Sprint(i)))
	}
	synctest.Wait()
	before := keys(w.invoker.Attempts())
	begin := time.Now()
	w.close()
	if took := time.Since(begin); took != 10*time.Second {
		w.t.Errorf("closing took %s", took)
	}
	if now := keys(w.invoker.Attempts()); !slices.Equal(now, before) {
		w.t.Errorf("while it was closed, attempts were begun: %v, and before %v", now, before)
	}
	w.start()
	w.pass(10 * time.Minute)
	w.wantStatus(6, run.Succeeded) // none is parked: every outcome was written
	if n, attempts := len(keys(w.invoker.Attempts())), len(w.invoker.Attempts()); n != 12 || attempts != 12 {
		w.t.Errorf("%d attempts under %d keys were made, not 12", attempts, n)
	}
}

// abandons closes an engine and does not wait for what is at work.
func abandons(w *world) {
	w.start(`
flow: safe
on: order.paid
steps: [{do: loyalty/award}]
`, `
flow: unsafe
on: order.paid
steps: [{do: mail/send}]
`)
	w.invoker.Do = hang(nil)
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	begin := time.Now()
	if err := w.Engine.Close(ctx); err != nil {
		w.t.Error(err)
	}
	if took := time.Since(begin); took != 5*time.Second {
		w.t.Errorf("closing took %s", took)
	}
	before := w.invoker
	w.invoker = &Invoker{}
	w.start()
	w.pass(time.Minute)
	for _, r := range w.runs(engine.RunQuery{}) {
		if want := map[string]run.Status{"safe": run.Succeeded, "unsafe": run.Parked}[r.Flow]; r.Status != want {
			w.t.Errorf("the run of %s is %s (%s)", r.Flow, r.Status, r.Reason)
		}
	}
	if got, want := keys(w.invoker.Attempts()), keys(before.Of("award")); !slices.Equal(got, want) {
		w.t.Errorf("the attempts after it have the keys %v, not %v", got, want)
	}
}

// crashes kills the host in the middle of the same attempt more often than its retry policy has attempts.
func crashes(w *world) {
	w.start(`
flow: hardy
on: order.paid
steps: [{do: loyalty/award, retry: {attempts: 2}}]
`)
	w.invoker.Do = hang(nil)
	w.accept(w.order("order.paid", "1"))
	var all []Attempt
	for range 5 {
		synctest.Wait()
		all = append(all, w.invoker.Attempts()...)
		w.crash()
		w.invoker.Do = hang(nil)
		w.start()
	}
	w.crash()
	w.start()
	w.pass(time.Minute)
	w.wantStatus(1, run.Succeeded)
	if k := keys(append(all, w.invoker.Attempts()...)); len(k) != 1 {
		w.t.Errorf("one step had the keys %v", k)
	}
}

// resumesOnce opens an engine with many interrupted attempts, gives it work at once, and checks that nothing new
// is taken for something interrupted.
func resumesOnce(w *world) {
	w.start(`
flow: unsafe
on: order.paid
steps: [{do: mail/send}, {do: http/request}]
`, `
flow: safe
on: order.created
steps: [{do: loyalty/award}]
`)
	w.invoker.Do = hang(nil)
	const n = 100
	for i := range n {
		w.accept(w.order("order.created", fmt.Sprint(i)))
	}
	w.crash()
	w.start()
	for i := range n {
		w.accept(w.order("order.paid", fmt.Sprint(i)))
	}
	w.pass(time.Minute)
	w.wantStatus(2*n, run.Succeeded)
	if attempts := w.invoker.Attempts(); len(attempts) != 3*n || len(keys(attempts)) != 3*n {
		w.t.Errorf("%d attempts under %d keys were made, not %d", len(attempts), len(keys(attempts)), 3*n)
	}
}

// givesUp: whoever asks may stop waiting, but what was refused has no effect, and what has an effect goes on.
func givesUp(w *world) {
	w.start(onPaid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	accepted := 0
	for i := range 100 {
		if err := w.Accept(ctx, []engine.Arrival{w.arrival(w.order("order.paid", fmt.Sprint(i)))}); err == nil {
			accepted++
		}
	}
	synctest.Wait()
	w.wantStatus(accepted, run.Succeeded)
}

func closed(w *world) {
	w.start(onPaid)
	arrivals := w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	r := w.only()
	f := w.flows.Starting(tea, "order.paid")[0]
	e := w.Engine
	w.close()
	if err := e.Close(context.Background()); err != nil {
		w.t.Errorf("closing it twice: %v", err)
	}
	ctx := w.t.Context()
	for name, call := range map[string]func() error{
		"Accept":     func() error { return e.Accept(ctx, arrivals) },
		"Positions":  func() error { _, err := e.Positions(ctx); return err },
		"Start":      func() error { _, _, err := e.Start(ctx, f, arrivals[0].Events[0]); return err },
		"Replay":     func() error { _, err := e.Replay(ctx, r.EventID); return err },
		"Understood": func() error { _, err := e.Understood(ctx, r.EventID, []event.Event{}); return err },
		"Run":        func() error { _, err := e.Run(ctx, r.ID); return err },
		"Runs":       func() error { _, err := e.Runs(ctx, engine.RunQuery{}); return err },
		"Event":      func() error { _, err := e.Event(ctx, r.EventID); return err },
		"Events":     func() error { _, err := e.Events(ctx, engine.EventQuery{}); return err },
	} {
		if err := call(); !errors.Is(err, engine.ErrClosed) {
			w.t.Errorf("%s says %v, not that the engine is closed", name, err)
		}
	}
}
