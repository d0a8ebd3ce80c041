// Package event holds what happened in a shop, in the words that every platform shares, and the webhook
// delivery by which we heard of it.
package event

import (
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Event is one thing that happened. Its attributes are those of CloudEvents 1.0 (id, source, type, subject,
// time, data); the rest are extensions. An Event is not changed after it was made.
type Event struct {
	// ID is unique in a host and sorts by the time of acceptance. The host gives it; connectors leave it "".
	ID string `json:"id"`
	// Source is where it happened: platform and shop, "shopify/example.myshopify.com".
	Source string `json:"source"`
	// Type is one of Types, or starts with "custom." or a plugin's name.
	Type string `json:"type"`
	// Subject is the platform's id of the resource that the event is about, "" where there is none.
	Subject string `json:"subject"`
	// Time is when it happened, by the platform's clock; else when it was received.
	Time time.Time `json:"time"`
	// Shop is the name of the shop.
	Shop string `json:"shop"`
	// Platform is the connector's name: "shopify", "woocommerce".
	Platform string `json:"platform"`
	// Topic is the platform's own name for what happened: "orders/create", "order.restored".
	Topic string `json:"topic"`
	// Identity says which events are the same one, see the functions that make it. Never "".
	Identity Identity `json:"identity"`
	// Data holds the objects of the common model that the event carries.
	Data commerce.Data `json:"data"`
	// Raw is what the platform sent, byte for byte; of a derived event, what the event was told from.
	Raw []byte `json:"raw,omitempty"`
	// RawKind says what Raw is: "webhook", "rest" or "graphql".
	RawKind string `json:"raw_kind,omitempty"`
}

// Delivery is one webhook request as it was received, its signature right. Connectors translate it.
type Delivery struct {
	Platform string `json:"platform"`
	Shop     string `json:"shop"`
	// Header holds the headers that the platform's connector asked to keep, by canonical name.
	Header     map[string]string `json:"header"`
	Body       []byte            `json:"body"`
	ReceivedAt time.Time         `json:"received_at"`
}
