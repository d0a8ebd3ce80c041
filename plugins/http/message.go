package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"golang.org/x/net/http/httpguts"
)

// Bounds of a request.
const (
	maxRequest     = 1 << 20 // bytes of the body
	maxTimeout     = 120 * time.Second
	defaultTimeout = 30 * time.Second
)

// userAgent is sent where the flow sets none.
const userAgent = "Shophand (+https://github.com/shophand/shophand)"

// RequestInput is the input of http/request.
type RequestInput struct {
	Method  string            `json:"method,omitempty" jsonschema:"GET where absent"`
	URL     string            `json:"url" jsonschema:"address with http:// or https://; or, with a connection that has a base_url, a path that starts with /"`
	Headers map[string]string `json:"headers,omitempty" jsonschema:"headers to send; Idempotency-Key is always the step's own"`
	JSON    json.RawMessage   `json:"json,omitempty" jsonschema:"value to send as JSON, digit for digit; or body"`
	Body    string            `json:"body,omitempty" jsonschema:"text to send, with Content-Type text/plain where headers set none; or json"`
	Accept  []int             `json:"accept,omitempty" jsonschema:"further statuses that count as success, such as 404; a redirect in it is not followed"`
	Timeout int               `json:"timeout,omitempty" jsonschema:"seconds that the whole answer may take, 30 where absent"`
}

// JSONSchema states the bounds of the input.
func (RequestInput) JSONSchema(s *jsonschema.Schema) {
	s.Properties["method"].Enum = []any{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	s.Properties["accept"].Items.Minimum = jsonschema.Ptr(200.0)
	s.Properties["accept"].Items.Maximum = jsonschema.Ptr(599.0)
	s.Properties["timeout"].Minimum = jsonschema.Ptr(1.0)
	s.Properties["timeout"].Maximum = jsonschema.Ptr(maxTimeout.Seconds())
}

// message is a checked request, ready to be sent.
type message struct {
	method  string
	url     *url.URL
	header  http.Header
	body    []byte
	accept  []int
	timeout time.Duration
}

// newMessage checks an input and joins the connection to it.
func newMessage(c connection, in RequestInput, key string) (message, error) {
	m := message{method: in.Method, accept: in.Accept, timeout: time.Duration(in.Timeout) * time.Second}
	if m.method == "" {
		m.method = http.MethodGet
	}
	if m.timeout == 0 {
		m.timeout = defaultTimeout
	}
	var err error
	if m.url, err = c.resolve(in.URL); err != nil {
		return message{}, err
	}
	if m.header, err = newHeader(in.Headers); err != nil {
		return message{}, err
	}
	if c.covers(m.url) {
		for name, values := range c.header {
			if m.header[name] == nil {
				m.header[name] = values
			}
		}
	}
	if err := m.setBody(in); err != nil {
		return message{}, err
	}
	if m.header["User-Agent"] == nil {
		m.header.Set("User-Agent", userAgent)
	}
	if !httpguts.ValidHeaderFieldValue(key) {
		return message{}, errors.New("the step's idempotency key cannot stand in a header")
	}
	m.header.Set(idempotencyKey, key) // over what the flow set: a key of its own would not change with the step
	return m, nil
}

func (m *message) setBody(in RequestInput) error {
	contentType := "application/json"
	switch {
	case in.JSON == nil && in.Body == "":
		return nil
	case in.JSON != nil && in.Body != "":
		return errors.New("there are both json and body; give one of them")
	case in.JSON != nil:
		m.body = in.JSON
	default:
		m.body, contentType = []byte(in.Body), "text/plain; charset=utf-8"
	}
	if !m.writes() {
		return fmt.Errorf("%s sends no json and no body; set method, for example to POST", m.method)
	}
	if len(m.body) > maxRequest {
		return fmt.Errorf("the body has %d bytes; it may have %d", len(m.body), maxRequest)
	}
	if m.header["Content-Type"] == nil {
		m.header.Set("Content-Type", contentType)
	}
	return nil
}

// writes tells whether the method is one that changes something at the server.
func (m *message) writes() bool { return m.method != http.MethodGet && m.method != http.MethodHead }

// succeeds tells whether a status counts as success.
func (m *message) succeeds(status int) bool {
	return status >= 200 && status <= 299 || slices.Contains(m.accept, status)
}
