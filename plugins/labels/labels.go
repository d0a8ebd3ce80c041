// Package labels is the plugin that quotes shipping rates and buys carrier labels through EasyPost.
//
// Two actions: rates asks what a parcel would cost, buy buys the cheapest or the named service. A label is
// bought once per step, however often the step is tried: its EasyPost shipment carries the step's idempotency
// key as reference, and each attempt looks for that shipment before it creates or buys anything. EasyPost takes
// a shipment's reference in place of its id (https://docs.easypost.com/docs/shipments).
//
// Amounts stay the decimals that EasyPost writes. Of the vendor's Go library, requests and types are used; what
// it does not do safely (shared clients, sizes, errors, choosing a rate by floating point) is told in easypost.go
// and refusal.go.
//
// It ships parcels within a country. EasyPost asks customs papers for others, which this plugin does not write;
// carriers that need none still quote.
package labels

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

const (
	version        = "0.1.0"
	defaultBaseURL = "https://api.easypost.com/v2"
	// timeout of one request: what EasyPost's own library allows, because carriers are asked while it waits.
	timeout = 60 * time.Second
)

// Config is a shop's connection to EasyPost.
type Config struct {
	APIKey      sdk.Secret `json:"api_key" jsonschema:"EasyPost API key; a test key buys labels that cost nothing and ship nothing"`
	BaseURL     string     `json:"base_url,omitempty" jsonschema:"address of the API, for a stand-in; default https://api.easypost.com/v2"`
	From        Address    `json:"from,omitzero" jsonschema:"the sender where a step names none"`
	LabelFormat string     `json:"label_format,omitempty" jsonschema:"file format of the labels; default as EasyPost's account says, else PNG"`
}

// JSONSchema names the label formats that every EasyPost carrier can make.
func (Config) JSONSchema(s *jsonschema.Schema) {
	s.Properties["label_format"].Enum = []any{"PNG", "PDF", "ZPL", "EPL2"}
}

// New returns the plugin with the process's one HTTP client.
func New() *sdk.Plugin[Config] {
	return NewWithClient(safehttp.New(safehttp.Options{AllowPrivate: safehttp.PrivateAllowed(), Timeout: timeout}))
}

// NewWithClient returns the plugin with a client of the caller's, which it shares between all requests and never
// changes. Redirects are not followed, whatever the client says.
func NewWithClient(client *http.Client) *sdk.Plugin[Config] {
	s := &service{client: client}
	p := sdk.New[Config](sdk.Info{Name: "labels", Version: version, Summary: "Quotes shipping rates and buys carrier labels through EasyPost."})
	p.OnConfigure(func(_ context.Context, c Config) error { return c.check() })
	sdk.AddAction(p, "rates", "Asks what carriers charge for a parcel.", s.rates, sdk.Idempotent(), ratesExample())
	sdk.AddAction(p, "buy", "Buys the cheapest or the named label for a parcel.", s.buy, sdk.Verifying(), sdk.MovesMoney(), buyExample())
	return p
}

// service carries the actions out. It holds nothing of a shop.
type service struct{ client *http.Client }

// check tells what is wrong with a configuration, without asking EasyPost.
func (c Config) check() error {
	if key := c.APIKey.Reveal(); key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return invalid(errors.New("api_key is not an EasyPost API key: it is empty or has blanks, colons or other signs in it"))
	}
	if _, err := c.endpoint(); err != nil {
		return err
	}
	if !c.From.empty() {
		return c.From.check("from")
	}
	return nil
}

// endpoint returns the address of the API with the slash at its end that the library needs. The key goes with
// every request, so that plain http is for this machine only.
func (c Config) endpoint() (*url.URL, error) {
	base := c.BaseURL
	if base == "" {
		base = defaultBaseURL
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, invalid(errors.New("base_url is not an address"))
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, invalid(errors.New("base_url must be like https://host/path"))
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, invalid(fmt.Errorf("base_url must be https, because the API key travels with each request; it is %s", u.Scheme))
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/") + "/"}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// invalid marks what only a change of the input or the connection can mend.
func invalid(err error) error { return sdk.Permanent(sdk.Fail(wire.InvalidInput, err)) }
