package woocommerce

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
)

// Access is how to reach a store: its address and a key of its REST API with the permissions read and write.
type Access struct {
	URL    string     `json:"url" jsonschema:"address of the store, as in WordPress's settings: https://shop.example.com"`
	Key    sdk.Secret `json:"key" jsonschema:"consumer key of the REST API, ck_…"`
	Secret sdk.Secret `json:"secret" jsonschema:"consumer secret of the REST API, cs_…"`
}

// base returns the store's address. Plain http is for stores on the same machine or network: the requests would
// be signed, but orders and their buyers would travel readable.
func (a Access) base() (*url.URL, error) {
	if a.Key == "" || a.Secret == "" {
		return nil, errors.New("the store's REST API key or secret is missing; make one in WooCommerce under Settings, Advanced, REST API")
	}
	u, err := url.Parse(strings.TrimSpace(a.URL))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is not the address of a store; write it like https://shop.example.com", clip(a.URL, 80))
	}
	if u.Scheme == "http" && !private(u.Hostname()) {
		return nil, fmt.Errorf("the store's address %s uses plain http, over which anybody on the way can read its orders; use https", u.Redacted())
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/", ""
	return u, nil
}

// private tells whether a host can only be one of this machine or network.
func private(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !safehttp.Public(ip)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true // "localhost", or a name that only a local resolver knows
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".test"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
