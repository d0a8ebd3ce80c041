package http

import (
	"fmt"
	"net/http"

	"golang.org/x/net/http/httpguts"
)

// Bounds of the headers that a flow or a connection sets.
const (
	maxHeaders     = 64
	maxHeaderBytes = 16 << 10
)

// idempotencyKey is the header that is always ours.
const idempotencyKey = "Idempotency-Key"

// newHeader checks headers and returns them by their canonical names. Its errors show names, never values.
func newHeader(set map[string]string) (http.Header, error) {
	if len(set) > maxHeaders {
		return nil, fmt.Errorf("there are %d headers; there may be %d", len(set), maxHeaders)
	}
	out, size := make(http.Header, len(set)+4), 0
	for name, value := range set {
		size += len(name) + len(value)
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return nil, fmt.Errorf("%.40q is not the name of a header; use letters, digits and -", name)
		case !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("the value of header %.40q has a line break or another control character; take it out", name)
		case reserved(canonical):
			return nil, fmt.Errorf("header %q belongs to the connection itself and cannot be set; leave it out", canonical)
		case out[canonical] != nil:
			return nil, fmt.Errorf("header %q is there twice, in different cases; give it once", canonical)
		}
		out[canonical] = []string{value}
	}
	if size > maxHeaderBytes {
		return nil, fmt.Errorf("the headers have %d bytes; they may have %d", size, maxHeaderBytes)
	}
	return out, nil
}

// reserved tells whether a header says how the message travels (RFC 9110, section 7.6.1), or where to, or how
// long it is: setting one of these lets a request be read as two.
func reserved(canonical string) bool {
	switch canonical {
	case "Host", "Connection", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "Keep-Alive", "Te", "Trailer",
		"Transfer-Encoding", "Content-Length", "Upgrade", "Expect", "Accept-Encoding", "Http2-Settings":
		return true
	}
	return false
}
