package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// ok is what an action returns that has nothing to say.
func ok() engine.Result { return engine.Result{Output: json.RawMessage(`{}`)} }

// hang returns an action that is at work until release is closed or the engine gives it up.
func hang(release <-chan struct{}) func(context.Context, engine.Invocation) engine.Result {
	return func(ctx context.Context, _ engine.Invocation) engine.Result {
		select {
		case <-release:
			return ok()
		case <-ctx.Done():
			return engine.Result{Error: ctx.Err().Error(), Unknown: true}
		}
	}
}

func ends(w *world) {
	const refused = "refused"
	w.invoker.Do = func(_ context.Context, inv engine.Invocation) engine.Result {
		if strings.Contains(string(inv.Input), refused) {
			return engine.Result{Error: "it said no", Permanent: true}
		}
		return engine.Result{} // nothing to say, not even {}
	}
	tests := map[string]struct {
		steps  string
		status run.Status
		reason string
	}{
		"all-well":     {`[{do: http/request}, {if: "order.total > 1", then: [{do: loyalty/award}]}]`, run.Succeeded, ""},
		"passed-over":  {`[{do: http/request, with: {a: refused}, on_error: continue}, {do: loyalty/award}]`, run.PartlyFailed, "1 step failed"},
		"one-lost":     {`[{for_each: order.line_items, as: line, steps: [{do: http/request, with: {a: "${line.quantity > 1 ? 'refused' : 'well'}"}}]}]`, run.PartlyFailed, "1 step failed"},
		"all-lost":     {`[{for_each: order.line_items, steps: [{do: http/request, with: {a: refused}}]}]`, run.Failed, "all 3 failed"},
		"refused":      {`[{do: http/request, with: {a: refused}}, {do: loyalty/award}]`, run.Failed, "request: it said no"},
		"handled":      {`[{do: http/request, with: {a: refused}, on_error: [{do: loyalty/award}]}]`, run.Succeeded, ""},
		"stopped":      {`[{stop: "no more of ${order.name}"}, {do: loyalty/award}]`, run.Stopped, "no more of #1"},
		"waiting":      {`[{wait: 2d}]`, run.Waiting, "until"},
		"not-told":     {`[{if: 'order.attributes["a"] == "b"', then: [{do: http/request}]}]`, run.Failed, "could not be evaluated"},
		"input-absent": {`[{do: http/request, with: {a: '${order.attributes["a"]}'}}]`, run.Failed, "its input cannot be made"},
	}
	for id, test := range tests {
		w.flows.Apply(w.t, fmt.Sprintf("flow: %s\non: order.paid\nsteps: %s\n", id, test.steps))
	}
	w.start()
	e := Order(tea, "order.paid", "1", time.Now(), Lines(3))
	w.accept(e)
	w.pass(time.Minute)
	seen := map[string]bool{}
	for _, r := range w.runs(engine.RunQuery{}) {
		test := tests[r.Flow]
		seen[r.Flow] = true
		if r.Status != test.status || !strings.Contains(r.Reason, test.reason) || test.reason == "" && r.Reason != "" {
			w.t.Errorf("%s is %s (%q), not %s (%q)", r.Flow, r.Status, r.Reason, test.status, test.reason)
		}
		if over := r.EndedAt != nil; over != r.Status.Over() {
			w.t.Errorf("%s is %s and ended at %v", r.Flow, r.Status, r.EndedAt)
		}
		for _, s := range r.Steps {
			if r.Status.Over() && !s.Status.Over() {
				w.t.Errorf("%s is over, and its step %s is %s", r.Flow, s.ID, s.Status)
			}
		}
	}
	if len(seen) != len(tests) {
		w.t.Errorf("%d flows ran, not %d", len(seen), len(tests))
	}
}

func retries(w *world) {
	w.start(`
flow: keen
on: order.paid
steps:
  - do: loyalty/award
    retry: {attempts: 4}
  - do: http/request
    with: {balance: "${steps.award.balance}"}
`)
	w.invoker.Do = func(_ context.Context, inv engine.Invocation) engine.Result {
		if inv.Path == "award" && inv.Attempt < 4 {
			return engine.Result{Error: "busy"}
		}
		return engine.Result{Output: json.RawMessage(`{"balance": 12}`)}
	}
	w.accept(w.order("order.paid", "1"))
	w.pass(time.Minute)
	r := w.only()
	if r.Status != run.Succeeded || r.Steps[0].Attempts != 4 || string(r.Steps[1].Input) != `{"balance":12}` {
		w.t.Errorf("the run is %+v", r)
	}
	attempts := w.invoker.Of("award")
	if len(keys(attempts)) != 1 || keys(attempts)[0] != r.Steps[0].IdempotencyKey || len(attempts) != 4 {
		w.t.Errorf("the attempts were made under the keys %v; the step tells %s", keys(attempts), r.Steps[0].IdempotencyKey)
	}
	for i, a := range attempts {
		if a.Attempt != i+1 {
			w.t.Errorf("attempt %d came as number %d", a.Attempt, i+1)
		}
		if least := time.Second << max(i-1, 0); i > 0 && a.At.Sub(attempts[i-1].At) < least {
			w.t.Errorf("attempt %d came %s after the one before, not at least %s", i+1, a.At.Sub(attempts[i-1].At), least)
		}
	}
	if all := keys(w.invoker.Attempts()); len(all) != 2 {
		w.t.Errorf("two steps had the keys %v", all)
	}

	w.flows.Apply(w.t, "flow: keen\non: order.paid\nsteps: [{do: loyalty/award, retry: {attempts: 2}}]\n")
	w.accept(w.order("order.paid", "2"))
	w.pass(time.Minute)
	if r := w.runs(engine.RunQuery{Limit: 1})[0]; r.Status != run.Failed || r.Steps[0].Attempts != 2 || !strings.Contains(r.Steps[0].Error, "busy (tried 2 times)") {
		w.t.Errorf("the run without success is %+v", r)
	}
}

func comesAgain(w *world) {
	w.start(`
flow: patient
on: order.paid
steps: [{do: http/request, retry: {attempts: 1, within: 3h}}]
`)
	w.invoker.Do = func(_ context.Context, inv engine.Invocation) engine.Result {
		switch inv.Attempt {
		case 1:
			return engine.Result{Error: "too many requests", RetryAfter: time.Hour}
		case 2:
			return engine.Result{Error: "the plugin is starting", Free: true, RetryAfter: time.Minute}
		}
		return ok()
	}
	w.accept(w.order("order.paid", "1"))
	w.pass(0)
	r := w.only()
	if r.Status != run.Waiting || r.Steps[0].Until == nil || !r.Steps[0].Until.Equal(time.Now().Add(time.Hour)) {
		w.t.Errorf("the run is %+v", r)
	}
	w.pass(time.Hour - 1)
	w.wantStatus(1, run.Waiting)
	w.pass(time.Minute + 1)
	w.wantStatus(1, run.Succeeded)
	if n := len(w.invoker.Attempts()); n != 3 {
		w.t.Errorf("%d attempts were made, not 3", n)
	}
}

// unknown: nobody knows what became of an attempt, by the plugin's word and by a crash of the host.
func unknown(w *world) {
	actions := map[string]string{"award": "loyalty/award", "request": "http/request", "buy": "labels/buy", "send": "mail/send"}
	for id, action := range actions {
		w.flows.Apply(w.t, fmt.Sprintf("flow: %s\non: [order.paid, order.created]\nsteps: [{do: %s}]\n", id, action))
	}
	w.start()
	lost := func(_ context.Context, inv engine.Invocation) engine.Result {
		if inv.Attempt == 1 {
			return engine.Result{Error: "the plugin died", Unknown: true}
		}
		return ok()
	}
	w.invoker.Do = lost
	check := func(event string) {
		w.t.Helper()
		w.pass(time.Minute)
		for _, r := range w.runs(engine.RunQuery{Type: event}) {
			want := run.Succeeded
			if r.Flow == "send" {
				want = run.Parked
			}
			if r.Status != want || r.Status == run.Parked && !strings.Contains(r.Reason, "unsafe") {
				w.t.Errorf("after %s, the run of %s is %s (%s)", event, actions[r.Flow], r.Status, r.Reason)
			}
		}
	}
	w.accept(w.order("order.paid", "1"))
	check("order.paid")
	for id, action := range actions {
		if n, want := len(w.invoker.Of(id)), map[bool]int{true: 1, false: 2}[id == "send"]; n != want {
			w.t.Errorf("%s was attempted %d times, not %d", action, n, want)
		}
	}
	before := keys(w.invoker.Attempts())

	w.invoker = &Invoker{Do: hang(nil)}
	w.close()
	w.start()
	w.accept(w.order("order.created", "1"))
	synctest.Wait()
	atWork := keys(w.invoker.Attempts())
	w.crash()
	w.start()
	check("order.created")
	if n := len(w.invoker.Of("send")); n != 0 {
		w.t.Errorf("after the crash mail/send was attempted %d times more", n)
	}
	for _, key := range keys(w.invoker.Attempts()) {
		if !slices.Contains(atWork, key) || slices.Contains(before, key) {
			w.t.Errorf("after the crash there is an attempt under the new key %s", key)
		}
	}
	w.wantParked()
}

// wantParked checks that what is parked stays so over a restart.
func (w *world) wantParked() {
	w.t.Helper()
	n := len(w.runs(engine.RunQuery{Status: run.Parked}))
	w.close()
	w.start()
	w.pass(48 * time.Hour)
	if got := len(w.runs(engine.RunQuery{Status: run.Parked})); got != n || n == 0 {
		w.t.Errorf("%d runs were parked, and after a restart %d", n, got)
	}
}

func notJSON(w *world) {
	w.start(onPaid)
	w.invoker.Do = func(context.Context, engine.Invocation) engine.Result {
		return engine.Result{Output: json.RawMessage(`{"a":`)}
	}
	w.accept(w.order("order.paid", "1"))
	w.pass(time.Minute)
	if r := w.only(); r.Status != run.Failed || !strings.Contains(r.Reason, "JSON") {
		w.t.Errorf("the run is %+v", r)
	}
}

func hands(w *world) {
	f := w.flows.Apply(w.t, `
flow: hand
on: order.paid
steps:
  - do: http/request
    connection: second
    with: {name: "${order.name}", shop: "${shop.name}", at: "${now}"}
`)
	w.start()
	e := w.order("order.paid", "1")
	w.accept(e)
	synctest.Wait()
	r := w.only()
	attempts := w.invoker.Attempts()
	if len(attempts) != 1 {
		w.t.Fatalf("%d attempts were made", len(attempts))
	}
	a := attempts[0]
	if a.RunID != r.ID || a.Flow != "hand" || a.Shop != tea || a.Action != "http/request" || a.Connection != "second" || a.Path != "request" || a.Attempt != 1 || a.Key == "" {
		w.t.Errorf("the attempt is %+v", a)
	}
	if want := fmt.Sprintf(`{"name":"#1","shop":"%s","at":"%s"}`, tea, r.StartedAt.Format(time.RFC3339)); string(a.Input) != want {
		w.t.Errorf("its input is %s, not %s", a.Input, want)
	}
	var got event.Event
	if err := json.Unmarshal(a.Event, &got); err != nil {
		w.t.Fatal(err)
	}
	if got.Raw != nil || got.Subject != "1" || got.Data.Order == nil || got.Data.Order.Name != "#1" || got.ID != r.EventID {
		w.t.Errorf("its event is %s", a.Event)
	}
	if r.Version != f.Version || r.Shop != tea || r.Subject != "1" || len(r.Steps) != 1 || string(r.Steps[0].Output) != "{}" || r.Steps[0].EndedAt == nil {
		w.t.Errorf("the run is %+v", r)
	}
}

func longLoop(w *world) {
	n := 500
	if Full() {
		n = 5000
	}
	w.start(`
flow: lines
on: order.paid
steps:
  - for_each: order.line_items
    as: line
    steps:
      - if: line.quantity > 1
        then: [{do: http/request, with: {id: "${line.id}"}}]
`)
	w.accept(Order(tea, "order.paid", "1", time.Now(), Lines(n)))
	w.pass(time.Minute)
	r := w.only()
	if r.Status != run.Succeeded {
		w.t.Fatalf("the run is %s (%s)", r.Status, r.Reason)
	}
	attempts := w.invoker.Attempts()
	if len(attempts) != n/3 || len(keys(attempts)) != len(attempts) || len(r.Steps) != 1+n+n/3 {
		w.t.Errorf("%d attempts under %d keys were made for %d lines, with %d steps", len(attempts), len(keys(attempts)), n, len(r.Steps))
	}
	for i, a := range attempts {
		if want := fmt.Sprintf("each[%d].if.then.request", 3*i+2); a.Path != want {
			w.t.Fatalf("attempt %d is %s, not %s", i, a.Path, want)
		}
	}
}

func versions(w *world) {
	w.start(`
flow: changing
on: order.paid
steps: [{wait: 2d}, {do: http/request, with: {version: old}}]
`)
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	old := w.only()
	w.flows.Apply(w.t, `
flow: changing
on: order.paid
steps: [{do: loyalty/award}]
`)
	w.accept(w.order("order.paid", "2"))
	w.close()
	w.start()
	w.pass(49 * time.Hour)
	w.wantStatus(2, run.Succeeded)
	got, err := w.Run(w.t.Context(), old.ID)
	if err != nil || got.Version != old.Version {
		w.t.Errorf("the old run is %+v (%v)", got, err)
	}
	if a := w.invoker.Of("request"); len(a) != 1 || !strings.Contains(string(a[0].Input), "old") {
		w.t.Errorf("the old run's attempts are %+v", a)
	}
	if a := w.invoker.Of("award"); len(a) != 1 {
		w.t.Errorf("the new run's attempts are %+v", a)
	}
}

func replays(w *world) {
	w.start(onPaid, `
flow: big
on: order.paid
if: order.total > 1000
steps: [{do: loyalty/award}]
`)
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	first := w.only()
	var all []string
	for range 2 { // in the same instant
		ids, err := w.Replay(w.t.Context(), first.EventID)
		if err != nil || len(ids) != 1 {
			w.t.Fatalf("replaying gave %v (%v)", ids, err)
		}
		all = append(all, ids...)
	}
	synctest.Wait()
	w.wantStatus(3, run.Succeeded)
	if all[0] == all[1] || slices.Contains(all, first.ID) {
		w.t.Errorf("the runs are %s and %v", first.ID, all)
	}
	if n := len(keys(w.invoker.Attempts())); n != 3 {
		w.t.Errorf("3 runs had %d keys", n)
	}
	e, err := w.Event(w.t.Context(), first.EventID)
	if err != nil || !slices.Equal(e.Runs, append([]string{first.ID}, all...)) {
		w.t.Errorf("the event has the runs %v (%v)", e.Runs, err)
	}
}

func byHand(w *world) {
	w.start()
	f := w.flows.Apply(w.t, `
flow: manual
on: manual
if: order.total > 100
steps: [{do: loyalty/award}]
`)
	e := w.order("order.updated", "1")
	var ids []string
	for range 2 { // in the same instant
		id, reason, err := w.Start(w.t.Context(), f, e)
		if err != nil || id == "" || reason != "" {
			w.t.Fatalf("starting gave %q, %q (%v)", id, reason, err)
		}
		ids = append(ids, id)
	}
	synctest.Wait()
	w.wantStatus(2, run.Succeeded)
	if ids[0] == ids[1] || len(keys(w.invoker.Attempts())) != 2 {
		w.t.Errorf("two starts are the runs %v with the keys %v", ids, keys(w.invoker.Attempts()))
	}
	id, reason, err := w.Start(w.t.Context(), f, Order(tea, "order.updated", "2", time.Now(), Total("3")))
	if err != nil || id != "" || !strings.Contains(reason, "condition false") {
		w.t.Errorf("starting a flow whose condition is false gave %q, %q (%v)", id, reason, err)
	}
	if _, _, err := w.Start(w.t.Context(), f, Order("nobody.example.com", "order.updated", "1", time.Now(), nil)); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("starting it for a shop that is not known: %v", err)
	}
	w.accept(e) // the same content, told by the platform
	synctest.Wait()
	if list := w.events(engine.EventQuery{Subject: "1"}); len(list) != 3 || list[0].Outcome != engine.Processed {
		w.t.Errorf("the events are %+v", list)
	}
}
