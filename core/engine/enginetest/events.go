package enginetest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// One flow for each type of event that these tests use.
const (
	onPaid = `
flow: on-paid
on: order.paid
steps: [{do: http/request}]
`
	onUpdated = `
flow: on-updated
on: order.updated
steps: [{do: http/request}]
`
	onCreated = `
flow: on-created
on: order.created
steps: [{do: http/request}]
`
	onDeleted = `
flow: on-deleted
on: [order.deleted, product.deleted, coupon.deleted]
steps: [{do: http/request}]
`
)

func survives(w *world) {
	w.start(onPaid)
	never := make(chan struct{})
	w.invoker.Do = hang(never)
	w.accept(w.order("order.paid", "1"), w.order("order.paid", "2"), w.order("order.created", "3"))
	w.crash()
	w.start()
	if got := outcomes(w.events(engine.EventQuery{})); len(got) != 3 {
		w.t.Fatalf("after a crash there are %d events, not 3", len(got))
	}
	synctest.Wait()
	w.wantStatus(2, run.Succeeded)

	w.accept(w.order("order.paid", "4"))
	synctest.Wait()
	w.close()
	w.start()
	w.wantStatus(3, run.Succeeded)
	content, err := w.Event(w.t.Context(), w.events(engine.EventQuery{Subject: "4"})[0].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	want := w.order("order.paid", "4")
	want.ID = content.ID
	if got, want := jsonOf(w.t, content.Content), jsonOf(w.t, want); got != want {
		w.t.Errorf("the event came back as\n%s\nnot\n%s", got, want)
	}
	if got := len(w.invoker.Attempts()); got != 3 {
		w.t.Errorf("there were %d attempts after the crash, not 3", got)
	}
}

func positions(w *world) {
	w.start(onPaid)
	first := w.accept(w.order("order.paid", "1"), w.order("order.paid", "2"))
	again := slices.Clone(first)
	other := Order(pot, "order.paid", "1", time.Now(), nil)
	again = append(again, w.arrival(other), w.arrival(w.order("order.paid", "3")))
	if err := w.Accept(w.t.Context(), again); err != nil {
		w.t.Fatal(err)
	}
	old := engine.Arrival{Shop: tea, Seq: 1, Rejected: "it is old", Delivery: event.Delivery{ReceivedAt: time.Now()}}
	if err := w.Accept(w.t.Context(), []engine.Arrival{old}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
	w.wantStatus(4, run.Succeeded)
	if got, want := outcomes(w.events(engine.EventQuery{})), slices.Repeat([]engine.Outcome{engine.Processed}, 4); !slices.Equal(got, want) {
		w.t.Errorf("the outcomes are %v, not %v", got, want)
	}
	for range 2 {
		got, err := w.Positions(w.t.Context())
		if want := map[string]uint64{tea: 3, pot: 1}; err != nil || !reflect.DeepEqual(got, want) {
			w.t.Errorf("the positions are %v (%v), not %v", got, err, want)
		}
		w.close()
		w.start()
	}
}

// once plays sequences of events of one order, each at a time of its own, and counts the runs of each type.
func once(w *world) {
	type step struct {
		typ   string
		topic string
		later time.Duration // than the first
		shape func(*commerce.Order)
		bare  bool // the event comes without the order
	}
	created := step{typ: "order.created"}
	paid := step{typ: "order.paid", later: time.Minute, shape: Paid}
	changed := step{typ: "order.updated", later: time.Minute, shape: Paid}
	deleted := step{typ: "order.deleted", later: time.Hour}
	restored := step{typ: "order.updated", topic: "order.restored", later: time.Minute, shape: Paid}
	for i, test := range []struct {
		name     string
		sequence []step
		want     map[string]int // runs by flow
	}{
		{"the same delivery twice", []step{created, created}, map[string]int{"on-created": 1}},
		{"a second subscription later", []step{created, paid, paid}, map[string]int{"on-created": 1, "on-paid": 1}},
		{"the payment is derived, then told", []step{created, changed, paid}, map[string]int{"on-created": 1, "on-updated": 1, "on-paid": 1}},
		{"the payment is told, then seen", []step{created, paid, changed}, map[string]int{"on-created": 1, "on-updated": 1, "on-paid": 1}},
		{"the payment is told without the order, then seen", []step{created, {typ: "order.paid", bare: true}, changed}, map[string]int{"on-created": 1, "on-updated": 1, "on-paid": 1}},
		{"the same update twice", []step{changed, changed}, map[string]int{"on-updated": 1, "on-paid": 1}},
		{"deleted twice over", []step{changed, deleted, deleted}, map[string]int{"on-updated": 1, "on-paid": 1, "on-deleted": 1}},
		{"deleted, restored as it was, deleted again", []step{changed, deleted, restored, deleted, deleted}, map[string]int{"on-updated": 1, "on-paid": 1, "on-deleted": 2}},
		{"restored without a deletion", []step{changed, restored, restored, deleted, deleted}, map[string]int{"on-updated": 1, "on-paid": 1, "on-deleted": 1}},
	} {
		w.t.Log(test.name)
		for _, shop := range []string{tea, pot} { // one shop's identities are not the other's
			for _, batched := range []bool{false, true} {
				if w.Engine == nil {
					w.start(onCreated, onPaid, onUpdated, onDeleted)
				}
				id := string(rune('a'+i)) + map[bool]string{false: "1", true: "2"}[batched]
				begin := time.Now()
				var events []event.Event
				for _, s := range test.sequence {
					e := Order(shop, s.typ, id, begin.Add(s.later), s.shape)
					e.Data.Order.CreatedAt = begin
					if s.topic != "" {
						e.Topic = s.topic
					}
					if s.bare {
						e.Data = commerce.Data{}
					}
					if !batched {
						w.accept(e)
						w.pass(time.Second)
					}
					events = append(events, e)
				}
				if batched {
					w.accept(events...)
					synctest.Wait()
				}
				got := map[string]int{}
				for _, r := range w.runs(engine.RunQuery{Shop: shop}) {
					if r.Subject == id {
						got[r.Flow]++
					}
				}
				if !reflect.DeepEqual(got, test.want) {
					w.t.Errorf("%s (in one batch: %v): runs %v, not %v", test.name, batched, got, test.want)
				}
			}
		}
	}
	n := len(w.runs(engine.RunQuery{}))
	if got := len(keys(w.invoker.Attempts())); got != n {
		w.t.Errorf("%d runs had %d idempotency keys", n, got)
	}
}

func connected(w *world) {
	w.start(onCreated, onPaid)
	old := w.shops[tea].Add(-time.Hour)
	w.accept(Order(tea, "order.updated", "1", old, Paid)) // seen for the first time, paid before
	synctest.Wait()
	w.wantStatus(0, "")
	young := Order(tea, "order.updated", "2", time.Now(), Paid)
	w.accept(young)
	synctest.Wait()
	if r := w.only(); r.Flow != "on-paid" || r.Subject != "2" {
		w.t.Errorf("the run is %+v", r)
	}
}

func supersedes(w *world) {
	w.start(onUpdated, onCreated)
	begin := time.Now()
	for _, e := range []event.Event{
		Order(tea, "order.updated", "1", begin.Add(time.Minute), Total("2")),
		Order(tea, "order.updated", "1", begin, Total("1")),
		Order(tea, "order.created", "1", begin.Add(-time.Minute), nil),
		Order(tea, "order.updated", "1", begin.Add(time.Minute), Total("3")), // the same second, another content
	} {
		w.accept(e)
		w.pass(time.Millisecond)
	}
	events := w.events(engine.EventQuery{})
	want := []engine.Outcome{engine.Processed, engine.Superseded, engine.Processed, engine.Processed}
	if got := outcomes(events); !slices.Equal(got, want) {
		w.t.Errorf("the outcomes are %v, not %v", got, want)
	}
	w.wantStatus(3, run.Succeeded)
	w.flows.Apply(w.t, onPaid)
	w.accept(Order(tea, "order.updated", "1", begin.Add(time.Second), Paid)) // older, but the payment did happen
	synctest.Wait()
	w.wantStatus(4, run.Succeeded)
	if paid := w.events(engine.EventQuery{Type: "order.paid"}); len(paid) != 1 || len(paid[0].Runs) != 1 {
		w.t.Errorf("an older update showed the payment, and the events of it are %+v", paid)
	}
	for _, e := range w.events(engine.EventQuery{Outcome: engine.Superseded}) {
		if e.Reason == "" || len(e.Runs) != 0 {
			w.t.Errorf("the superseded event says %q and has the runs %v", e.Reason, e.Runs)
		}
	}
}

func rejects(w *world) {
	w.start(onPaid)
	delivery := event.Delivery{Platform: "shopify", Shop: tea, Header: map[string]string{"X-Shopify-Topic": "moons/full"}, Body: []byte("\xff{"), ReceivedAt: time.Now()}
	w.seq[tea]++
	if err := w.Accept(w.t.Context(), []engine.Arrival{{Shop: tea, Seq: w.seq[tea], Delivery: delivery, Rejected: "the topic moons/full is not known"}}); err != nil {
		w.t.Fatal(err)
	}
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	list := w.events(engine.EventQuery{Outcome: engine.Rejected})
	if len(list) != 1 || list[0].Shop != tea || list[0].Reason != "the topic moons/full is not known" || len(list[0].Runs) != 0 {
		w.t.Fatalf("the rejected events are %+v", list)
	}
	id := list[0].ID
	w.close()
	w.start()
	kept, err := w.Event(w.t.Context(), id)
	if err != nil || kept.Delivery == nil {
		w.t.Fatalf("the rejected event is %+v (%v)", kept, err)
	}
	if got := *kept.Delivery; !got.ReceivedAt.Equal(delivery.ReceivedAt) || string(got.Body) != string(delivery.Body) || !reflect.DeepEqual(got.Header, delivery.Header) {
		w.t.Errorf("the delivery came back as %+v", got)
	}
	if _, err := w.Replay(w.t.Context(), id); !errors.Is(err, engine.ErrNotReplayable) {
		w.t.Errorf("replaying a rejected event: %v", err)
	}

	w.pass(time.Hour)
	runs, err := w.Understood(w.t.Context(), id, []event.Event{w.order("order.paid", "2"), w.order("order.paid", "1")})
	if err != nil || len(runs) != 1 {
		w.t.Fatalf("understanding it started the runs %v (%v), not one: order 1 was paid before", runs, err)
	}
	synctest.Wait()
	if r, err := w.Run(w.t.Context(), runs[0]); err != nil || r.Subject != "2" || r.Status != run.Succeeded {
		w.t.Errorf("the run is %+v (%v)", r, err)
	}
	if again, err := w.Understood(w.t.Context(), id, []event.Event{w.order("order.paid", "3")}); !errors.Is(err, engine.ErrNotReplayable) {
		w.t.Errorf("it was understood twice, and started %v (%v)", again, err)
	}
	if left := w.events(engine.EventQuery{Outcome: engine.Rejected}); len(left) != 0 {
		w.t.Errorf("still rejected: %+v", left)
	}
	if _, err := w.Understood(w.t.Context(), "01JDZZZZZZZZZZZZZZZZZZZZZZ", nil); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("understanding an event that does not exist: %v", err)
	}
}

func mistakes(w *world) {
	w.start(onDeleted)
	deleted := func(shop, kind, id string) event.Event {
		e := event.Event{
			Source: platformOf(shop) + "/" + shop, Type: kind + ".deleted", Subject: id, Time: time.Now(), Shop: shop,
			Platform: platformOf(shop), Topic: kind + ".deleted", Identity: event.Deleted(kind+".deleted", id), Raw: []byte(`{"id":` + id + `}`),
		}
		return e
	}
	for _, shop := range []string{tea, pot} {
		w.accept(Order(shop, "order.created", "5", time.Now(), nil))
		w.accept(deleted(shop, "product", "5"), deleted(shop, "coupon", "5"), deleted(shop, "order", "5"), deleted(shop, "product", "6"))
	}
	synctest.Wait()
	count := func(shop string) (types []string) {
		for _, r := range slices.Backward(w.runs(engine.RunQuery{Shop: shop})) {
			e, err := w.Event(w.t.Context(), r.EventID)
			if err != nil {
				w.t.Fatal(err)
			}
			types = append(types, e.Type+" "+e.Subject)
		}
		slices.Sort(types)
		return types
	}
	if got, want := count(pot), []string{"order.deleted 5", "product.deleted 6"}; !slices.Equal(got, want) {
		w.t.Errorf("in WooCommerce's shop there ran %v, not %v", got, want)
	}
	if got := count(tea); len(got) != 4 {
		w.t.Errorf("in Shopify's shop, where ids of kinds have nothing to do with each other, there ran %v", got)
	}
	list := w.events(engine.EventQuery{Outcome: engine.Rejected})
	if len(list) != 2 {
		w.t.Fatalf("%d events are rejected, not 2", len(list))
	}
	for _, e := range list {
		if !strings.Contains(e.Reason, "order/5") || e.Subject != "5" || e.Shop != pot {
			w.t.Errorf("rejected: %+v", e)
		}
		full, err := w.Event(w.t.Context(), e.ID)
		if err != nil || full.Delivery == nil {
			w.t.Errorf("its delivery is not kept (%v)", err)
		}
		if _, err := w.Understood(w.t.Context(), e.ID, []event.Event{deleted(pot, "product", "5")}); err == nil || !strings.Contains(err.Error(), "order/5") {
			w.t.Errorf("understanding it in the same way again: %v", err)
		}
	}
}

func skips(w *world) {
	w.start(`
flow: big
on: order.paid
if: order.total > 100 && "vip" in customer.tags
steps: [{do: http/request}]
`, onPaid)
	w.accept(Order(tea, "order.paid", "1", time.Now(), Total("99.50")))
	synctest.Wait()
	if r := w.only(); r.Flow != "on-paid" {
		w.t.Errorf("the flow %s ran", r.Flow)
	}
	list := w.events(engine.EventQuery{Flow: "big"})
	if len(list) != 1 || len(list[0].Skipped) != 1 {
		w.t.Fatalf("the events that concern the flow are %+v", list)
	}
	s := list[0].Skipped[0]
	if s.Flow != "big" || !strings.Contains(s.Reason, "condition false") || !strings.Contains(s.Reason, "order.total = 99.5") {
		w.t.Errorf("the flow was skipped with %q", s.Reason)
	}
	if list[0].Outcome != engine.Processed || len(list[0].Runs) != 1 {
		w.t.Errorf("the event is %+v", list[0])
	}
}

func unevaluated(w *world) {
	w.start(`
flow: keen
on: order.paid
if: order.attributes["gift"] == "yes"
steps: [{do: http/request}]
`)
	w.accept(w.order("order.paid", "1"))
	synctest.Wait()
	r := w.only()
	if r.Status != run.Failed || !strings.Contains(r.Reason, "could not be evaluated") || len(r.Steps) != 0 || r.EndedAt == nil {
		w.t.Errorf("the run is %+v", r)
	}
	if n := len(w.invoker.Attempts()); n != 0 {
		w.t.Errorf("%d attempts were made", n)
	}
}

// concurrent has many deliver at once, each for a shop of its own, and checks that every order ran once.
func concurrent(w *world) {
	w.start(onPaid)
	const givers, each = 8, 40
	errs := make(chan error, givers)
	name := func(g int) string { return string(rune('a'+g)) + ".myshopify.com" }
	for g := range givers {
		w.shops[name(g)] = w.shops[tea]
	}
	for g := range givers {
		go func() {
			shop := name(g)
			var err error
			for i := range each {
				e := Order(shop, "order.paid", string(rune('A'+i)), time.Now(), nil)
				a := engine.Arrival{Shop: shop, Seq: uint64(i + 1), Events: []event.Event{e}, Delivery: event.Delivery{Platform: "shopify", Shop: shop, ReceivedAt: time.Now()}}
				if err = w.Accept(w.t.Context(), []engine.Arrival{a}); err != nil {
					break
				}
			}
			errs <- err
		}()
	}
	for range givers {
		if err := <-errs; err != nil {
			w.t.Error(err)
		}
	}
	synctest.Wait()
	w.wantStatus(givers*each, run.Succeeded)
	if n := len(keys(w.invoker.Attempts())); n != givers*each || len(w.invoker.Attempts()) != n {
		w.t.Errorf("%d attempts with %d keys were made for %d runs", len(w.invoker.Attempts()), n, givers*each)
	}
}
