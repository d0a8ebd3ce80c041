package http

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxAddress is the longest address, in bytes.
const maxAddress = 8 << 10

// parseAddress reads an absolute address of http or https. Its errors continue a sentence that starts with
// the name of the field, and show nothing of the address: it may hold a password or a token.
func parseAddress(s string) (*url.URL, error) {
	if len(s) > maxAddress {
		return nil, fmt.Errorf("has %d bytes; it may have %d", len(s), maxAddress)
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("is not an address such as https://example.com/path; look for blanks, a stray % or a wrong port")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must start with http:// or https://")
	case u.User != nil:
		return nil, errors.New("has a user or password before the host; send credentials in a header instead")
	case u.Hostname() == "":
		return nil, errors.New("names no host; it must look like https://example.com/path")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("has a port that is not between 1 and 65535")
		}
	}
	if err := checkHost(u.Hostname()); err != nil {
		return nil, err
	}
	return u, nil
}

// checkHost refuses the spellings of an IPv4 address that some resolvers take for one and others for a name
// (2130706433, 0x7f.1, 127.1), and which exist to get around checks. By the rule of
// https://url.spec.whatwg.org/#ends-in-a-number-checker a name cannot end like that.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	number := strings.TrimLeft(last, "0123456789") == "" && last != ""
	if hex, ok := strings.CutPrefix(strings.ToLower(last), "0x"); ok {
		number = strings.TrimLeft(hex, "0123456789abcdef") == ""
	}
	if number {
		return errors.New("has a host that ends in a number but is no address; write an address as four numbers, such as 192.0.2.1")
	}
	return nil
}

// shown is an address for people: without its query, which may hold tokens.
func shown(u *url.URL) string {
	return clip(u.Scheme + "://" + u.Host + u.EscapedPath())
}

// sameHost tells whether what may be sent to from may be sent to to as well: the same scheme, host and port,
// or the same host by https where it was http, each at its usual port.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	upgraded := from.Scheme == "http" && to.Scheme == "https" && port(from) == "80" && port(to) == "443"
	return upgraded || from.Scheme == to.Scheme && port(from) == port(to)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
