// Package safehttp makes HTTP clients for addresses that somebody else wrote: they refuse to connect to
// private, loopback and other special addresses, whatever name or redirect led there.
package safehttp

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// ErrPrivateAddress is in the chain of the error of a request that would have reached a private address.
var ErrPrivateAddress = errors.New("private and loopback addresses are refused; set SHOPHAND_ALLOW_PRIVATE_HTTP=1 to allow them")

// Options of a client. The zero value is strict and has sensible limits.
type Options struct {
	// AllowPrivate lets the client reach private and loopback addresses.
	AllowPrivate bool
	// Timeout of a whole request with its redirects; 0 means 30 seconds.
	Timeout time.Duration
	// MaxRedirects followed; 0 means 5, -1 none (the redirect itself is the response).
	MaxRedirects int
	// MaxConnsPerHost bounds the connections to one host; 0 means no bound.
	MaxConnsPerHost int
}

// PrivateAllowed tells whether the operator lets outbound calls reach private addresses, by the environment
// variable SHOPHAND_ALLOW_PRIVATE_HTTP=1, which the host hands on to its plugins.
func PrivateAllowed() bool { return os.Getenv("SHOPHAND_ALLOW_PRIVATE_HTTP") == "1" }

// New returns a client. The address is checked when the connection is made, after name resolution, so that
// neither a redirect nor a name that changes its address gets around it. Proxies are not used: the check
// would only see the proxy.
func New(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 5
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !o.AllowPrivate {
		dialer.Control = refusePrivate
	}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  o.Timeout,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConns:           256,
			MaxIdleConnsPerHost:    64,
			MaxConnsPerHost:        o.MaxConnsPerHost,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if o.MaxRedirects < 0 {
				return http.ErrUseLastResponse
			}
			if len(via) > o.MaxRedirects {
				return fmt.Errorf("stopped after %d redirects", o.MaxRedirects)
			}
			if s := req.URL.Scheme; s != "http" && s != "https" {
				return fmt.Errorf("redirect to the scheme %q refused", s)
			}
			return nil
		},
	}
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: cannot tell what %q is", ErrPrivateAddress, address)
	}
	if !Public(ap.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, ap.Addr())
	}
	return nil
}

// Public tells whether an address is one of the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// special lists the ranges of the IANA special-purpose registries that netip's own tests let through:
// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 twin.
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("::/96"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
		netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fec0::/10"),
	}
}
