package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/shophand/shophand/sdk"
)

// sender carries requests out. It is safe for concurrent use and keeps connections for reuse.
type sender struct {
	transport http.RoundTripper
	now       func() time.Time
}

// request is the action http/request.
func (s *sender) request(ctx context.Context, req sdk.Request[Config, RequestInput]) (RequestOutput, error) {
	c, err := newConnection(req.Config)
	if err != nil {
		return RequestOutput{}, invalid(fmt.Errorf("the connection: %w", err))
	}
	m, err := newMessage(c, req.Input, req.IdempotencyKey)
	if err != nil {
		return RequestOutput{}, invalid(err)
	}
	m.timeout = timeLeft(ctx, m.timeout)
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	resp, err := s.send(ctx, &m)
	if err != nil {
		return RequestOutput{}, err
	}
	defer resp.Body.Close()
	if !m.succeeds(resp.StatusCode) {
		drain(resp, cancel)
		return RequestOutput{}, s.refused(&m, resp)
	}
	return newOutput(&m, c, resp)
}

// timeLeft returns the time that a request may take: the timeout, or less where the attempt ends before. A
// little is left of the attempt's time to say what happened: an attempt that does not answer at all would
// count as a broken plugin, not as a slow server.
func timeLeft(ctx context.Context, timeout time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return timeout
	}
	left := time.Until(deadline)
	return min(timeout, left-min(left/10, 250*time.Millisecond))
}

// maxRedirects are followed; one more is a failure.
const maxRedirects = 5

// send sends a message, follows its redirects and returns the last answer, whose body the caller closes.
// It leaves m as the request that was answered. Its errors are ready to be returned by the action.
func (s *sender) send(ctx context.Context, m *message) (*http.Response, error) {
	for redirects := 0; ; redirects++ {
		var body io.Reader
		if m.body != nil {
			body = bytes.NewReader(m.body) // this type gives the transport the length, and a copy for another try
		}
		req, err := http.NewRequestWithContext(ctx, m.method, m.url.String(), body)
		if err != nil {
			return nil, invalid(fmt.Errorf("%s %s is not a request that can be sent", m.method, shown(m.url)))
		}
		req.Header = m.header
		resp, err := s.transport.RoundTrip(req)
		if err != nil {
			return nil, unanswered(ctx, m, err)
		}
		if !m.redirected(resp) {
			return resp, nil
		}
		next, err := m.follow(resp)
		if err == nil && redirects == maxRedirects {
			err = fmt.Errorf("there are more than %d redirects", maxRedirects)
		}
		// The connection is worth more than the little that a redirect says.
		_, _ = io.CopyN(io.Discard, resp.Body, 2<<10)
		resp.Body.Close()
		if err != nil {
			return nil, invalid(fmt.Errorf("%s %s answered %s: %w", m.method, shown(m.url), statusText(resp.StatusCode), err))
		}
		m.moveTo(next)
	}
}

// redirected tells whether an answer sends the request elsewhere.
func (m *message) redirected(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != "" && !m.succeeds(resp.StatusCode)
	}
	return false
}

// follow returns where a redirect leads, or says why it is not followed. By 301, 302 and 303 clients turn a
// POST into a GET, which a server takes for something else than what the flow asks.
func (m *message) follow(resp *http.Response) (*url.URL, error) {
	next, err := m.url.Parse(resp.Header.Get("Location"))
	if err == nil {
		next, err = parseAddress(next.String())
	}
	if err != nil {
		return nil, errors.New("the redirect leads to no usable address")
	}
	again := resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect
	switch {
	case m.writes() && !again:
		return nil, fmt.Errorf("the redirect to %s is not followed, because it would turn %s into GET; use that address as url, or list %d under accept",
			shown(next), m.method, resp.StatusCode)
	case m.url.Scheme == "https" && next.Scheme == "http":
		return nil, fmt.Errorf("the redirect to %s is not followed, because it leaves https; use that address as url if that is right", shown(next))
	}
	return next, nil
}

// moveTo directs the message to another address. What may be secret stays with the host that it was meant
// for, for good: a redirect back does not bring it back.
func (m *message) moveTo(next *url.URL) {
	if !sameHost(m.url, next) {
		kept := http.Header{}
		for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"} {
			if values := m.header[name]; values != nil {
				kept[name] = values
			}
		}
		m.header = kept
	}
	m.url = next
}

// Bounds of what is read of an answer that is of no use, so that its connection can be used again.
const (
	maxDrained   = 64 << 10
	maxDrainTime = 250 * time.Millisecond
)

// drain reads the rest of a small, quick answer and gives others up by cancel.
func drain(resp *http.Response, cancel context.CancelFunc) {
	if resp.StatusCode == http.StatusSwitchingProtocols { // its body is the connection itself
		return
	}
	watchdog := time.AfterFunc(maxDrainTime, cancel)
	defer watchdog.Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
}
