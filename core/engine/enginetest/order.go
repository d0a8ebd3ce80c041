package enginetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

func platformOf(shop string) string {
	if strings.HasSuffix(shop, ".myshopify.com") {
		return "shopify"
	}
	return "woocommerce"
}

// Order returns an event of an order as a connector makes it, of an order that was placed and changed at a
// time; change, where not nil, changes the order first. Types are those of orders: "order.created".
func Order(shop, typ, id string, at time.Time, change func(*commerce.Order)) event.Event {
	order := commerce.Order{
		Exists: true, ID: id, Name: "#" + id, Number: id, Currency: "EUR", Total: commerce.MustDecimal("150.00"),
		FinancialStatus: commerce.FinancialPending, FulfillmentStatus: commerce.FulfillmentUnfulfilled,
		Customer: commerce.Customer{Exists: true, ID: "7", Email: "ana@example.com", Tags: []string{"vip"}}, CreatedAt: at, UpdatedAt: at,
	}
	if change != nil {
		change(&order)
	}
	return orderEvent(shop, typ, order, at)
}

func orderEvent(shop, typ string, order commerce.Order, at time.Time) event.Event {
	raw, err := json.Marshal(order)
	if err != nil { // an order holds nothing that JSON cannot
		panic(err)
	}
	e := event.Event{
		Source: platformOf(shop) + "/" + shop, Type: typ, Subject: order.ID, Time: at, Shop: shop, Platform: platformOf(shop),
		Topic: typ, Identity: event.Once(typ, order.ID), Data: commerce.Data{Order: &order}, Raw: raw, RawKind: "webhook",
	}
	switch typ {
	case "order.updated":
		e.Identity = event.Version(typ, order.ID, order.UpdatedAt.Format(time.RFC3339), e.Data)
	case "order.deleted":
		e.Identity = event.Deleted(typ, order.ID)
	}
	return e
}

// Lines gives an order n lines; one in three has two pieces.
func Lines(n int) func(*commerce.Order) {
	return func(o *commerce.Order) {
		for i := range n {
			o.LineItems = append(o.LineItems, commerce.LineItem{
				ID: string(rune('a'+i%26)) + "-line", Title: "Tea", Quantity: 1 + int64(i%3)/2, Price: commerce.MustDecimal("5.00"),
			})
		}
	}
}

// Paid makes an order paid.
func Paid(o *commerce.Order) { o.FinancialStatus = commerce.FinancialPaid }

// Total gives an order a total.
func Total(text string) func(*commerce.Order) {
	return func(o *commerce.Order) { o.Total = commerce.MustDecimal(text) }
}
