package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// now is the time of the tests' clock.
func now() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// newHarness serves the plugin. Names that end in .shop.example reach the loopback address, as if they were
// public; all others go the way that they go in earnest.
func newHarness(t testing.TB, allowPrivate bool) *sdktest.Harness {
	t.Helper()
	transport := safehttp.New(safehttp.Options{AllowPrivate: allowPrivate, Timeout: maxTimeout}).Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, _ := net.SplitHostPort(address); strings.HasSuffix(host, ".shop.example") {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		}
		return dial(ctx, network, address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	p := newPlugin(&sender{transport: transport, now: now})
	p.SetLogger(slog.New(slog.DiscardHandler))
	return sdktest.New(t, p)
}

// serve starts a server and returns its address, and the one by which a strict plugin reaches it.
func serve(t testing.TB, handler http.HandlerFunc) (address, public string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, strings.Replace(server.URL, "127.0.0.1", "www.shop.example", 1)
}

func request(h *sdktest.Harness, input any) (RequestOutput, error) {
	return sdktest.Decode[RequestOutput](h.Invoke(sdktest.Call{Action: "request", Input: input, Key: "run-1/step-1"}))
}

// failed returns the failure of an error, or an empty one.
func failed(err error) *wire.Failure {
	var f *wire.Failure
	if errors.As(err, &f) {
		return f
	}
	return &wire.Failure{}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(sdktest.New(t, New()).Describe(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const file = "testdata/description.golden"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the description changed; look at it and run the test with -update:\n%s", got)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	h := newHarness(t, false)
	for name, c := range map[string]struct{ config, want string }{
		"nothing":             {`{}`, ""},
		"everything":          {`{"base_url":"https://api.example.com/v2/","headers":{"Authorization":"Bearer abc","x-tenant":"7"}}`, ""},
		"no address":          {`{"base_url":"api.example.com"}`, "base_url must start with http"},
		"a query":             {`{"base_url":"https://api.example.com/?key=hunter2"}`, "has a query"},
		"an empty query":      {`{"base_url":"https://api.example.com/?"}`, "has a query"},
		"a password":          {`{"base_url":"https://me:hunter2@api.example.com/"}`, "has a user or password"},
		"a header's name":     {`{"headers":{"X Y":"hunter2"}}`, "not the name of a header"},
		"a header's value":    {`{"headers":{"X-Y":"hunter2\r\nHost: b"}}`, "line break"},
		"a reserved header":   {`{"headers":{"host":"hunter2"}}`, `"Host" belongs`},
		"a header twice":      {`{"headers":{"x-y":"hunter2","X-Y":"hunter2"}}`, "twice"},
		"an unknown property": {`{"header":{}}`, "header"},
	} {
		err := h.Configure(json.RawMessage(c.config))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: a secret is shown: %v", name, err)
		}
	}
}

// What a step asks for is what the server receives, digit for digit.
func TestRequestAsSent(t *testing.T) {
	t.Parallel()
	type seen struct {
		method, path, query, body string
		header                    http.Header
	}
	requests := make(chan seen, 1)
	address, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header}
	})
	h := newHarness(t, true)
	for name, c := range map[string]struct {
		input  string
		want   seen
		header map[string]string
	}{
		"GET where nothing is said": {`{"url":"ADDRESS/a%2Fb?q=1&r=%20#f"}`, seen{method: "GET", path: "/a%2Fb", query: "q=1&r=%20"},
			map[string]string{"Idempotency-Key": "run-1/step-1", "User-Agent": userAgent, "Content-Type": ""}},
		"JSON digit for digit": {`{"method":"POST","url":"ADDRESS","json":{"b":150.00,"a":[9007199254740993,0.10,1e2],"t":"\u2028ä"}}`,
			seen{method: "POST", path: "/", body: `{"b":150.00,"a":[9007199254740993,0.10,1e2],"t":"\u2028ä"}`},
			map[string]string{"Content-Type": "application/json", "Idempotency-Key": "run-1/step-1"}},
		"JSON null is a value":  {`{"method":"PUT","url":"ADDRESS/x","json":null}`, seen{method: "PUT", path: "/x", body: "null"}, map[string]string{"Content-Type": "application/json"}},
		"JSON false is a value": {`{"method":"PUT","url":"ADDRESS/x","json":false}`, seen{method: "PUT", path: "/x", body: "false"}, nil},
		"text":                  {`{"method":"PATCH","url":"ADDRESS/x","body":"a=1"}`, seen{method: "PATCH", path: "/x", body: "a=1"}, map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		"its own content type": {`{"method":"POST","url":"ADDRESS/x","json":{},"headers":{"content-type":"application/vnd.api+json","x-Y":" a b "}}`,
			seen{method: "POST", path: "/x", body: "{}"}, map[string]string{"Content-Type": "application/vnd.api+json", "X-Y": "a b"}},
		"no body":                      {`{"method":"DELETE","url":"ADDRESS/x"}`, seen{method: "DELETE", path: "/x"}, map[string]string{"Content-Type": "", "Content-Length": ""}},
		"HEAD":                         {`{"method":"HEAD","url":"ADDRESS/x"}`, seen{method: "HEAD", path: "/x"}, nil},
		"the key is always the step's": {`{"url":"ADDRESS/x","headers":{"idempotency-key":"mine"}}`, seen{method: "GET", path: "/x"}, map[string]string{"Idempotency-Key": "run-1/step-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := request(h, json.RawMessage(strings.Replace(c.input, "ADDRESS", address, 1))); err != nil {
				t.Fatal(err)
			}
			got := <-requests
			header := got.header
			got.header = nil
			if got.method != c.want.method || got.path != c.want.path || got.query != c.want.query || got.body != c.want.body {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			for name, want := range c.header {
				if header.Get(name) != want || len(header.Values(name)) > 1 {
					t.Errorf("%s: %q, want %q", name, header.Values(name), want)
				}
			}
		})
	}
}

func TestKeyIsTheSameForEachAttempt(t *testing.T) {
	t.Parallel()
	keys := make(chan string, 3)
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		w.WriteHeader(http.StatusBadGateway)
	})
	h := newHarness(t, true)
	for attempt := range 3 {
		_, _ = h.Invoke(sdktest.Call{Action: "request", Key: "run-9/step", Attempt: attempt + 1, Input: map[string]any{"method": "POST", "url": address}})
	}
	for range 3 {
		if key := <-keys; key != "run-9/step" {
			t.Errorf("an attempt was sent with the key %q", key)
		}
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	record := func(w http.ResponseWriter, r *http.Request) {
		got <- r
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		_ = json.NewEncoder(w).Encode(map[string]string{"you sent": r.Header.Get("Authorization"), "token": strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")})
	}
	address, _ := serve(t, record)
	other, _ := serve(t, record)
	h := newHarness(t, true)
	const secret = `Bearer hun"ter2`
	configure := func(base string) {
		t.Helper()
		if err := h.Configure(map[string]any{"base_url": base, "headers": map[string]string{"authorization": secret}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ base, url, header, path, want string }{
		"a path behind the base":        {address + "/v2/", "/orders?x=1", "", "/v2/orders", secret},
		"dots stay below the host":      {address + "/v2", "/../admin", "", "/v2/../admin", secret},
		"a whole address on its host":   {address + "/v2", address + "/v1", "", "/v1", secret},
		"a whole address elsewhere":     {address, other + "/x", "", "/x", ""},
		"without base it goes anywhere": {"", other + "/x", "", "/x", secret},
		"the step's own header first":   {address, "/x", "Basic own", "/x", "Basic own"},
	} {
		configure(c.base)
		input := map[string]any{"url": c.url}
		if c.header != "" {
			input["headers"] = map[string]string{"Authorization": c.header}
		}
		raw, err := h.Invoke(sdktest.Call{Action: "request", Input: input})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r := <-got; r.Header.Get("Authorization") != c.want || r.URL.Path != c.path {
			t.Errorf("%s: %s was sent with %q, want %s with %q", name, r.URL, r.Header.Get("Authorization"), c.path, c.want)
		}
		if bytes.Contains(raw, []byte("ter2")) {
			t.Errorf("%s: the secret came back: %s", name, raw)
		}
		if out, _ := sdktest.Decode[RequestOutput](raw, nil); c.want == secret && !(out.Headers["x-echo"] == "***" && string(out.JSON) == `{"token":"***","you sent":"***"}`) {
			t.Errorf("%s: the answer is spoilt: %s", name, raw)
		}
	}
	configure("")
	for url, want := range map[string]string{"/orders": "needs a connection with a base_url", "//example.com": "needs a connection"} {
		if _, err := request(h, map[string]any{"url": url}); !failed(err).Permanent || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
	configure(address)
	if _, err := request(h, map[string]any{"url": "//example.com/x"}); !failed(err).Permanent || !strings.Contains(err.Error(), "starts with //") {
		t.Errorf("//: %v", err)
	}
}

// Every refusal of an input is permanent, says what is wrong, and shows no secret part of it.
func TestInvalidInput(t *testing.T) {
	t.Parallel()
	h := newHarness(t, true)
	many := map[string]string{}
	for i := range maxHeaders + 1 {
		many[strings.Repeat("X", i+1)] = "v"
	}
	for name, c := range map[string]struct {
		input map[string]any
		want  string
	}{
		"no url":               {map[string]any{}, "url"},
		"a number as url":      {map[string]any{"url": 5}, `want "string"`},
		"an unknown field":     {map[string]any{"url": "https://example.com", "colour": "red"}, "colour"},
		"an unknown method":    {map[string]any{"url": "https://example.com", "method": "TRACE"}, "TRACE"},
		"a method and more":    {map[string]any{"url": "https://example.com", "method": "GET / HTTP/1.1\r\nX: y"}, "enum"},
		"a relative url":       {map[string]any{"url": "example.com/hunter2"}, "must start with http"},
		"file":                 {map[string]any{"url": "file:///etc/hunter2"}, "must start with http"},
		"gopher":               {map[string]any{"url": "gopher://example.com/hunter2"}, "must start with http"},
		"no host":              {map[string]any{"url": "http:///hunter2"}, "names no host"},
		"only a port":          {map[string]any{"url": "http://:80/hunter2"}, "names no host"},
		"opaque":               {map[string]any{"url": "http:hunter2"}, "names no host"},
		"a password":           {map[string]any{"url": "http://me:hunter2@example.com/"}, "user or password"},
		"a password, broken":   {map[string]any{"url": "http://me:hunter2#@example.com/"}, "not an address"},
		"a user":               {map[string]any{"url": "http://hunter2@example.com/"}, "user or password"},
		"a blank in the host":  {map[string]any{"url": "http://exa mple.com/?hunter2"}, "not an address"},
		"a line break":         {map[string]any{"url": "http://example.com/\r\nX: hunter2"}, "not an address"},
		"a stray percent":      {map[string]any{"url": "http://example.com/%zz?hunter2"}, "not an address"},
		"port 0":               {map[string]any{"url": "http://example.com:0/?hunter2"}, "port"},
		"port 65536":           {map[string]any{"url": "http://example.com:65536/?hunter2"}, "port"},
		"very long":            {map[string]any{"url": "http://example.com/?hunter2" + strings.Repeat("x", maxAddress)}, "bytes"},
		"json and body":        {map[string]any{"url": "http://example.com", "method": "POST", "json": 1, "body": "x"}, "both json and body"},
		"json with GET":        {map[string]any{"url": "http://example.com", "json": 1}, "GET sends no json"},
		"body with HEAD":       {map[string]any{"url": "http://example.com", "method": "HEAD", "body": "x"}, "HEAD sends no json"},
		"a long body":          {map[string]any{"url": "http://example.com", "method": "POST", "body": strings.Repeat("x", maxRequest+1)}, "1048577 bytes"},
		"long json":            {map[string]any{"url": "http://example.com", "method": "POST", "json": strings.Repeat("x", maxRequest)}, "1048578 bytes"},
		"an empty header":      {map[string]any{"url": "http://example.com", "headers": map[string]string{"": "hunter2"}}, "name of a header"},
		"a header with colon":  {map[string]any{"url": "http://example.com", "headers": map[string]string{"X:": "hunter2"}}, "name of a header"},
		"a header's injection": {map[string]any{"url": "http://example.com", "headers": map[string]string{"X\r\nY": "hunter2"}}, "name of a header"},
		"a value's injection":  {map[string]any{"url": "http://example.com", "headers": map[string]string{"X": "hunter2\r\nHost: other"}}, "line break"},
		"a value's line feed":  {map[string]any{"url": "http://example.com", "headers": map[string]string{"X": "hunter2\n"}}, "line break"},
		"a value's zero":       {map[string]any{"url": "http://example.com", "headers": map[string]string{"X": "hunter2\x00"}}, "control character"},
		"Host":                 {map[string]any{"url": "http://example.com", "headers": map[string]string{"hOST": "hunter2"}}, `"Host"`},
		"Transfer-Encoding":    {map[string]any{"url": "http://example.com", "headers": map[string]string{"transfer-encoding": "chunked"}}, `"Transfer-Encoding"`},
		"Content-Length":       {map[string]any{"url": "http://example.com", "headers": map[string]string{"Content-Length": "0"}}, `"Content-Length"`},
		"Connection":           {map[string]any{"url": "http://example.com", "headers": map[string]string{"Connection": "X"}}, `"Connection"`},
		"Upgrade":              {map[string]any{"url": "http://example.com", "headers": map[string]string{"Upgrade": "h2c"}}, `"Upgrade"`},
		"a header twice":       {map[string]any{"url": "http://example.com", "headers": map[string]string{"X-A": "hunter2", "x-a": "hunter2"}}, "twice"},
		"many headers":         {map[string]any{"url": "http://example.com", "headers": many}, "65 headers"},
		"long headers":         {map[string]any{"url": "http://example.com", "headers": map[string]string{"X": strings.Repeat("x", maxHeaderBytes)}}, "bytes"},
		"a header's number":    {map[string]any{"url": "http://example.com", "headers": map[string]any{"X": 1}}, "string"},
		"accept below":         {map[string]any{"url": "http://example.com", "accept": []int{101}}, "101"},
		"accept above":         {map[string]any{"url": "http://example.com", "accept": []int{600}}, "600"},
		"timeout 0":            {map[string]any{"url": "http://example.com", "timeout": 0}, "minimum"},
		"timeout below":        {map[string]any{"url": "http://example.com", "timeout": -1}, "minimum"},
		"timeout above":        {map[string]any{"url": "http://example.com", "timeout": 121}, "maximum"},
	} {
		_, err := request(h, c.input)
		f := failed(err)
		if f.Code != wire.InvalidInput || !f.Permanent || !strings.Contains(f.Message, c.want) {
			t.Errorf("%s: got %#v, want a permanent invalid_input with %q", name, err, c.want)
		}
		if strings.Contains(f.Message, "hunter2") {
			t.Errorf("%s: shown: %s", name, f.Message)
		}
	}
}

// Whatever an input says, it is refused with an error or gives a request that is safe to send.
func FuzzNewMessage(f *testing.F) {
	f.Add("POST", "https://example.com/a?b=secret", "X-A", "v", `{"a":1}`, "", "key", "https://api.example.com/v2")
	f.Add("", "/x/../y", "host", "v\r\n", "", "text", "", "http://example.com:80")
	f.Add("GET", "http://[fe80::1%25lo]:8080/\\", "x", "\x00", "null", "", "k\n", "")
	f.Add("HEAD", "http://0x7f.1/", "Idempotency-Key", "v", "", "", "k", "https://h/?")
	f.Add("PUT", "//a@b:c#d", "", "", "", "", "", "http:/x")
	f.Fuzz(func(t *testing.T, method, address, name, value, document, body, key, base string) {
		c, err := newConnection(Config{BaseURL: base})
		if err != nil {
			c = connection{}
		}
		in := RequestInput{Method: method, URL: address, Headers: map[string]string{name: value}, Body: body}
		if document != "" {
			in.JSON = json.RawMessage(document)
		}
		m, err := newMessage(c, in, key)
		if err != nil {
			return
		}
		if m.url.Scheme != "http" && m.url.Scheme != "https" || m.url.Hostname() == "" || m.url.User != nil {
			t.Errorf("%q gave the address %q", address, m.url)
		}
		if c.base != nil && strings.HasPrefix(address, "/") && !sameHost(c.base, m.url) {
			t.Errorf("%q left the host of %q: %q", address, c.base, m.url)
		}
		if got := m.header.Get(idempotencyKey); got != key {
			t.Errorf("the key is %q, want %q", got, key)
		}
		if strings.Contains(shown(m.url), "?") || len(shown(m.url)) > maxShown+len("…") {
			t.Errorf("%q is shown as %q", address, shown(m.url))
		}
		m.method = http.MethodPost // methods are checked by the schema
		r, err := http.NewRequest(m.method, m.url.String(), bytes.NewReader(m.body))
		if err != nil {
			t.Fatalf("%q gave an address that cannot be sent: %v", address, err)
		}
		r.Header = m.header
		var sent bytes.Buffer
		if err := r.Write(&sent); err != nil {
			t.Skip() // a host that no name can have: the transport refuses it too
		}
		head, _, _ := strings.Cut(sent.String(), "\r\n\r\n")
		if lines := strings.Split(head, "\r\n"); strings.Contains(strings.Join(lines, ""), "\n") || len(lines) > len(m.header)+3 {
			t.Errorf("a header was injected: %q", head)
		}
	})
}
