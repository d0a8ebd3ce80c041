package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/shophand/shophand/sdk/wire"
)

// maxResponse is the longest body of an answer, in bytes, after decompression.
const maxResponse = 512 << 10

// RequestOutput is the output of http/request. Secrets of the connection that a server sends back, of six
// characters or more, read ***.
type RequestOutput struct {
	Status  int               `json:"status" jsonschema:"status of the answer"`
	Headers map[string]string `json:"headers" jsonschema:"headers by name in lower case, several of one name joined by a comma; without set-cookie, which holds credentials"`
	JSON    json.RawMessage   `json:"json" jsonschema:"the body's value where its content-type is JSON, else null"`
	Body    string            `json:"body" jsonschema:"the body as text"`
}

// newOutput reads an answer that succeeded.
func newOutput(m *message, c connection, resp *http.Response) (RequestOutput, error) {
	out := RequestOutput{Status: resp.StatusCode, Headers: make(map[string]string, len(resp.Header))}
	for name, values := range resp.Header {
		if name != "Set-Cookie" {
			out.Headers[strings.ToLower(name)] = text(c, strings.Join(values, ", "))
		}
	}
	if m.method == http.MethodHead || resp.StatusCode == http.StatusSwitchingProtocols {
		return out, nil
	}
	raw, whole, err := readBody(resp)
	switch {
	case err != nil:
		return RequestOutput{}, unanswered(resp.Request.Context(), m, err)
	case !whole:
		return RequestOutput{}, tooLarge(m, resp, fmt.Sprintf("more than %d bytes", maxResponse))
	}
	out.Body = text(c, string(raw))
	if isJSON(resp.Header.Get("Content-Type")) {
		out.JSON = value(out.Body)
	}
	if len(out.Body) > maxResponse/8 { // below, it fits however much is escaped
		if encoded, err := json.Marshal(out); err != nil || len(encoded) > wire.MaxOutput {
			return RequestOutput{}, tooLarge(m, resp, fmt.Sprintf("%d bytes, which as text and as JSON make more than %d", len(raw), wire.MaxOutput))
		}
	}
	return out, nil
}

// readBody reads a body to its end, so that the connection can be used again; whole is false for one that is
// too long.
func readBody(resp *http.Response) (raw []byte, whole bool, err error) {
	if resp.ContentLength > maxResponse {
		return nil, false, nil
	}
	var b bytes.Buffer
	b.Grow(int(max(resp.ContentLength, 0)) + bytes.MinRead) // a body of known length is read without growing
	_, err = b.ReadFrom(io.LimitReader(resp.Body, maxResponse+1))
	return b.Bytes(), b.Len() <= maxResponse, err
}

// text is what a server sent as valid UTF-8, secrets hidden.
func text(c connection, s string) string { return c.hidden(strings.ToValidUTF8(s, "\uFFFD")) }

func isJSON(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	return t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json") || t == "text/json"
}

// maxDepth is the deepest nesting of a value: what stands deeper is a bomb for whoever reads it later.
const maxDepth = 200

// value returns the body as JSON, digit for digit, or nil where it is none or nested too deep.
func value(body string) json.RawMessage {
	raw := []byte(strings.TrimPrefix(body, "\uFEFF"))
	if !json.Valid(raw) || depth(raw) > maxDepth {
		return nil
	}
	return raw
}

// depth returns how deep valid JSON is nested.
func depth(raw []byte) int {
	deepest, now, inText := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}
