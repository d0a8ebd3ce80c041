package ingest

import (
	"net/http"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
)

// Connector is what the intake needs of a platform. Its methods are pure and safe for concurrent use.
type Connector interface {
	// Platform is the connector's name, "shopify".
	Platform() string
	// Verify tells whether one of the secrets signed the body. Empty secrets count for nothing.
	Verify(h http.Header, body []byte, secrets []sdk.Secret) error
	// KeepHeaders returns the headers that belong to the delivery, by canonical name; no secret is among them.
	KeepHeaders(h http.Header) map[string]string
	// Translate says which events a delivery tells of; none means that it is understood and starts nothing.
	Translate(d event.Delivery) ([]event.Event, error)
}

// ShopifyConnector also reads the shop's name from a request, whose path does not tell it.
type ShopifyConnector interface {
	Connector
	// ShopName returns the shop that the headers name; a missing or malformed name is an error.
	ShopName(h http.Header) (string, error)
}

// WooCommerceConnector also knows the unsigned request by which WooCommerce tries a new webhook.
type WooCommerceConnector interface {
	Connector
	IsPing(h http.Header, body []byte) bool
}

// Shop is what the intake knows of a shop.
type Shop struct {
	Name     string
	Platform string
	// WebhookSecrets check its webhooks, any of them; several while they are being replaced.
	WebhookSecrets []sdk.Secret
}

// Shops finds a shop by its name. It answers from memory and is safe for concurrent use.
type Shops interface {
	Shop(name string) (Shop, bool)
}
