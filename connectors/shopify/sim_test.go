package shopify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/connectortest"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

const (
	token  = "shpat_right"
	secret = "webhook-secret"
)

// newShop is a simulated shop at a fixed time with one order, bought in another currency, sent and partly
// refunded.
func newShop(t testing.TB) (*shopifysim.Sim, int64) {
	t.Helper()
	now, n := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC), 0
	sim, err := shopifysim.New(shopifysim.Config{
		Shop: shop, Token: token, Secret: secret, Now: func() time.Time { return now },
		NewID: func() string { n++; return fmt.Sprintf("id-%d", n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	tea := shopifysim.Line{ProductID: 51, VariantID: 61, Title: "Tea", SKU: "T-1", Quantity: 3, Price: commerce.MustDecimal("5.50"), Grams: 100}
	refunded := tea
	refunded.Quantity = 1
	order := sim.AddOrder(shopifysim.Order{
		Customer: &shopifysim.Customer{ID: 5, FirstName: "Ole", LastName: "Berg", Email: "ole@example.com", Address: &shopifysim.Address{City: "Bergen", CountryCode: "NO"}},
		Address:  &shopifysim.Address{FirstName: "Ole", LastName: "Berg", City: "Bergen", Country: "Norway", CountryCode: "NO"},
		Lines:    []shopifysim.Line{tea, {Title: "Wrapping", Quantity: 1, Price: commerce.MustDecimal("2")}},
		Shipping: commerce.MustDecimal("4.90"), DiscountCode: "TEA", Discount: commerce.MustDecimal("1.50"), Tags: []string{"first", "Gift"},
		FulfillmentStatus: "fulfilled", FinancialStatus: "partially_refunded", Attributes: map[string]string{"gift": "yes"},
		Fulfillments: []shopifysim.Fulfillment{{ID: 81, TrackingCompany: "Posten", TrackingNumber: "P1", TrackingURL: "https://track.example.com/P1", CreatedAt: now}},
		Refunds:      []shopifysim.Refund{{ID: 82, Amount: commerce.MustDecimal("5.50"), Note: "stale", Restock: true, Lines: []shopifysim.Line{refunded}, CreatedAt: now}},
		Presentment:  shopifysim.Presentment{Currency: "NOK", Rate: commerce.MustDecimal("11.5")},
	})
	return sim, order
}

// What the simulator sends is translated to what it was told.
func TestSimulatedWebhooks(t *testing.T) {
	t.Parallel()
	c := newConnector(t)
	sim, id := newShop(t)
	body, err := sim.OrderBody(id)
	if err != nil {
		t.Fatal(err)
	}
	d := sim.Delivery("orders/updated", body)
	events, err := connectortest.Translate(t, c, event.Delivery{Platform: "shopify", Shop: shop, Header: c.KeepHeaders(d.Header), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	o := events[0].Data.Order
	for what, pair := range map[string][2]string{
		"total":             {o.Total.String(), "21.90"},
		"subtotal":          {o.Subtotal.String(), "17.00"},
		"shipping":          {o.TotalShipping.String(), "4.90"},
		"discounts":         {o.TotalDiscounts.String(), "1.50"},
		"refunded":          {o.TotalRefunded.String(), "5.50"},
		"presentment":       {o.PresentmentTotal.String() + " " + o.PresentmentCurrency, "251.85 NOK"},
		"first line":        {o.LineItems[0].Total.String(), "15.00"},
		"custom line":       {o.LineItems[1].ProductID, ""},
		"fulfillment":       {o.FulfillmentStatus + " " + o.Fulfillments[0].TrackingNumbers[0], "fulfilled P1"},
		"fulfilled at":      {o.FulfilledAt.String(), "2026-03-14 09:00:00 +0000 UTC"},
		"customer":          {o.Customer.ID + " " + o.Customer.DefaultAddress.Country, "5 NO"},
		"event id":          {d.Header.Get("X-Shopify-Event-Id"), "id-2"},
		"time of the event": {events[0].Time.String(), "2026-03-14 09:00:00 +0000 UTC"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %s, want %s", what, pair[0], pair[1])
		}
	}
	for name, body := range simulated(t) {
		d := sim.Delivery(topicOf(t, name), body)
		if name == "fulfillment_events_create" {
			d.Header.Set("X-Shopify-Topic", "fulfillment_events/create")
		}
		if _, err := connectortest.Translate(t, c, event.Delivery{Platform: "shopify", Shop: shop, Header: c.KeepHeaders(d.Header), Body: body}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
