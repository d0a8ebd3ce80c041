// Package woocommerce is the connector to WooCommerce stores: it verifies their webhooks, translates them to
// events of the common model and carries out the platform's own actions over the REST API, version 3.
//
// Three things about WooCommerce shape all of it:
//
//   - A webhook's body is what the REST API gives at the moment of delivery, not at the moment of the event. So
//     order.created may show a later state, and if the order is gone by then, or the user who owns the webhook
//     lost the right to see it, a correctly signed error stands in its place.
//   - No header is signed and nothing dates a delivery. The delivery id is a hash of the webhook's id and the
//     second, so it repeats: what makes two deliveries the same is only what they say.
//   - PHP code of any plugin may have had its hands on the body: an empty object comes as [], a missing amount
//     as "" or false, a number as text. Types are read loosely, except where a wrong guess would cost money.
package woocommerce

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/shophand/shophand/sdk/safehttp"
)

// platform is the connector's name.
const platform = "woocommerce"

// Config is what a Connector works with. The zero value works.
type Config struct {
	// HTTP reaches the stores; its redirects are not followed. nil: a client of package safehttp.
	HTTP *http.Client
	// Log takes what the actions log; nil: nothing.
	Log *slog.Logger
	// Now and Random go into the signature of requests over plain http; nil: the real ones.
	Now    func() time.Time
	Random io.Reader
}

// Connector connects WooCommerce stores. It is safe for concurrent use.
type Connector struct {
	http   *http.Client
	log    *slog.Logger
	now    func() time.Time
	random io.Reader
	orders turns
}

// New returns a connector.
func New(c Config) *Connector {
	if c.HTTP == nil {
		c.HTTP = safehttp.New(safehttp.Options{AllowPrivate: safehttp.PrivateAllowed()})
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	// A redirected PUT would arrive as a GET, be answered with the unchanged order, and look done.
	client := *c.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Connector{http: &client, log: c.Log, now: c.Now, random: c.Random, orders: turns{waiting: map[string]*turn{}}}
}

// Platform returns "woocommerce".
func (*Connector) Platform() string { return platform }

// ValidShopName checks a name that an operator gives to a store: it stands in the path of its webhooks.
func ValidShopName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`).MatchString(name) {
		return fmt.Errorf("%.80q is not a name for a shop: use 1 to 63 lower case letters, digits, dots, dashes and underscores, starting with a letter or digit", name)
	}
	return nil
}
