package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// maxRetryAfter is the longest time that a server may ask us to wait; a longer wait is for the step's own
// retry policy to decide.
const maxRetryAfter = time.Hour

// invalid marks an error as one of the input or the configuration.
func invalid(err error) error { return sdk.Permanent(sdk.Fail(wire.InvalidInput, err)) }

// unanswered is the failure of a request without an answer, or with half of one.
func unanswered(ctx context.Context, m *message, err error) error {
	if errors.Is(err, safehttp.ErrPrivateAddress) {
		return invalid(fmt.Errorf("%s %s: %w", m.method, shown(m.url), safehttp.ErrPrivateAddress))
	}
	failure := sdk.Fail(wire.Unavailable, fmt.Errorf("%s %s: %s", m.method, shown(m.url), cause(ctx, m, err)))
	if unsent(err) {
		return failure
	}
	return sdk.Unknown(failure)
}

// unsent tells whether an error surely came before anything of the request could reach the server.
func unsent(err error) bool {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var network *net.OpError
	return errors.As(err, &dns) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &network) && network.Op == "dial"
}

// cause says in our own words what broke: the errors of the standard library may quote addresses with their
// query, and what the server sent.
func cause(ctx context.Context, m *message, err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var network *net.OpError
	switch timeout := net.Error(nil); {
	case errors.Is(ctx.Err(), context.Canceled):
		return "the attempt was given up before the server answered"
	case ctx.Err() != nil:
		return fmt.Sprintf("the server did not answer in full within %s", m.timeout.Round(time.Millisecond))
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no such host"
	case errors.As(err, &dns):
		return "the name of the host could not be resolved"
	case errors.As(err, &certificate):
		return "the server's certificate is not valid: " + clip(certificate.Err.Error())
	case errors.As(err, &record):
		return "the server does not speak TLS; is it http instead of https?"
	case errors.As(err, &alert):
		return "the TLS handshake failed: " + alert.Error()
	case errors.As(err, &network):
		return network.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the server did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection before it answered in full"
	}
	return "the server's answer is not one of HTTP"
}

// maxShown bounds what an error quotes of an address or of a certificate, in bytes.
const maxShown = 200

// clip bounds what may hold names that the server chose.
func clip(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}

// refused is the failure of an answer whose status is none of success. What the server wrote is not quoted:
// it may repeat what it was sent.
func (s *sender) refused(m *message, resp *http.Response) error {
	code, permanent := classify(resp.StatusCode)
	said := fmt.Sprintf("%s %s answered %s", m.method, shown(m.url), statusText(resp.StatusCode))
	if permanent {
		return sdk.Permanent(sdk.Fail(code, fmt.Errorf("%s; to go on with it, or to see what the server says, list %d under accept", said, resp.StatusCode)))
	}
	err := sdk.Fail(code, errors.New(said))
	if wait := s.retryAfter(resp); wait > 0 {
		return sdk.RetryAfter(wait, err)
	}
	return err
}

// classify says what a status that is none of success means.
func classify(status int) (code wire.Code, permanent bool) {
	switch {
	case status == http.StatusTooManyRequests:
		return wire.RateLimited, false
	case status == http.StatusRequestTimeout, status >= 500 && status <= 599:
		return wire.Unavailable, false
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return wire.Unauthorized, true
	case status == http.StatusNotFound, status == http.StatusGone:
		return wire.NotFound, true
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return wire.Conflict, true
	}
	return wire.InvalidInput, true
}

// retryAfter returns how long the server asks us to wait, 0 where it does not. Only 429 (RFC 6585) and 503
// (RFC 9110, section 10.2.3) have a say. A date is measured by the server's own clock where it shows it.
func (s *sender) retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	asked := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(asked, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(asked)
	if err != nil {
		return 0
	}
	now := s.now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return max(0, min(at.Sub(now), maxRetryAfter))
}

// tooLarge is the failure of an answer that is too long to be kept. The server did what it was asked.
func tooLarge(m *message, resp *http.Response, size string) error {
	return invalid(fmt.Errorf("%s %s answered %s with %s; the request was carried out, but ask for a shorter answer",
		m.method, shown(m.url), statusText(resp.StatusCode), size))
}

// statusText is a status as people write it: "404 Not Found".
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
