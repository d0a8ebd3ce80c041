package http

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		for _, name := range []string{"Retry-After", "Date", "Location"} {
			if q.Has(name) {
				w.Header().Set(name, q.Get(name))
			}
		}
		if q.Get("Date") == "" {
			w.Header()["Date"] = nil
		}
		var status int
		_, _ = fmt.Sscan(q.Get("status"), &status)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "hunter2 said the server")
	})
	h := newHarness(t, true)
	const rateLimited, unavailable = wire.RateLimited, wire.Unavailable
	for _, c := range []struct {
		query     string
		accept    []int
		code      wire.Code // "" is success
		permanent bool
		after     time.Duration
	}{
		{query: "status=200"}, {query: "status=201"}, {query: "status=202"}, {query: "status=204"}, {query: "status=299"},
		{query: "status=304", code: wire.InvalidInput, permanent: true},
		{query: "status=300", code: wire.InvalidInput, permanent: true},
		{query: "status=302", code: wire.InvalidInput, permanent: true}, // without Location
		{query: "status=400", code: wire.InvalidInput, permanent: true},
		{query: "status=401", code: wire.Unauthorized, permanent: true},
		{query: "status=403", code: wire.Unauthorized, permanent: true},
		{query: "status=404", code: wire.NotFound, permanent: true},
		{query: "status=404", accept: []int{404}},
		{query: "status=404", accept: []int{410, 409}, code: wire.NotFound, permanent: true},
		{query: "status=409", code: wire.Conflict, permanent: true},
		{query: "status=410", code: wire.NotFound, permanent: true},
		{query: "status=412", code: wire.Conflict, permanent: true},
		{query: "status=418", code: wire.InvalidInput, permanent: true},
		{query: "status=422", code: wire.InvalidInput, permanent: true},
		{query: "status=302&Location=/x", accept: []int{302}},
		{query: "status=408", code: unavailable},
		{query: "status=500", code: unavailable}, {query: "status=501", code: unavailable}, {query: "status=502", code: unavailable},
		{query: "status=503", code: unavailable}, {query: "status=504", code: unavailable}, {query: "status=599", code: unavailable},
		{query: "status=503", accept: []int{503}},
		{query: "status=700", code: wire.InvalidInput, permanent: true},
		{query: "status=429", code: rateLimited},
		{query: "status=429", accept: []int{429}},
		{query: "status=429&Retry-After=7", code: rateLimited, after: 7 * time.Second},
		{query: "status=429&Retry-After=0", code: rateLimited},
		{query: "status=429&Retry-After=-5", code: rateLimited},
		{query: "status=429&Retry-After=1.5", code: rateLimited},
		{query: "status=429&Retry-After=soon", code: rateLimited},
		{query: "status=429&Retry-After=99999", code: rateLimited, after: time.Hour},
		{query: "status=429&Retry-After=99999999999999999999", code: rateLimited},
		{query: "status=503&Retry-After=7", code: unavailable, after: 7 * time.Second},
		{query: "status=500&Retry-After=7", code: unavailable},
		{query: "status=429&Retry-After=Fri,+20+Nov+2026+12:00:30+GMT", code: rateLimited, after: 30 * time.Second},
		{query: "status=429&Retry-After=Fri,+20+Nov+2026+11:59:00+GMT", code: rateLimited},
		{query: "status=429&Retry-After=Fri,+20+Nov+2099+12:00:00+GMT", code: rateLimited, after: time.Hour},
		{query: "status=429&Retry-After=Fri,+20+Nov+2020+08:00:09+GMT&Date=Fri,+20+Nov+2020+08:00:00+GMT", code: rateLimited, after: 9 * time.Second},
	} {
		out, err := request(h, map[string]any{"url": address + "/path?token=hunter2&" + c.query, "accept": c.accept})
		if c.code == "" {
			if err != nil || !strings.Contains(c.query, fmt.Sprintf("status=%d", out.Status)) {
				t.Errorf("%s: got %+v, %v", c.query, out, err)
			}
			continue
		}
		f := failed(err)
		if f.Code != c.code || f.Permanent != c.permanent || f.RetryAfter != c.after {
			t.Errorf("%s: got %#v, want %s, permanent %v, after %s", c.query, err, c.code, c.permanent, c.after)
		}
		if strings.Contains(f.Message, "hunter2") || !strings.Contains(f.Message, "GET "+address+"/path answered") {
			t.Errorf("%s: the message is %q", c.query, f.Message)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   RequestOutput
		fails  string
	}{
		"JSON":                 {answer: write("application/json; charset=utf-8", `{"b":1.50,"a":9007199254740993}`), want: RequestOutput{JSON: []byte(`{"b":1.50,"a":9007199254740993}`), Body: `{"b":1.50,"a":9007199254740993}`}},
		"JSON of a kind":       {answer: write("application/problem+json", `[1]`), want: RequestOutput{JSON: []byte(`[1]`), Body: `[1]`}},
		"JSON with a mark":     {answer: write("application/json", "\uFEFF1"), want: RequestOutput{JSON: []byte(`1`), Body: "\uFEFF1"}},
		"JSON by name only":    {answer: write("application/json", `<html>`), want: RequestOutput{Body: `<html>`}},
		"two JSON values":      {answer: write("application/json", `{}{}`), want: RequestOutput{Body: `{}{}`}},
		"empty JSON":           {answer: write("application/json", ``), want: RequestOutput{}},
		"JSON too deep":        {answer: write("application/json", deep), want: RequestOutput{Body: deep}},
		"not called JSON":      {answer: write("text/plain", `{"a":1}`), want: RequestOutput{Body: `{"a":1}`}},
		"a broken parameter":   {answer: write("application/json;;;=", `1`), want: RequestOutput{JSON: []byte("1"), Body: `1`}},
		"a broken type":        {answer: write("application/", `1`), want: RequestOutput{Body: `1`}},
		"a list of types":      {answer: write("text/html, application/json", `1`), want: RequestOutput{Body: `1`}},
		"brackets inside text": {answer: write("application/json", `"`+strings.Repeat(`[\"{`, 300)+`"`), want: RequestOutput{JSON: []byte(`"` + strings.Repeat(`[\"{`, 300) + `"`), Body: `"` + strings.Repeat(`[\"{`, 300) + `"`}},
		"bytes that are no text": {answer: write("application/json", "\"\xff\x00\""),
			want: RequestOutput{Body: "\"\uFFFD\x00\""}}, // a zero byte may not stand in JSON
		"Latin 1 in JSON":   {answer: write("application/json", "\"\xe4\""), want: RequestOutput{JSON: []byte("\"\uFFFD\""), Body: "\"\uFFFD\""}},
		"as long as it may": {answer: write("text/plain", strings.Repeat("x", maxResponse)), want: RequestOutput{Body: strings.Repeat("x", maxResponse)}},
		"too long":          {answer: write("text/plain", strings.Repeat("x", maxResponse+1)), fails: "more than 524288 bytes"},
		"too long, length unknown": {answer: func(w http.ResponseWriter) {
			for range 9 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 64<<10))
				w.(http.Flusher).Flush()
			}
		}, fails: "more than 524288 bytes"},
		"too long once unpacked": {answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 1000 {
				_, _ = z.Write(make([]byte, 64<<10))
			}
			_ = z.Close()
		}, fails: "more than 524288 bytes"},
		"too long as text and JSON": {answer: write("application/json", `"`+strings.Repeat("<", 200_000)+`"`), fails: "as text and as JSON make more than 1048576"},
		"packed": {answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, "hello")
			_ = z.Close()
		}, want: RequestOutput{Body: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			out, err := request(newHarness(t, true), map[string]any{"url": address})
			if c.fails != "" {
				if f := failed(err); !f.Permanent || f.Code != wire.InvalidInput || !strings.Contains(f.Message, c.fails) || !strings.Contains(f.Message, "was carried out") {
					t.Errorf("got %v, want a permanent failure with %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.want.JSON == nil {
				c.want.JSON = []byte("null")
			}
			if out.Status != 200 || out.Body != c.want.Body || string(out.JSON) != string(c.want.JSON) {
				t.Errorf("got %d %.200q %.200s, want %.200q %.200s", out.Status, out.Body, out.JSON, c.want.Body, c.want.JSON)
			}
		})
	}
}

func write(contentType, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func TestAnswersHeaders(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-One", "1")
		w.Header()["X-Many"] = []string{"a", "b, c"}
		w.Header().Set("X-Bytes", "\xe4")
		w.Header().Set("Set-Cookie", "session=hunter2")
		w.Header().Set("Content-Length", "1000000") // of a HEAD: what a GET would bring
	})
	out, err := request(newHarness(t, true), map[string]any{"url": address, "method": "HEAD"})
	if err != nil {
		t.Fatal(err)
	}
	delete(out.Headers, "date")
	if got, _ := json.Marshal(out.Headers); string(got) != `{"content-length":"1000000","x-bytes":"`+"\uFFFD"+`","x-many":"a, b, c","x-one":"1"}` || out.Body != "" {
		t.Errorf("got %s, body %q", got, out.Body)
	}
}

// Servers that break HTTP, each over a raw connection, make the attempt fail so that it is tried again, and
// never show up in its words.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, want string }{
		"no answer":             {"", "closed the connection"},
		"not HTTP":              {"hunter2\r\n\r\n", "not one of HTTP"},
		"SSH":                   {"SSH-2.0-hunter2\r\n", "not one of HTTP"},
		"a broken status":       {"HTTP/1.1 hunter2 OK\r\n\r\n", "not one of HTTP"},
		"a broken header":       {"HTTP/1.1 200 OK\r\nhunter2\r\n\r\n", "not one of HTTP"},
		"two lengths":           {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhunter2", "not one of HTTP"},
		"half a body":           {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhunter2", "closed the connection before"},
		"half a chunk":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhunter2", "closed the connection before"},
		"a broken chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhunter2\r\n", "not one of HTTP"},
		"broken packing":        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 14\r\n\r\nhunter2hunter2", "not one of HTTP"},
		"endless headers":       {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: hunter2hunter2hunter2hunter2\r\n", 10_000) + "\r\n", ""},
		"endless informational": {strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: hunter2\r\n\r\n", 100_000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serveRaw(t, func(conn net.Conn) { _, _ = io.WriteString(conn, c.answer) })
			_, err := request(newHarness(t, true), map[string]any{"method": "POST", "url": "http://" + address + "/x?hunter2", "headers": map[string]string{"X": "hunter2"}})
			if f := failed(err); f.Code != wire.Unavailable || f.Permanent || !strings.Contains(f.Message, c.want) || strings.Contains(f.Message, "hunter2") {
				t.Errorf("got %#v, want one to be tried again with %q", err, c.want)
			}
		})
	}
}

// serveRaw answers each request on a connection with f and closes it.
func serveRaw(t testing.TB, f func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					f(conn)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait()
	})
	return l.Addr().String()
}

func TestSwitchedProtocolIsRefused(t *testing.T) {
	t.Parallel()
	address := serveRaw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn) // until the plugin hangs up
	})
	_, err := request(newHarness(t, true), map[string]any{"url": "http://" + address})
	if f := failed(err); !f.Permanent {
		t.Errorf("got %#v, want a permanent failure", err)
	}
}

// Servers that let one wait: the attempt ends in time, says so, and is tried again.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/body":
			_, _ = io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
		case "/refused":
			w.WriteHeader(http.StatusBadRequest)
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	h := newHarness(t, true)
	for _, c := range []struct {
		path    string
		timeout int           // of the step
		attempt time.Duration // of the host
		want    string
	}{
		{"/head", 1, 0, "within 1s"},
		{"/body", 1, 0, "within 1s"},
		{"/head", 30, 300 * time.Millisecond, "within "},
		{"/body", 0, 300 * time.Millisecond, "within "},
		{"/refused", 30, 0, "answered 400"}, // the rest of its answer is not waited for
	} {
		t.Run(fmt.Sprint(c.path, c.timeout, c.attempt), func(t *testing.T) {
			t.Parallel()
			input := map[string]any{"url": address + c.path}
			if c.timeout > 0 {
				input["timeout"] = c.timeout
			}
			_, err := h.Invoke(sdktest.Call{Action: "request", Input: input, Timeout: c.attempt})
			if f := failed(err); f.Permanent != (c.path == "/refused") || !strings.Contains(f.Message, c.want) {
				t.Errorf("got %#v, want %q", err, c.want)
			}
		})
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
			return
		}
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(make([]byte, 20_000))
	})
	var dialled atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	h := sdktest.New(t, newPlugin(&sender{transport: transport, now: now}))
	for _, path := range []string{"/good", "/bad", "/from", "/bad", "/good"} {
		_, _ = request(h, map[string]any{"url": address + path})
	}
	if n := dialled.Load(); n != 1 {
		t.Errorf("%d connections were made for five requests, want 1", n)
	}
}

// The server stands in the same process and on the same cores.
func BenchmarkRequest(b *testing.B) {
	address, _ := serve(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	h := newHarness(b, true)
	input, err := json.Marshal(map[string]any{"method": "POST", "url": address + "/hook", "json": map[string]any{"id": "5001", "total": "150.00", "name": "#1042"}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Invoke(sdktest.Call{Action: "request", Key: "k", Input: json.RawMessage(input)}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
