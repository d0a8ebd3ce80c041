package shopify

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// knownTopics lists every topic of Shopify's webhook catalogue, one a line.
//
//go:embed topics.txt
var knownTopics string

// translate finds the translation of the topic.
func (m message) translate() (event.Event, error) {
	switch m.topic {
	case "orders/create":
		return m.order("order.created")
	case "orders/updated":
		return m.order("order.updated")
	case "orders/paid":
		return m.order("order.paid")
	case "orders/fulfilled":
		return m.order("order.fulfilled")
	case "orders/partially_fulfilled":
		return m.order("order.partially_fulfilled")
	case "orders/cancelled":
		return m.order("order.cancelled")
	case "orders/delete":
		return m.deleted("order.deleted")
	case "orders/risk_assessment_changed":
		return m.risk()
	case "refunds/create":
		return m.refund()
	case "fulfillments/create":
		return m.fulfillment("fulfillment.created")
	case "fulfillments/update":
		return m.fulfillment("fulfillment.updated")
	case "fulfillment_events/create":
		return m.shipment()
	case "checkouts/create":
		return m.checkout("checkout.created")
	case "checkouts/update":
		return m.checkout("checkout.updated")
	case "carts/create", "carts/update":
		return m.checkout("cart.updated")
	case "customers/create":
		return m.customer("customer.created")
	case "customers/update", "customers/enable", "customers/disable":
		return m.customer("customer.updated")
	case "customers/delete":
		return m.deleted("customer.deleted")
	case "products/create":
		return m.product("product.created")
	case "products/update":
		return m.product("product.updated")
	case "products/delete":
		return m.deleted("product.deleted")
	case "inventory_levels/update", "inventory_levels/connect", "inventory_levels/disconnect":
		return m.inventoryLevel()
	case "variants/in_stock":
		return m.variantStock("inventory.back_in_stock")
	case "variants/out_of_stock":
		return m.variantStock("inventory.out_of_stock")
	case "returns/request":
		return m.returned("return.requested")
	case "returns/approve":
		return m.returned("return.approved")
	case "returns/decline":
		return m.returned("return.declined")
	case "returns/close":
		return m.returned("return.closed")
	case "disputes/create":
		return m.dispute()
	case "discounts/create":
		return m.coupon("coupon.created")
	case "discounts/update":
		return m.coupon("coupon.updated")
	case "discounts/delete":
		return m.deleted("coupon.deleted")
	case "app/uninstalled":
		return m.uninstalled()
	}
	return event.Event{}, m.noEvent()
}

// uninstalled translates the webhook that Shopify sends when a shop removed the app; its body is the shop.
func (m message) uninstalled() (event.Event, error) {
	const typ = "app.uninstalled"
	var w idJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	return m.event(typ, "", event.Delivered(typ, m.occurrence()), commerce.Data{}), nil
}

// noEvent is the reason for a topic that is not translated.
func (m message) noEvent() error {
	switch m.topic {
	case "orders/edited":
		return &Unsupported{m.topic, "it holds the edit and not the order; orders/updated, which comes too, is order.updated"}
	case "order_transactions/create", "tender_transactions/create":
		return &Unsupported{m.topic, "payments are told by orders/paid, and money given back by refunds/create"}
	case "customers_marketing_consent/update", "customers_email_marketing_consent/update", "customers/purchasing_summary",
		"customer.tags_added", "customer.tags_removed", "returns/update":
		return &Unsupported{m.topic, "it holds a part of what changed, which would pass for the whole"}
	}
	for known := range strings.Lines(knownTopics) {
		if strings.TrimSuffix(known, "\n") == m.topic {
			return &Unsupported{Topic: m.topic}
		}
	}
	return fmt.Errorf("shopify has no topic %s that Shophand knows", quoted(m.topic))
}

// quoted quotes text of a stranger's, cut short.
func quoted(s string) string { return fmt.Sprintf("%.80q", s) }
