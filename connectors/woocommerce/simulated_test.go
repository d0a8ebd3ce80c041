package woocommerce_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// receiver answers a store's requests as the host does, and keeps what came of them.
type receiver struct {
	t *testing.T
	c *woocommerce.Connector

	mu          sync.Mutex
	pings       int
	events      []event.Event
	deliveryIDs []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	if r.c.IsPing(req.Header, body) {
		r.pings++
		return
	}
	if err := r.c.Verify(req.Header, body, []sdk.Secret{"hook"}); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	kept := r.c.KeepHeaders(req.Header)
	events, err := r.c.Translate(event.Delivery{Platform: "woocommerce", Shop: "tea", Header: kept, Body: body, ReceivedAt: now()})
	if err != nil {
		r.t.Error(err)
	}
	r.events = append(r.events, events...)
	r.deliveryIDs = append(r.deliveryIDs, kept["X-Wc-Webhook-Delivery-Id"])
}

// An order's life in the simulator, as the connector understands it.
func TestSimulatedOrder(t *testing.T) {
	t.Parallel()
	r := &receiver{t: t, c: woocommerce.New(woocommerce.Config{})}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	clock := now()
	s := woosim.New(woosim.Config{WebhookSecret: "hook", Now: func() time.Time { return clock }, Zone: time.FixedZone("", 3600)})
	ctx := t.Context()
	tick := func() { clock = clock.Add(time.Second) }

	if status, err := s.Ping(ctx, server.URL); err != nil || status != http.StatusOK || r.pings != 1 {
		t.Fatalf("ping: %d, %v, %d seen", status, err, r.pings)
	}
	order := simulated()["full"]
	order.Status = "pending"
	id, err := s.Place(ctx, server.URL, order)
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"processing", "completed"} {
		tick()
		if err := s.Change(ctx, server.URL, id, status); err != nil {
			t.Fatal(err)
		}
	}
	tick()
	if err := s.Refund(id, commerce.MustDecimal("5"), "broken"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second one is the same event
		if status, err := s.Deliver(ctx, server.URL, "order.updated", s.Payload(id)); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	tick()
	if err := s.Trash(ctx, server.URL, id); err != nil {
		t.Fatal(err)
	}
	tick()
	if err := s.Restore(ctx, server.URL, id); err != nil {
		t.Fatal(err)
	}
	if status, err := s.Forge(ctx, server.URL, "order.updated", s.Payload(id)); err != nil || status != http.StatusUnauthorized {
		t.Errorf("forged: %d, %v", status, err)
	}

	var got []string
	identities := map[event.Identity]int{}
	for _, e := range r.events {
		o := e.Data.Order
		got = append(got, strings.TrimSpace(e.Topic+" "+o.FinancialStatus+" "+o.FulfillmentStatus))
		identities[e.Identity]++
	}
	want := []string{
		"order.created pending unfulfilled", "order.updated pending unfulfilled", "order.updated paid unfulfilled",
		"order.updated paid fulfilled", "order.updated partially_refunded fulfilled", "order.updated partially_refunded fulfilled",
		"order.deleted", "order.restored partially_refunded fulfilled",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(identities) != len(want)-1 {
		t.Errorf("%d identities of %d deliveries, one of them doubled: %v", len(identities), len(want), identities)
	}
	o := r.events[4].Data.Order
	// 26.00-3.90 + 19.90-2.98 + 2.50 + 4.90 = 46.42, and 19 % of each on top: 4.20 + 3.21 + 0.48 + 0.93
	if o.Total.String() != "55.24" || o.TotalTax.String() != "8.82" || o.TotalDiscounts.String() != "6.88" || o.TotalRefunded.String() != "5.00" {
		t.Errorf("total %s, tax %s, discounts %s, refunded %s", o.Total, o.TotalTax, o.TotalDiscounts, o.TotalRefunded)
	}
	if len(o.LineItems) != 2 || o.LineItems[0].Price.String() != "13.00" || o.LineItems[1].Title != "T-Shirt" || o.LineItems[1].VariantTitle != "S, red" {
		t.Errorf("%+v", o.LineItems)
	}
	if r.deliveryIDs[4] != r.deliveryIDs[5] || r.deliveryIDs[0] == r.deliveryIDs[1] {
		t.Errorf("delivery ids are by webhook and second: %v", r.deliveryIDs)
	}
	s.Remove(id)
	if _, err := translate(t, "order.updated", s.Payload(id)); err == nil || !strings.Contains(err.Error(), "Invalid ID.") {
		t.Errorf("an order that is gone: %v", err)
	}
}
