package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

// turns floods from one shop and checks that another's event does not wait behind the flood.
func turns(w *world) {
	w.perPlugin = 1
	w.start(onPaid)
	w.invoker.Do = func(context.Context, engine.Invocation) engine.Result {
		time.Sleep(time.Second)
		return ok()
	}
	for i := range 50 {
		w.accept(Order(tea, "order.paid", fmt.Sprint(i), time.Now(), nil))
	}
	w.pass(3 * time.Second / 2)
	begin := time.Now()
	for i := range 3 {
		w.accept(Order(pot, "order.paid", fmt.Sprint(i), time.Now(), nil))
	}
	w.pass(time.Minute)
	w.wantStatus(53, run.Succeeded)
	for _, r := range w.runs(engine.RunQuery{Shop: pot}) {
		if took := r.EndedAt.Sub(begin); took > 7*time.Second {
			w.t.Errorf("order %s of the quiet shop took %s", r.Subject, took)
		}
	}
}

// backlog lets far more wait than an engine may want to keep in memory, in runs of several steps, over a restart.
func backlog(w *world) {
	const n = 300
	w.perPlugin = 2
	w.start(`
flow: steps
on: order.paid
steps:
  - do: loyalty/award
    with: {order: "${order.id}"}
  - do: loyalty/award
    id: again
    with: {order: "${order.id}", balance: "${steps.award.balance}"}
`)
	w.invoker.Do = func(_ context.Context, inv engine.Invocation) engine.Result {
		time.Sleep(time.Second)
		return engine.Result{Output: json.RawMessage(`{"balance": 7}`)}
	}
	for i := range n {
		w.accept(w.order("order.paid", fmt.Sprint(i)))
	}
	w.pass(time.Minute)
	w.close()
	w.start()
	w.pass(time.Hour)
	w.wantStatus(n, run.Succeeded)
	attempts := w.invoker.Attempts()
	if len(attempts) != 2*n || len(keys(attempts)) != 2*n {
		w.t.Errorf("%d attempts under %d keys were made, not %d", len(attempts), len(keys(attempts)), 2*n)
	}
	inputs := map[string]bool{}
	for _, a := range attempts {
		inputs[a.Path+" "+string(a.Input)] = true
	}
	if !inputs[`award {"order":"0"}`] || !inputs[`again {"order":"299","balance":7}`] || len(inputs) != 2*n {
		w.t.Errorf("the attempts had %d different inputs, not %d", len(inputs), 2*n)
	}
}

// shopHangs has the actions of one shop hang, as when its site is down, with more of them than there is room for.
func shopHangs(w *world) {
	w.perPlugin = 4
	w.start(onPaid)
	release := make(chan struct{})
	w.invoker.Do = func(ctx context.Context, inv engine.Invocation) engine.Result {
		if inv.Shop == tea {
			return hang(release)(ctx, inv)
		}
		return ok()
	}
	for i := range 20 {
		w.accept(Order(tea, "order.paid", fmt.Sprint(i), time.Now(), nil))
	}
	synctest.Wait()
	for i := range 20 {
		w.accept(Order(pot, "order.paid", fmt.Sprint(i), time.Now(), nil))
	}
	synctest.Wait()
	for _, r := range w.runs(engine.RunQuery{Shop: pot}) {
		if r.Status != run.Succeeded {
			w.t.Errorf("order %s of the other shop is %s", r.Subject, r.Status)
		}
	}
	close(release)
	synctest.Wait()
	w.wantStatus(40, run.Succeeded)
}

func pluginHangs(w *world) {
	w.perPlugin = 2
	w.start(`
flow: slow
on: order.paid
steps: [{do: loyalty/award}]
`, onPaid)
	release := make(chan struct{})
	w.invoker.Do = func(ctx context.Context, inv engine.Invocation) engine.Result {
		if strings.HasPrefix(inv.Action, "loyalty/") {
			return hang(release)(ctx, inv)
		}
		return ok()
	}
	for i := range 10 {
		w.accept(w.order("order.paid", fmt.Sprint(i)))
	}
	synctest.Wait()
	for _, r := range w.runs(engine.RunQuery{}) {
		if want := map[string]run.Status{"slow": run.Running, "on-paid": run.Succeeded}[r.Flow]; r.Status != want {
			w.t.Errorf("while one plugin hangs, a run of %s is %s", r.Flow, r.Status)
		}
	}
	if n := len(w.invoker.Of("award")); n != w.perPlugin && n != (w.perPlugin+1)/2 {
		w.t.Errorf("%d attempts are at work at the plugin, which is more than %d", n, w.perPlugin)
	}
	close(release)
	synctest.Wait()
	w.wantStatus(20, run.Succeeded)
}
