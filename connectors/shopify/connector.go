// Package shopify is the connector for Shopify: it checks and translates webhooks, and carries out the
// platform's own actions through the Admin API.
//
// A webhook's headers are not signed, only its body is: what they say (the shop, the topic) is believed because
// the signature shows that the sender holds the shop's secret. Which secret that is, the caller decides by the
// shop's name.
package shopify

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/shophand/shophand/sdk/safehttp"
)

// DefaultAPIVersion is the version of the Admin API that the connector is written for. Shopify releases one a
// quarter and keeps each for at least a year.
const DefaultAPIVersion = "2026-10"

// apiVersion is the form of a version. Another text would have Shopify fall back to a version of its choice.
const apiVersion = `^20\d\d-(01|04|07|10)$`

// Config of a connector. The zero value is good.
type Config struct {
	// APIVersion of the Admin API; "" means DefaultAPIVersion.
	APIVersion string
	// HTTP makes the calls of the Admin API; nil means a client that refuses private addresses. Redirects are
	// not followed whatever it says, because they would take the access token along.
	HTTP *http.Client
	// Log receives what an operator should know; nil discards it.
	Log *slog.Logger
}

// Connector is safe for concurrent use and keeps no state.
type Connector struct {
	version string
	http    *http.Client
	log     *slog.Logger
}

// New returns a connector. It fails if the API version is not of the form YYYY-MM of a release.
func New(c Config) (*Connector, error) {
	if c.APIVersion == "" {
		c.APIVersion = DefaultAPIVersion
	}
	if !regexp.MustCompile(apiVersion).MatchString(c.APIVersion) {
		return nil, fmt.Errorf("shopify API version %q is not the name of a release, such as %s", c.APIVersion, DefaultAPIVersion)
	}
	if c.HTTP == nil {
		c.HTTP = safehttp.New(safehttp.Options{Timeout: 20 * time.Second})
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	client := *c.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Connector{version: c.APIVersion, http: &client, log: c.Log}, nil
}

// Platform returns "shopify".
func (*Connector) Platform() string { return "shopify" }
