package woocommerce

import (
	"fmt"
	"strings"
)

// Unsupported is the error of a delivery whose topic has no event in Shophand.
type Unsupported struct {
	Topic string
	// Why says what is missing, and which topic to use instead; "" where nothing is known of the topic.
	Why string
}

// Error names the topic and the reason.
func (u *Unsupported) Error() string {
	said := fmt.Sprintf("woocommerce topic %s has no event in Shophand", clip(u.Topic, 100))
	if u.Why == "" {
		return said
	}
	return said + ": " + u.Why
}

// unsupported says why a topic cannot be translated. The topics action.* hold the first argument of a WordPress
// hook: at best the id of an order, and nothing of the order itself. An event with an order of which nothing is
// known would spoil what we know of it, so none is made; the same things follow from the topics of resources.
func unsupported(topic string, body []byte) *Unsupported {
	hook, ok := strings.CutPrefix(topic, "action.")
	if !ok {
		return &Unsupported{Topic: topic}
	}
	hook = strings.TrimPrefix(hook, "woocommerce_")
	switch {
	case hook == "low_stock", hook == "no_stock", hook == "product_on_backorder", strings.HasSuffix(hook, "_set_stock"):
		return &Unsupported{topic, "WooCommerce does not say which product it is about; use product.updated, from which inventory.changed, low and out_of_stock follow"}
	case strings.HasPrefix(hook, "updated_product_"):
		return &Unsupported{topic, "it holds the id of a product and nothing of its stock; use product.updated, from which inventory.changed follows"}
	case strings.HasPrefix(hook, "order_"), strings.HasPrefix(hook, "payment_"), strings.HasPrefix(hook, "new_order"):
		about := "an order"
		if action, ok := decode[struct {
			Arg loose `json:"arg"`
		}](body); ok && action.Arg.id() != "" {
			about = "order " + action.Arg.id()
		}
		return &Unsupported{topic, "it holds the id of " + about + " and nothing else of it; use order.created and order.updated, from which order.paid, fulfilled, cancelled and refunded follow"}
	}
	return &Unsupported{Topic: topic}
}
