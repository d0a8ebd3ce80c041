// Package resource keeps the last-known state of a shop's resources, small, and tells from it what an event
// means: whether it is older than what is known, and which transitions it shows that the platform has not
// sent an event for. It is pure; the engine stores the states.
package resource

import (
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// State is what is remembered of one resource.
type State struct {
	// Version is the platform's time of the newest state seen.
	Version time.Time `json:"version,omitzero"`
	// Restores counts how often the resource came back after a deletion.
	Restores int `json:"restores,omitempty"`
	// Deleted is set from a deletion until the next restore.
	Deleted bool `json:"deleted,omitempty"`
	// Transitions of an order that have happened, whoever told.
	Paid      bool `json:"paid,omitempty"`
	Fulfilled bool `json:"fulfilled,omitempty"`
	Cancelled bool `json:"cancelled,omitempty"`
	// Order is set once the order's transitions have been looked at.
	Order bool `json:"order,omitempty"`
}

// Key names the resource that an event is about: "order/1001". It is "" for events about none.
func Key(e *event.Event) string {
	kind, _, _ := strings.Cut(e.Type, ".")
	if e.Subject == "" {
		return ""
	}
	switch kind {
	case "order", "customer", "product", "checkout", "cart", "coupon", "fulfillment", "return":
		return kind + "/" + e.Subject
	}
	return ""
}

// Restore counts the return of a deleted resource, and tells whether there was one. It comes before the question
// whether the event is a repeated one: a platform tells of a restore as an update, which may show the very state
// that an earlier update showed, and yet the next deletion is a new one.
func Restore(s State, e *event.Event) (State, bool) {
	if !s.Deleted || !strings.HasSuffix(e.Topic, ".restored") {
		return s, false
	}
	s.Deleted = false
	s.Restores++
	return s, true
}

// update tells whether a type of event may be superseded.
func update(typ string) bool {
	t, ok := event.Find(typ)
	return ok && t.Update
}

func deletion(e *event.Event) bool { return strings.HasSuffix(e.Type, ".deleted") }

// Verdict is what the last-known state says of an event.
type Verdict struct {
	// Superseded: the event tells of a state older than the one known. Only updates are.
	Superseded bool
	Reason     string
	// Derived are events that the platform has not sent (or not yet), without ID. What the platform sent, their
	// Raw, is that of the event that showed them. A superseded update has
	// them too: what it shows did happen.
	Derived []event.Event
}

// Apply returns the state after an event and what the event means. known is false where the resource has not
// been seen before. since is when the shop was connected: a transition of a resource that is seen for the
// first time is derived only if it happened after that, so that orders from before never start anything.
func Apply(s State, known bool, e *event.Event, since time.Time) (State, Verdict) {
	var v Verdict
	at := version(e)
	if known && !at.IsZero() && at.Before(s.Version) && update(e.Type) {
		v.Superseded = true
		v.Reason = "a newer state of it was received before: " + s.Version.UTC().Format(time.RFC3339)
	}
	if at.After(s.Version) {
		s.Version = at
	}
	if deletion(e) {
		s.Deleted = true
	}
	if o := e.Data.Order; o != nil && o.Exists && strings.HasPrefix(e.Type, "order.") {
		s, v.Derived = orderTransitions(s, e, o, since)
	}
	return s, v
}

// version is the platform's time of the state that an event shows.
func version(e *event.Event) time.Time {
	d := e.Data
	var at *time.Time
	switch {
	case d.Order != nil && !d.Order.UpdatedAt.IsZero():
		return d.Order.UpdatedAt
	case d.Customer != nil:
		at = d.Customer.UpdatedAt
	case d.Product != nil:
		at = d.Product.UpdatedAt
	case d.Checkout != nil:
		at = d.Checkout.UpdatedAt
	case d.Fulfillment != nil:
		at = d.Fulfillment.UpdatedAt
	case d.Coupon != nil:
		at = d.Coupon.UpdatedAt
	}
	if at == nil {
		return time.Time{}
	}
	return *at
}

func orderTransitions(s State, e *event.Event, o *commerce.Order, since time.Time) (State, []event.Event) {
	first := !s.Order
	s.Order = true
	var derived []event.Event
	look := func(seen *bool, typ string, happened bool, at *time.Time) {
		if e.Type == typ {
			*seen = true
			return
		}
		if !happened || *seen {
			return
		}
		*seen = true
		if first && !fresh(e, o, at, since) {
			return
		}
		derived = append(derived, derive(e, typ, at))
	}
	look(&s.Paid, "order.paid", paid(o), o.PaidAt)
	look(&s.Cancelled, "order.cancelled", o.Cancelled, o.CancelledAt)
	look(&s.Fulfilled, "order.fulfilled", o.FulfillmentStatus == commerce.FulfillmentFulfilled, o.FulfilledAt)
	return s, derived
}

// paid tells whether an order has been paid in full at some time.
func paid(o *commerce.Order) bool {
	switch o.FinancialStatus {
	case commerce.FinancialPaid, commerce.FinancialPartiallyRefunded, commerce.FinancialRefunded:
		return true
	}
	return false
}

// fresh tells whether a transition that an order shows at first sight is one that the shop's flows should
// see: the order, or the transition itself, is younger than the connection to the shop.
func fresh(e *event.Event, o *commerce.Order, at *time.Time, since time.Time) bool {
	if e.Type == "order.created" {
		return true
	}
	if at != nil {
		return !at.Before(since)
	}
	return !o.CreatedAt.IsZero() && !o.CreatedAt.Before(since)
}

func derive(e *event.Event, typ string, at *time.Time) event.Event {
	d := *e
	d.ID, d.Type = "", typ
	d.Identity = event.Once(typ, e.Subject)
	if at != nil {
		d.Time = at.UTC()
	}
	return d
}
