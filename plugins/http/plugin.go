// Package http is a plugin with one action, http/request: it sends an HTTP request to an address of the flow's
// author and returns what the server answered.
//
// Every request carries the step's idempotency key, so that a server which knows the header
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/) does a repeated one once.
//
// The address is not ours, and neither is the server: private and loopback addresses are refused, at each
// redirect again; a redirect never turns a POST into a GET; what a server sends is bounded; and no error
// shows a query string, the value of a header, or what the server wrote.
package http

import (
	"context"
	"net/http"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
)

// Options of the plugin. The zero value is strict.
type Options struct {
	// AllowPrivate lets requests reach private and loopback addresses.
	AllowPrivate bool
	// Now is the clock by which a Retry-After with a date is read where the server sends no Date; nil means
	// time.Now.
	Now func() time.Time
}

// New returns the plugin as the operator's environment asks for it, see [safehttp.PrivateAllowed].
func New() *sdk.Plugin[Config] {
	return NewWith(Options{AllowPrivate: safehttp.PrivateAllowed()})
}

// NewWith returns the plugin with options.
func NewWith(o Options) *sdk.Plugin[Config] {
	if o.Now == nil {
		o.Now = time.Now
	}
	// Only the transport is used: a client would follow redirects by rules that are not ours.
	return newPlugin(&sender{
		transport: safehttp.New(safehttp.Options{AllowPrivate: o.AllowPrivate, Timeout: maxTimeout}).Transport,
		now:       o.Now,
	})
}

func newPlugin(s *sender) *sdk.Plugin[Config] {
	p := sdk.New[Config](sdk.Info{Name: "http", Version: "0.1.0", Summary: "Sends HTTP requests."})
	p.OnConfigure(func(_ context.Context, c Config) error {
		_, err := newConnection(c)
		return err
	})
	sdk.AddAction(p, "request", "Sends an HTTP request and returns the answer.", s.request, sdk.Keyed(),
		sdk.WithExample("Tell another system of an order",
			RequestInput{Method: http.MethodPost, URL: "https://erp.example.com/orders", JSON: []byte(`{"id":"5001","total":"150.00"}`)},
			RequestOutput{Status: 201, Headers: map[string]string{"content-type": "application/json"}, JSON: []byte(`{"number":77}`), Body: `{"number":77}`}),
		sdk.WithExample("Look something up that may be absent",
			RequestInput{URL: "https://erp.example.com/customers/1001", Headers: map[string]string{"Accept": "application/json"}, Accept: []int{404}},
			RequestOutput{Status: 404, Headers: map[string]string{"content-type": "text/plain"}, JSON: []byte(`null`), Body: "no such customer"}))
	return p
}
