// Package klaviyo is the plugin that tells Klaviyo what happens in a shop: it records events on profiles, by
// which Klaviyo's own flows and segments work, and keeps profiles up to date.
//
// It speaks revision 2026-07-15 of Klaviyo's API (https://developers.klaviyo.com). An event carries the step's
// idempotency key as its unique_id, of which Klaviyo records the first for the same profile and metric; writing
// a profile twice is the same as once. The plugin keeps no data of its own.
//
// Consent is Klaviyo's: neither action subscribes anybody to anything.
package klaviyo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

const (
	version = "0.1.0"
	// defaultBaseURL is the server of Klaviyo's published contract.
	defaultBaseURL = "https://a.klaviyo.com"
)

// Config is a shop's account with Klaviyo.
type Config struct {
	APIKey  sdk.Secret `json:"api_key" jsonschema:"private API key, starts with pk_; it needs the scopes events:write and profiles:write"`
	BaseURL string     `json:"base_url,omitempty" jsonschema:"address of the API where it is not https://a.klaviyo.com"`
}

// New returns the plugin. All that it calls goes through one HTTP client, which reaches private addresses only
// if the operator allows that.
func New() *sdk.Plugin[Config] {
	return NewWithClient(safehttp.New(safehttp.Options{AllowPrivate: safehttp.PrivateAllowed()}))
}

// NewWithClient is New with the caller's own HTTP client. Redirects are not followed, whatever the client says:
// a request of ours holds a key and personal data, which go nowhere but to the configured address.
func NewWithClient(c *http.Client) *sdk.Plugin[Config] {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	api := &client{http: &own}

	p := sdk.New[Config](sdk.Info{
		Name: "klaviyo", Version: version, Summary: "Records events and keeps profiles in Klaviyo.",
	})
	p.OnConfigure(func(_ context.Context, c Config) error {
		_, err := c.endpoint()
		return err
	})
	sdk.AddAction(p, "create_event", "Records an event on a profile, which is created where there is none.",
		api.createEvent, append(eventExamples(), sdk.Keyed())...)
	sdk.AddAction(p, "upsert_profile", "Creates or updates a profile.",
		api.upsertProfile, append(profileExamples(), sdk.Idempotent())...)
	return p
}

// privateKey is the form of a private key. A public key (the account's id) is six characters without prefix.
var privateKey = regexp.MustCompile(`^pk_[A-Za-z0-9_-]{1,200}$`)

// endpoint checks the configuration and returns the address that paths are appended to. Its errors never show
// the key.
func (c Config) endpoint() (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", sdk.Permanent(sdk.Fail(wire.InvalidInput, fmt.Errorf(format, args...)))
	}
	key := c.APIKey.Reveal()
	switch {
	case key == "":
		return refuse("api_key is empty; create a private key in Klaviyo under Settings, API keys")
	case strings.TrimSpace(key) != key:
		return refuse("api_key has spaces around it")
	case !privateKey.MatchString(key):
		return refuse("api_key is not a private key: those start with pk_ and hold letters and digits; the public key of six characters does not work here")
	}
	if c.BaseURL == "" {
		return defaultBaseURL, nil
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return refuse("base_url is not an address: %w", withoutURL(err))
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return refuse("base_url %q is not an address like %s", u.Redacted(), defaultBaseURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return refuse("base_url %q may hold a host and a path only", u.Redacted())
	case u.Scheme == "http" && !local(u.Hostname()):
		return refuse("base_url %q would send the key unencrypted; use https", u.Redacted())
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// local tells whether a host is this machine or of its own network, as far as its name says: an address that is
// not public, or a name without a dot.
func local(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return !safehttp.Public(a)
	}
	return !strings.Contains(host, ".")
}

// withoutURL takes the address off an error of net/url and net/http, so that a message says it once or not at
// all: an address may hold a password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
