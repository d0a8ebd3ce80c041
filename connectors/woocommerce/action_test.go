package woocommerce_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/sdk/commerce/shopaction"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

const key, secret = "ck_5ab0c0ffee", "cs_7ea0deadbeef&+ü"

// now is the time of store and host.
func now() time.Time { return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC) }

// shop is a store with one order, behind a server.
type shop struct {
	*woosim.Store
	order string
	url   string
}

func newShop(t *testing.T, overTLS bool, c woosim.Config) (shop, *http.Client) {
	t.Helper()
	c.Key, c.Secret, c.Now = key, secret, now
	s := shop{Store: woosim.New(c)}
	var err error
	if s.order, err = s.Add(simulated()["full"]); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if overTLS {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	s.url = server.URL
	return s, server.Client()
}

// harness is the connector's actions for a shop, over gRPC.
func harness(t *testing.T, client *http.Client, access map[string]string) (*sdktest.Harness, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	h := sdktest.New(t, woocommerce.New(woocommerce.Config{HTTP: client, Now: now, Log: slog.New(slog.NewTextHandler(log, nil))}).Actions())
	if err := h.Configure(access); err != nil {
		t.Fatal(err)
	}
	return h, log
}

func tag(h *sdktest.Harness, order string, tags ...string) ([]string, error) {
	out, err := sdktest.Invoke[shopaction.TagOrderOutput](h, "tag_order", shopaction.TagOrderInput{Order: order, Tags: tags})
	return out.Tags, err
}

func TestTagOrder(t *testing.T) {
	t.Parallel()
	for name, overTLS := range map[string]bool{"Basic over https": true, "OAuth 1.0a over http": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newShop(t, overTLS, woosim.Config{})
			h, _ := harness(t, client, map[string]string{"url": s.url + "/", "key": key, "secret": secret})
			if d := h.Describe(); d.Name != "shop" || len(d.Actions) != 1 || d.Actions[0].Name != "tag_order" || d.Actions[0].Outcome != wire.Idempotent {
				t.Errorf("%+v", d)
			}
			for _, step := range []struct {
				tags, want []string
				writes     bool
			}{
				{[]string{"vip", " gift wrap "}, []string{"vip", "gift wrap"}, true},
				{[]string{"vip", "gift wrap"}, []string{"vip", "gift wrap"}, false},
				{[]string{"VIP", "ünïcode/☕,second", ""}, []string{"vip", "gift wrap", "ünïcode/☕", "second"}, true},
				{nil, []string{"vip", "gift wrap", "ünïcode/☕", "second"}, false},
			} {
				before := len(s.Calls())
				got, err := tag(h, s.order, step.tags...)
				if err != nil || !slices.Equal(got, step.want) || !slices.Equal(s.Tags(s.order), step.want) {
					t.Errorf("%q: got %q, %v; the store has %q; want %q", step.tags, got, err, s.Tags(s.order), step.want)
				}
				if calls := s.Calls()[before:]; step.writes != (len(calls) == 2 && calls[1].Method == "PUT") {
					t.Errorf("%q: %+v", step.tags, calls)
				}
			}
			events, err := translate(t, "order.updated", s.Payload(s.order))
			if err != nil || !slices.Equal(events[0].Data.Order.Tags, s.Tags(s.order)) {
				t.Errorf("translated: %v, %v", events, err)
			}
			if s.Meta(s.order)["_gift_wish"] == "" {
				t.Error("other meta data is lost")
			}
		})
	}
}

// Every answer of a store that is no success, and what the host is told of it.
func TestTagOrderFails(t *testing.T) {
	t.Parallel()
	html := "<!DOCTYPE html>\n<html><head><title>WordPress &rsaquo; Error</title></head><body><p>There has been a critical error on this website.</p></body></html>"
	for _, c := range []struct {
		name    string
		answers []woosim.Answer
		access  map[string]string
		order   string
		config  woosim.Config

		code      wire.Code
		permanent bool
		after     time.Duration
		says      string
	}{
		{name: "unknown order", order: "99", code: wire.NotFound, permanent: true, says: "woocommerce_rest_shop_order_invalid_id"},
		{name: "order gone before the PUT", answers: []woosim.Answer{{Status: 200, Body: `{"id":"1001","meta_data":[]}`}, {Status: 400, Body: `{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":400}}`}}, code: wire.NotFound, permanent: true, says: "Invalid ID"},
		{name: "no id", order: "#1001", code: wire.InvalidInput, permanent: true, says: "digits only"},
		{name: "path for an id", order: "1/../../users", code: wire.InvalidInput, permanent: true, says: "digits only"},
		{name: "unknown key", access: map[string]string{"key": "ck_other"}, code: wire.Unauthorized, permanent: true, says: "cannot view this resource"},
		{name: "wrong secret", access: map[string]string{"secret": "cs_other"}, code: wire.Unauthorized, permanent: true, says: "Consumer secret is invalid."},
		{name: "read only key", config: woosim.Config{ReadOnly: true}, code: wire.Unauthorized, permanent: true, says: "does not have write permissions"},
		{name: "429 with seconds", answers: []woosim.Answer{{Status: 429, Header: map[string]string{"Retry-After": "7"}}}, code: wire.RateLimited, after: 7 * time.Second, says: "an empty page"},
		{name: "429 without", answers: []woosim.Answer{{Status: 429}}, code: wire.RateLimited, after: 30 * time.Second, says: "429"},
		{name: "429 with nonsense", answers: []woosim.Answer{{Status: 429, Header: map[string]string{"Retry-After": "-5"}}}, code: wire.RateLimited, after: 30 * time.Second, says: "429"},
		{name: "503 with a date", answers: []woosim.Answer{{Status: 503, Header: map[string]string{"Retry-After": "Mon, 02 Nov 2026 10:02:00 GMT"}}}, code: wire.Unavailable, after: 2 * time.Minute, says: "503"},
		{name: "503 for ever", answers: []woosim.Answer{{Status: 503, Header: map[string]string{"Retry-After": "99999999"}}}, code: wire.Unavailable, after: time.Hour, says: "503"},
		{name: "503 of the maintenance mode", answers: []woosim.Answer{{Status: 503, Body: html}}, code: wire.Unavailable, says: "There has been a critical error"},
		{name: "500 of PHP", answers: []woosim.Answer{{Status: 500, Body: `{"code":"internal_server_error","message":"<p>There has been a critical error</p>","data":{"status":500}}`}}, code: wire.Unavailable, says: "internal_server_error"},
		{name: "500 with a number for data", answers: []woosim.Answer{{Status: 500, Body: `{"code":"x","message":"y","data":500}`}}, code: wire.Unavailable, says: `"y" (x)`},
		{name: "403 of a firewall", answers: []woosim.Answer{{Status: 403, Body: "<html>Checking your browser</html>"}}, code: wire.Unavailable, says: "Checking your browser"},
		{name: "403 of WordPress", answers: []woosim.Answer{{Status: 403, Body: `{"code":"rest_forbidden","message":"No."}`}}, code: wire.Unauthorized, permanent: true, says: "rest_forbidden"},
		{name: "404 page", answers: []woosim.Answer{{Status: 404, Body: html}}, code: wire.NotFound, permanent: true, says: "no WooCommerce REST API at this address"},
		{name: "WooCommerce is switched off", answers: []woosim.Answer{{Status: 404, Body: `{"code":"rest_no_route","message":"No route was found"}`}}, code: wire.NotFound, permanent: true, says: "permalinks"},
		{name: "other 400", answers: []woosim.Answer{{Status: 400, Body: `{"code":"rest_invalid_param","message":"bad"}`}}, code: wire.InvalidInput, permanent: true, says: "rest_invalid_param"},
		{name: "200 with a page", answers: []woosim.Answer{{Status: 200, Body: html}}, code: wire.Unavailable, says: "not JSON"},
		{name: "200 with a warning before the JSON", answers: []woosim.Answer{{Status: 200, Body: "<br />\n<b>Warning</b>: foreach() {\"id\":1001}"}}, code: wire.Unavailable, says: "Warning : foreach()"},
		{name: "200 with another order", answers: []woosim.Answer{{Status: 200, Body: `{"id":5}`}}, code: wire.Unavailable, says: "something else"},
		{name: "200 with nothing", answers: []woosim.Answer{{Status: 200}}, code: wire.Unavailable, says: "an empty page"},
		{name: "too much", answers: []woosim.Answer{{Status: 200, Body: `{"id":1001,"x":"` + strings.Repeat("x", 5<<20) + `"}`}}, code: wire.Unavailable, says: "more than 5 MiB"},
		{name: "redirect", answers: []woosim.Answer{{Status: 301, Header: map[string]string{"Location": "https://www.tea.example.com/"}}}, code: wire.Unavailable, says: "redirects to https://www.tea.example.com/"},
		{name: "redirect of the PUT", answers: []woosim.Answer{{Status: 200, Body: `{"id":1001}`}, {Status: 302, Header: map[string]string{"Location": "/"}}}, code: wire.Unavailable, says: "redirects"},
		{name: "nobody there", access: map[string]string{"url": "https://127.0.0.1:1"}, code: wire.Unavailable, says: "cannot be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, client := newShop(t, true, c.config)
			s.Answer(c.answers...)
			access := map[string]string{"url": s.url, "key": key, "secret": secret}
			for k, v := range c.access {
				access[k] = v
			}
			h, log := harness(t, client, access)
			order := s.order
			if c.order != "" {
				order = c.order
			}
			_, err := tag(h, order, "vip")
			var f *wire.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a failure", err)
			}
			if f.Code != c.code || f.Permanent != c.permanent || f.RetryAfter != c.after || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %+v, want %s, permanent %v, after %s, %q", f, c.code, c.permanent, c.after, c.says)
			}
			for _, hidden := range []string{access["key"], access["secret"]} {
				if strings.Contains(f.Message+log.String(), hidden) {
					t.Errorf("a key is shown: %s %s", f.Message, log)
				}
			}
			if len(f.Message) > 600 {
				t.Errorf("a message of %d bytes", len(f.Message))
			}
		})
	}
}

// The answers to requests over plain http are those of WooCommerce's OAuth, and no error shows the query, which
// holds the key.
func TestOverPlainHTTP(t *testing.T) {
	t.Parallel()
	s, client := newShop(t, false, woosim.Config{})
	h, _ := harness(t, client, map[string]string{"url": s.url, "key": key, "secret": "cs_other"})
	if _, err := tag(h, s.order, "vip"); err == nil || !strings.Contains(err.Error(), "Invalid signature - provided signature does not match.") {
		t.Errorf("wrong secret: %v", err)
	}
	// A store whose clock is half an hour off refuses.
	late := woocommerce.New(woocommerce.Config{HTTP: client, Now: func() time.Time { return now().Add(-30 * time.Minute) }})
	h = sdktest.New(t, late.Actions())
	_ = h.Configure(map[string]string{"url": s.url, "key": key, "secret": secret})
	if _, err := tag(h, s.order, "vip"); err == nil || !strings.Contains(err.Error(), "Invalid timestamp.") {
		t.Errorf("clock off: %v", err)
	}
	// A nonce is good once.
	same := woocommerce.New(woocommerce.Config{HTTP: client, Now: now, Random: zeros{}})
	h = sdktest.New(t, same.Actions())
	_ = h.Configure(map[string]string{"url": s.url, "key": key, "secret": secret})
	if _, err := tag(h, s.order, "vip"); err == nil || !strings.Contains(err.Error(), "nonce has already been used") {
		t.Errorf("the same nonce for GET and PUT: %v", err)
	}
	h, _ = harness(t, client, map[string]string{"url": "http://127.0.0.1:1", "key": key, "secret": secret})
	if _, err := tag(h, s.order, "vip"); err == nil || strings.Contains(err.Error(), "oauth") || strings.Contains(err.Error(), key) {
		t.Errorf("the address is shown: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A signature that another implementation of OAuth 1.0a made of the same request.
func TestOAuthSignature(t *testing.T) {
	t.Parallel()
	var got string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") != "" {
			t.Error("Basic over plain http")
		}
		got = r.URL.Query().Get("oauth_signature")
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":7,"meta_data":[{"id":1,"key":"_shophand_tags","value":"vip"}]}`))}, nil
	})}
	h := sdktest.New(t, woocommerce.New(woocommerce.Config{HTTP: client, Now: now, Random: zeros{}}).Actions())
	_ = h.Configure(map[string]string{"url": "http://localhost:8090/läden/tea", "key": key, "secret": secret})
	if tags, err := tag(h, "7", "vip"); err != nil || !slices.Equal(tags, []string{"vip"}) {
		t.Fatal(tags, err)
	}
	const want = "y4WsnnvauKmT8P/vV/1AUIhPSuKeofrEKqQlvmBEPcI="
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Many runs that tag one order at the same moment lose none of the tags, and a lost answer doubles nothing.
func TestTagOrderAtOnce(t *testing.T) {
	t.Parallel()
	s, client := newShop(t, true, woosim.Config{})
	h, _ := harness(t, client, map[string]string{"url": s.url, "key": key, "secret": secret})
	const n = 20
	done := make(chan error, n)
	for i := range n {
		go func() {
			_, err := h.Invoke(sdktest.Call{Action: "tag_order", Key: fmt.Sprint(i), Input: shopaction.TagOrderInput{Order: s.order, Tags: []string{fmt.Sprint("t", i)}}})
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := len(s.Tags(s.order)); got != n {
		t.Errorf("%d tags of %d: %v", got, n, s.Tags(s.order))
	}
	s.Answer(woosim.Answer{Status: 200, Body: `{"id":1001,"meta_data":[]}`}, woosim.Answer{Status: 502, After: true})
	if _, err := tag(h, s.order, "last"); err == nil {
		t.Error("a lost answer is no failure")
	}
	if got, err := tag(h, s.order, "last"); err != nil || !slices.Equal(got, []string{"last"}) {
		t.Errorf("tried again: %v, %v", got, err)
	}
}

// An attempt that is told to stop does, also while it waits for another one's turn at the same order.
func TestTagOrderStops(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			close(reached)
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	p := woocommerce.New(woocommerce.Config{HTTP: server.Client(), Now: now}).Actions()
	invoke := func(ctx context.Context) wire.Result {
		config, _ := json.Marshal(map[string]string{"url": server.URL, "key": key, "secret": secret})
		r, err := p.Invoke(ctx, wire.Invocation{Action: "tag_order", Input: []byte(`{"order":"7","tags":["vip"]}`), Config: config}, nil)
		if err != nil {
			t.Error(err)
		}
		return r
	}
	first, stopFirst := context.WithCancel(t.Context())
	results := make(chan wire.Result)
	go func() { results <- invoke(first) }()
	<-reached
	second, stopSecond := context.WithCancel(t.Context())
	stopSecond()
	if r := invoke(second); r.Failure == nil || !strings.Contains(r.Failure.Message, "waiting for another action on order 7") {
		t.Errorf("while another one has the turn: %+v", r.Failure)
	}
	stopFirst()
	if r := <-results; r.Failure == nil || r.Failure.Code != wire.Unavailable {
		t.Errorf("in mid-request: %+v", r.Failure)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, woocommerce.New(woocommerce.Config{}).Actions())
	for url, want := range map[string]string{
		"https://tea.example.com":          "",
		"https://tea.example.com/shop/":    "",
		"http://127.0.0.1:9":               "",
		"http://localhost:8080":            "",
		"http://woo":                       "",
		"http://192.168.1.5":               "",
		"http://[::1]:8080":                "",
		"http://tea.local":                 "",
		"http://tea.example.com":           "use https",
		"http://93.184.216.34":             "use https",
		"tea.example.com":                  "not the address of a store",
		"":                                 "not the address of a store",
		"ftp://tea.example.com":            "not the address of a store",
		"https://":                         "not the address of a store",
		"https://u:p@tea.example.com":      "not the address of a store",
		"https://tea.example.com/?a=b":     "not the address of a store",
		"https://tea.example.com/\x7f":     "not the address of a store",
		"https://tea.example.com/wp-admin": "",
	} {
		err := h.Configure(map[string]string{"url": url, "key": key, "secret": secret})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
	for _, access := range []map[string]string{{"url": "https://x.example", "key": "", "secret": "y"}, {"url": "https://x.example", "key": "x", "secret": ""}, {"url": "https://x.example", "key": "x"}} {
		if err := h.Configure(access); err == nil || !strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", access, err)
		}
	}
}
