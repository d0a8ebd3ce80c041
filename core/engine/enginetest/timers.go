package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

const twoDays = `
flow: later
on: order.paid
steps: [{wait: 2d}, {do: http/request}]
`

func timersOnTime(w *world) {
	w.start(twoDays, `
flow: far
on: order.created
steps: [{wait: {until: "${timestamp('2500-01-01T00:00:00Z')}"}}]
`, `
flow: past
on: order.cancelled
steps: [{wait: {until: "${timestamp('1950-01-01T00:00:00Z')}"}}, {do: loyalty/award}]
`)
	w.accept(w.order("order.paid", "1"), w.order("order.created", "1"), w.order("order.cancelled", "1"))
	synctest.Wait()
	if r := w.runs(engine.RunQuery{Flow: "past"})[0]; r.Status != run.Succeeded {
		w.t.Errorf("waiting for what is past, the run is %s", r.Status)
	}
	w.pass(48*time.Hour - 1)
	r := w.runs(engine.RunQuery{Flow: "later"})[0]
	if r.Status != run.Waiting || !strings.Contains(r.Reason, "until") || len(w.invoker.Of("request")) != 0 {
		w.t.Errorf("a moment too early the run is %s (%s)", r.Status, r.Reason)
	}
	w.pass(1)
	if r := w.runs(engine.RunQuery{Flow: "later"})[0]; r.Status != run.Succeeded {
		w.t.Errorf("on time the run is %s (%s)", r.Status, r.Reason)
	}
	w.close()
	w.start()
	w.pass(24 * time.Hour)
	if r := w.runs(engine.RunQuery{Flow: "far"})[0]; r.Status != run.Waiting {
		w.t.Errorf("waiting for a far time, the run is %s", r.Status)
	}
}

// timersInOrder lets runs begin at odd times and wait for odd times, over restarts, and checks each.
func timersInOrder(w *world) {
	n := 60
	if Full() {
		n = 2000
	}
	random := rand.New(rand.NewPCG(1, 2))
	due := map[string]time.Time{} // by order
	for _, d := range []string{"1s", "90s", "15m", "1h", "26h"} {
		w.flows.Apply(w.t, fmt.Sprintf("flow: wait-%s\non: order.paid\nif: order.note == %q\nsteps: [{wait: %s}, {do: http/request, with: {order: \"${order.id}\"}}]\n", d, d, d))
	}
	w.start()
	longs := []time.Duration{time.Second, 90 * time.Second, 15 * time.Minute, time.Hour, 26 * time.Hour}
	notes := []string{"1s", "90s", "15m", "1h", "26h"}
	for i := range n {
		id, k := fmt.Sprint(i), random.IntN(len(longs))
		e := w.order("order.paid", id)
		e.Data.Order.Note = notes[k]
		due[id] = time.Now().Add(longs[k])
		w.accept(e)
		w.pass(time.Duration(random.Int64N(int64(20 * time.Minute))))
		if i%20 == 19 {
			w.close()
			w.start()
		}
	}
	w.pass(30 * time.Hour)
	w.wantStatus(n, run.Succeeded)
	attempts := w.invoker.Attempts()
	for i, a := range attempts {
		id := strings.TrimSuffix(strings.TrimPrefix(string(a.Input), `{"order":"`), `"}`)
		if !a.At.Equal(due[id]) {
			w.t.Errorf("order %s was due at %s and came at %s", id, due[id], a.At)
		}
		if i > 0 && a.At.Before(attempts[i-1].At) {
			w.t.Errorf("attempt %d came before the one before it", i)
		}
	}
	if len(attempts) != n {
		w.t.Errorf("%d attempts were made, not %d", len(attempts), n)
	}
}

func timersOverdue(w *world) {
	w.start(twoDays)
	for i := range 40 {
		w.accept(w.order("order.paid", fmt.Sprint(i)))
		w.pass(time.Minute)
	}
	w.close()
	time.Sleep(72 * time.Hour)
	w.start()
	synctest.Wait()
	w.wantStatus(40, run.Succeeded)
	if n := len(keys(w.invoker.Attempts())); n != 40 || len(w.invoker.Attempts()) != n {
		w.t.Errorf("%d attempts under %d keys were made, not 40", len(w.invoker.Attempts()), n)
	}
}
