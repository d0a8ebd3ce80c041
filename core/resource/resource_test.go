package resource_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/core/resource"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// since is when the shop was connected.
var since = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// told is one event of order 12 as a connector makes it: its type, how many minutes after the connection the
// order was changed, the platform's status of it, and its topic where that differs from the type.
type told struct {
	typ    string
	minute int
	status string
	topic  string
}

// order makes the event. The statuses are WooCommerce's; an order is placed at minute placed.
func (o told) event(placed int) *event.Event {
	at := func(minute int) time.Time { return since.Add(time.Duration(minute) * time.Minute) }
	e := &event.Event{Type: o.typ, Topic: o.typ, Subject: "12", Shop: "pot.example.com", Platform: "woocommerce", Time: at(o.minute)}
	if o.topic != "" {
		e.Topic = o.topic
	}
	order := &commerce.Order{Exists: true, ID: "12", PlatformStatus: o.status, FinancialStatus: commerce.FinancialPending,
		FulfillmentStatus: commerce.FulfillmentUnfulfilled, CreatedAt: at(placed), UpdatedAt: at(o.minute)}
	changed := at(o.minute)
	switch o.status {
	case "processing":
		order.FinancialStatus, order.PaidAt = commerce.FinancialPaid, &changed
	case "completed":
		order.FinancialStatus, order.PaidAt = commerce.FinancialPaid, &changed
		order.FulfillmentStatus, order.FulfilledAt = commerce.FulfillmentFulfilled, &changed
	case "refunded":
		order.FinancialStatus = commerce.FinancialRefunded // the time of the payment is not known any more
	case "cancelled":
		order.Cancelled = true
	}
	if e.Type == "order.deleted" {
		order = &commerce.Order{ID: "12"}
	}
	e.Data.Order = order
	return e
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	created := func(minute int, status string) told {
		return told{typ: "order.created", minute: minute, status: status}
	}
	updated := func(minute int, status string) told {
		return told{typ: "order.updated", minute: minute, status: status}
	}
	for _, test := range []struct {
		name   string
		placed int // minute
		told   []told
		want   string // what each leads to: derived types, "superseded", or "-"
	}{
		{"paid at once", 1, []told{created(1, "processing")}, "order.paid"},
		{"paid later", 1, []told{created(1, "pending"), updated(2, "processing"), updated(3, "completed")}, "- | order.paid | order.fulfilled"},
		{"the draft's update comes before the creation", 1,
			[]told{updated(1, "checkout-draft"), created(1, "processing"), updated(2, "processing")}, "- | order.paid | -"},
		{"the paid update comes before the creation", 1,
			[]told{updated(1, "checkout-draft"), updated(2, "processing"), created(1, "pending")}, "- | order.paid | -"},
		{"only updates", 1, []told{updated(1, "processing"), updated(2, "completed")}, "order.paid | order.fulfilled"},
		{"everything at once", 1, []told{updated(5, "completed")}, "order.paid order.fulfilled"},
		{"back and forth", 1, []told{created(1, "processing"), updated(2, "pending"), updated(3, "processing"), updated(4, "completed"), updated(5, "processing"), updated(6, "completed")},
			"order.paid | - | - | order.fulfilled | - | -"},
		{"refunded in full was paid before", 1, []told{created(1, "pending"), updated(2, "refunded")}, "- | order.paid"},
		{"cancelled, opened again, cancelled again", 1, []told{created(1, "pending"), updated(2, "cancelled"), updated(3, "pending"), updated(4, "cancelled")},
			"- | order.cancelled | - | -"},
		{"the platform tells of the payment itself, first", 1, []told{created(1, "pending"), {typ: "order.paid", minute: 2, status: "processing"}, updated(2, "processing")}, "- | - | -"},
		{"the platform tells of the payment itself, last", 1, []told{created(1, "pending"), updated(2, "processing"), {typ: "order.paid", minute: 2, status: "processing"}}, "- | order.paid | -"},
		{"told of a payment of an order that is sent already", 1, []told{{typ: "order.paid", minute: 2, status: "completed"}, updated(3, "completed")}, "order.fulfilled | -"},
		{"an older update", 1, []told{created(1, "pending"), updated(3, "processing"), updated(2, "processing")}, "- | order.paid | superseded"},
		{"an older update tells what happened", 1, []told{created(1, "pending"), updated(3, "processing"), updated(2, "cancelled")}, "- | order.paid | superseded order.cancelled"},
		{"an older creation still counts", 1, []told{updated(3, "pending"), created(1, "processing")}, "- | order.paid"},

		{"from before, paid before", -60, []told{updated(-30, "processing"), updated(1, "processing")}, "- | -"},
		{"from before, paid after, first seen paid", -60, []told{updated(5, "processing")}, "order.paid"},
		{"from before, seen unpaid, paid after", -60, []told{updated(1, "pending"), updated(2, "processing")}, "- | order.paid"},
		{"from before, cancelled at a time that is not told", -60, []told{updated(5, "cancelled"), updated(6, "cancelled")}, "- | -"},
		{"from before, refunded at a time that is not told", -60, []told{updated(5, "refunded")}, "-"},
		{"created after, cancelled at a time that is not told", 1, []told{updated(5, "cancelled")}, "order.cancelled"},
		{"a creation that comes late is new all the same", -1, []told{created(-1, "processing")}, "order.paid"},

		{"a deletion derives nothing", 1, []told{created(1, "pending"), {typ: "order.deleted", minute: 2}, {typ: "order.updated", topic: "order.restored", minute: 3, status: "pending"}}, "- | - | -"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s resource.State
			var got []string
			for i, o := range test.told {
				e := o.event(test.placed)
				var v resource.Verdict
				s, v = resource.Apply(s, i > 0, e, since)
				got = append(got, verdict(t, e, v))
			}
			if all := strings.Join(got, " | "); all != test.want {
				t.Errorf("it led to %s, not to %s", all, test.want)
			}
		})
	}
}

func verdict(t *testing.T, cause *event.Event, v resource.Verdict) string {
	t.Helper()
	var types []string
	if v.Superseded {
		if v.Reason == "" {
			t.Error("superseded without a reason")
		}
		types = append(types, "superseded")
	}
	for _, d := range v.Derived {
		if d.Identity != event.Once(d.Type, cause.Subject) || d.ID != "" || d.Raw != nil || d.Subject != cause.Subject || d.Data.Order != cause.Data.Order {
			t.Errorf("derived: %+v", d)
		}
		types = append(types, d.Type)
	}
	if types == nil {
		return "-"
	}
	return strings.Join(types, " ")
}

// TestOnceInAnyOrder gives the topics of an order's life in every order, and checks that each transition is told
// exactly once, derived or by the platform.
func TestOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	life := []told{
		{typ: "order.updated", minute: 1, status: "checkout-draft"},
		{typ: "order.created", minute: 1, status: "pending"},
		{typ: "order.updated", minute: 2, status: "processing"},
		{typ: "order.paid", minute: 2, status: "processing"},
		{typ: "order.updated", minute: 3, status: "completed"},
		{typ: "order.updated", minute: 4, status: "cancelled"},
	}
	permute(life, 0, func(sequence []told) {
		var s resource.State
		told := map[string]int{}
		identities := map[event.Identity]bool{} // as the engine keeps them
		tell := func(typ string) {
			if id := event.Once(typ, "12"); !identities[id] {
				identities[id] = true
				told[typ]++
			}
		}
		superseded := ""
		for i, o := range sequence {
			e := o.event(1)
			var v resource.Verdict
			s, v = resource.Apply(s, i > 0, e, since)
			if v.Superseded {
				superseded += fmt.Sprint(" ", e.Type)
			} else {
				tell(e.Type)
			}
			for _, d := range v.Derived {
				tell(d.Type)
			}
		}
		if strings.Contains(superseded, "created") || strings.Contains(superseded, "paid") {
			t.Errorf("%v: superseded%s", sequence, superseded)
		}
		if told["order.created"] != 1 || told["order.paid"] != 1 || told["order.cancelled"] != 1 || told["order.fulfilled"] != 1 {
			t.Errorf("%v: told %v", sequence, told)
		}
	})
}

func permute(list []told, from int, visit func([]told)) {
	if from == len(list) {
		visit(list)
		return
	}
	for i := from; i < len(list); i++ {
		next := slices.Clone(list)
		next[from], next[i] = next[i], next[from]
		permute(next, from+1, visit)
	}
}

// TestSuperseded tells which types may be superseded: updates of resources that carry a version, and none else.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	for _, typ := range event.Types() {
		version := func(minute int) *event.Event { return versioned(typ, since.Add(time.Duration(minute)*time.Minute)) }
		s, v := resource.Apply(resource.State{}, false, version(2), since)
		if v.Superseded {
			t.Errorf("the first %s is superseded", typ.Name)
		}
		if _, v := resource.Apply(s, true, version(2), since); v.Superseded {
			t.Errorf("a %s of the same version is superseded", typ.Name)
		}
		if _, v := resource.Apply(s, true, version(1), since); v.Superseded != typ.Update {
			t.Errorf("an older %s is superseded: %v", typ.Name, v.Superseded)
		}
		if _, v := resource.Apply(s, true, &event.Event{Type: typ.Name, Subject: "1"}, since); v.Superseded && !typ.Update {
			t.Errorf("a %s without a version is superseded", typ.Name)
		}
	}
}

// versioned makes an event of a type, about a resource in its version of a time.
func versioned(typ event.Type, at time.Time) *event.Event {
	e := &event.Event{Type: typ.Name, Subject: "1"}
	if len(typ.Objects) == 0 {
		return e
	}
	switch typ.Objects[0] {
	case event.Order:
		e.Data.Order = &commerce.Order{Exists: true, UpdatedAt: at, CreatedAt: at}
	case event.Customer:
		e.Data.Customer = &commerce.Customer{UpdatedAt: &at}
	case event.Product:
		e.Data.Product = &commerce.Product{UpdatedAt: &at}
	case event.Checkout:
		e.Data.Checkout = &commerce.Checkout{UpdatedAt: &at}
	case event.Fulfillment:
		e.Data.Fulfillment = &commerce.Fulfillment{UpdatedAt: &at}
	case event.Coupon:
		e.Data.Coupon = &commerce.Coupon{UpdatedAt: &at}
	}
	return e
}

func TestRestore(t *testing.T) {
	t.Parallel()
	var s resource.State
	for i, step := range []struct {
		topic    string
		deleted  bool
		restored bool
		restores int
	}{
		{"order.restored", false, false, 0}, // nobody told of a deletion
		{"order.deleted", true, false, 0},
		{"order.deleted", true, false, 0},
		{"order.updated", true, false, 0}, // on its way since before the deletion
		{"order.restored", false, true, 1},
		{"order.restored", false, false, 1},
		{"order.deleted", true, false, 1},
		{"order.restored", false, true, 2},
	} {
		typ := strings.Replace(step.topic, ".restored", ".updated", 1)
		e := told{typ: typ, topic: step.topic, minute: 1, status: "pending"}.event(1)
		var restored bool
		s, restored = resource.Restore(s, e)
		s, _ = resource.Apply(s, true, e, since)
		if restored != step.restored || s.Deleted != step.deleted || s.Restores != step.restores {
			t.Errorf("after %d steps, %s: restored %v, state %+v", i+1, step.topic, restored, s)
		}
	}
}

func TestMistaken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		platform string
		typ      string
		known    []string
		want     string // part of the reason, "" for none
	}{
		{"an order's id as a product", "woocommerce", "product.deleted", []string{"order/5"}, "order/5"},
		{"an order's id as a coupon", "woocommerce", "coupon.deleted", []string{"order/5"}, "order/5"},
		{"a product's id as a coupon", "woocommerce", "coupon.deleted", []string{"product/5"}, "product/5"},
		{"a coupon's id as a product", "woocommerce", "product.deleted", []string{"coupon/5"}, "coupon/5"},
		{"a coupon's id as an order", "woocommerce", "order.deleted", []string{"coupon/5"}, "coupon/5"},
		{"what it says", "woocommerce", "product.deleted", []string{"product/5"}, ""},
		{"both are known", "woocommerce", "product.deleted", []string{"product/5", "order/5"}, ""},
		{"nothing is known", "woocommerce", "product.deleted", nil, ""},
		{"another id is known", "woocommerce", "product.deleted", []string{"order/6", "order/55"}, ""},
		{"customers have ids of their own", "woocommerce", "customer.deleted", []string{"order/5"}, ""},
		{"a customer's id tells nothing", "woocommerce", "product.deleted", []string{"customer/5"}, ""},
		{"no deletion", "woocommerce", "product.updated", []string{"order/5"}, ""},
		{"another platform", "shopify", "product.deleted", []string{"order/5"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &event.Event{Type: test.typ, Platform: test.platform, Subject: "5"}
			got := resource.Mistaken(e, func(key string) bool { return slices.Contains(test.known, key) })
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("the reason is %q", got)
			}
		})
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, subject, want string }{
		{"order.paid", "1", "order/1"},
		{"product.deleted", "1", "product/1"},
		{"refund.created", "1", ""},
		{"inventory.changed", "1", ""},
		{"app.uninstalled", "", ""},
		{"order.paid", "", ""},
		{"custom.order.paid", "1", ""},
	} {
		if got := resource.Key(&event.Event{Type: test.typ, Subject: test.subject}); got != test.want {
			t.Errorf("the resource of %s %s is %q, not %q", test.typ, test.subject, got, test.want)
		}
	}
}
