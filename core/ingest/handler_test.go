package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/core/ingest/bolt"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
)

// platform is a small connector: it signs with HMAC-SHA256 in hex, and a body is the type of an event.
type platform string

func (p platform) Platform() string { return string(p) }

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (p platform) Verify(h http.Header, body []byte, secrets []sdk.Secret) error {
	for _, s := range secrets {
		if hmac.Equal([]byte(sign(s.Reveal(), body)), []byte(h.Get("Signature"))) {
			return nil
		}
	}
	return errors.New("the signature does not match")
}

func (p platform) KeepHeaders(h http.Header) map[string]string {
	return map[string]string{"Topic": h.Get("Topic")}
}

func (p platform) Translate(d event.Delivery) ([]event.Event, error) {
	switch body := string(d.Body); {
	case body == "panic":
		panic("index out of range")
	case body == "nonsense":
		return nil, errors.New("the body is no JSON")
	case body == "nothing":
		return nil, nil
	default:
		return []event.Event{{Type: body, Shop: d.Shop, Platform: d.Platform}}, nil
	}
}

func (p platform) ShopName(h http.Header) (string, error) {
	name := h.Get("Shop")
	if name == "" || strings.ContainsAny(name, "/ ") {
		return "", errors.New("the header Shop is missing or malformed")
	}
	return name, nil
}

func (p platform) IsPing(h http.Header, body []byte) bool { return string(body) == "webhook_id=7" }

type shops map[string]ingest.Shop

func (s shops) Shop(name string) (ingest.Shop, bool) { shop, ok := s[name]; return shop, ok }

func openLog(t testing.TB, o bolt.Options) *bolt.Log {
	t.Helper()
	log, err := bolt.Open(filepath.Join(t.TempDir(), "intake.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// door is a handler behind real HTTP.
type door struct {
	*httptest.Server
	handler *ingest.Handler
	log     *bolt.Log
	mu      sync.Mutex
	marked  []string // "shop: reason" as the handler told
}

func newDoor(t *testing.T, log *bolt.Log, change func(*ingest.Config)) *door {
	d := &door{log: log}
	cfg := ingest.Config{
		Log: log, Shopify: platform("shopify"), WooCommerce: platform("woocommerce"),
		AppSecrets: []sdk.Secret{"", "app-new", "app-old"},
		Shops: shops{
			"own.myshopify.com":   {Name: "own.myshopify.com", Platform: "shopify", WebhookSecrets: []sdk.Secret{"own"}},
			"app.myshopify.com":   {Name: "app.myshopify.com", Platform: "shopify"},
			"empty.myshopify.com": {Name: "empty.myshopify.com", Platform: "shopify", WebhookSecrets: []sdk.Secret{""}},
			"woo":                 {Name: "woo", Platform: "woocommerce", WebhookSecrets: []sdk.Secret{"woo-1", "", "woo-2"}},
			"bare":                {Name: "bare", Platform: "woocommerce"},
		},
		Reconcile: func(shop, reason string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.marked = append(d.marked, shop+": "+reason)
		},
		Now: func() time.Time { return time.Date(2026, 11, 22, 11, 0, 0, 0, time.FixedZone("", 3600)) },
	}
	if change != nil {
		change(&cfg)
	}
	d.handler = ingest.NewHandler(cfg)
	mux := http.NewServeMux()
	mux.HandleFunc("/shopify", d.handler.ServeShopify)
	mux.HandleFunc("/woo/{shop}", func(w http.ResponseWriter, r *http.Request) { d.handler.ServeWooCommerce(w, r, r.PathValue("shop")) })
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

type sent struct {
	method, path, shop, signature string
	body                          []byte
}

func (d *door) send(t *testing.T, s sent) (int, string, http.Header) {
	t.Helper()
	if s.method == "" {
		s.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), s.method, d.URL+s.path, bytes.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Signature", s.signature)
	r.Header.Set("Topic", "orders/create")
	r.Header.Set("Cookie", "not to be kept")
	if s.shop != "" {
		r.Header.Set("Shop", s.shop)
	}
	resp, err := d.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func (d *door) kept(t *testing.T) map[string][]event.Delivery {
	t.Helper()
	out := map[string][]event.Delivery{}
	for _, b := range d.log.Shops() {
		entries, err := d.log.Read(b.Shop, 0, 1000, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out[b.Shop] = append(out[b.Shop], e.Delivery)
		}
	}
	return out
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	body, large, most := []byte(`{"id": 1}`), make([]byte, 5<<20+1), make([]byte, 5<<20)
	const shopify, woo = "/shopify", "/woo/woo"
	own, app := "own.myshopify.com", "app.myshopify.com"
	for name, test := range map[string]struct {
		send   sent
		status int
		says   string
		kept   string // the shop under which it is kept, "" for nothing
		counts ingest.Counts
		marked string
	}{
		"shopify, the shop's own secret":           {sent{path: shopify, shop: own, signature: sign("own", body), body: body}, 200, "accepted", own, ingest.Counts{Accepted: 1}, ""},
		"shopify, the app's secret":                {sent{path: shopify, shop: app, signature: sign("app-new", body), body: body}, 200, "accepted", app, ingest.Counts{Accepted: 1}, ""},
		"shopify, the app's former secret":         {sent{path: shopify, shop: app, signature: sign("app-old", body), body: body}, 200, "accepted", app, ingest.Counts{Accepted: 1}, ""},
		"shopify, only an empty secret of its own": {sent{path: shopify, shop: "empty.myshopify.com", signature: sign("app-new", body), body: body}, 200, "accepted", "empty.myshopify.com", ingest.Counts{Accepted: 1}, ""},
		"shopify, unknown shop":                    {sent{path: shopify, shop: "new.myshopify.com", signature: sign("app-new", body), body: body}, 200, "accepted", "new.myshopify.com", ingest.Counts{Accepted: 1, UnknownShop: 1}, ""},
		"shopify, a shop of the other platform":    {sent{path: shopify, shop: "woo", signature: sign("woo-1", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, empty body":                      {sent{path: shopify, shop: own, signature: sign("own", nil)}, 200, "accepted", own, ingest.Counts{Accepted: 1}, ""},
		"shopify, the app's secret instead of own": {sent{path: shopify, shop: own, signature: sign("app-new", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, another shop's secret":           {sent{path: shopify, shop: app, signature: sign("own", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, signed with an empty secret":     {sent{path: shopify, shop: app, signature: sign("", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, unsigned":                        {sent{path: shopify, shop: own, body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, one byte changed":                {sent{path: shopify, shop: own, signature: sign("own", body), body: []byte(`{"id": 2}`)}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, no shop":                         {sent{path: shopify, signature: sign("app-new", body), body: body}, 401, "header Shop", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, malformed shop":                  {sent{path: shopify, shop: "evil.example/x", signature: sign("app-new", body), body: body}, 401, "header Shop", "", ingest.Counts{Unauthorized: 1}, ""},
		"shopify, as large as may be":              {sent{path: shopify, shop: own, signature: sign("own", most), body: most}, 200, "accepted", own, ingest.Counts{Accepted: 1}, ""},
		"shopify, too large":                       {sent{path: shopify, shop: own, signature: sign("own", large), body: large}, 413, "larger than 5242880 bytes", "", ingest.Counts{TooLarge: 1}, own + ": a webhook was too large"},
		"shopify, too large of an unknown shop":    {sent{path: shopify, shop: "new.myshopify.com", body: large}, 413, "larger", "", ingest.Counts{TooLarge: 1}, ""},
		"shopify by GET":                           {sent{method: "GET", path: shopify, shop: own}, 405, "POST", "", ingest.Counts{}, ""},
		"woo":                                      {sent{path: woo, signature: sign("woo-2", body), body: body}, 200, "accepted", "woo", ingest.Counts{Accepted: 1}, ""},
		"woo, wrong secret":                        {sent{path: woo, signature: sign("x", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"woo, signed with an empty secret":         {sent{path: woo, signature: sign("", body), body: body}, 401, "signature", "", ingest.Counts{Unauthorized: 1}, ""},
		"woo, shop without a secret":               {sent{path: "/woo/bare", signature: sign("", body), body: body}, 401, "no secret", "", ingest.Counts{Unauthorized: 1}, ""},
		"woo, ping":                                {sent{path: woo, body: []byte("webhook_id=7")}, 200, "ready", "", ingest.Counts{Ping: 1}, ""},
		"woo, ping of an unknown shop":             {sent{path: "/woo/nobody", body: []byte("webhook_id=7")}, 404, "no shop", "", ingest.Counts{UnknownShop: 1}, ""},
		"woo, unknown shop":                        {sent{path: "/woo/nobody", signature: sign("", body), body: body}, 404, "no shop", "", ingest.Counts{UnknownShop: 1}, ""},
		"woo, a shop of the other platform":        {sent{path: "/woo/" + own, signature: sign("own", body), body: body}, 404, "no shop", "", ingest.Counts{UnknownShop: 1}, ""},
		"woo, too large":                           {sent{path: woo, body: large}, 413, "larger", "", ingest.Counts{TooLarge: 1}, "woo: a webhook was too large"},
		"woo by PUT":                               {sent{method: "PUT", path: woo, body: body}, 405, "POST", "", ingest.Counts{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t, openLog(t, bolt.Options{}), nil)
			status, text, header := d.send(t, test.send)
			if status != test.status || !strings.Contains(text, test.says) || len(text) > 200 {
				t.Errorf("answered %d %q, want %d with %q", status, text, test.status, test.says)
			}
			if got := header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("answered as %q", got)
			}
			of := "shopify"
			if strings.HasPrefix(test.send.path, "/woo") {
				of = "woocommerce"
			}
			want := map[string][]event.Delivery{}
			if test.kept != "" {
				want[test.kept] = []event.Delivery{{
					Platform: of, Shop: test.kept, Header: map[string]string{"Topic": "orders/create"},
					Body: append([]byte{}, test.send.body...), ReceivedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
				}}
			}
			if got := d.kept(t); !reflect.DeepEqual(got, want) {
				t.Errorf("kept %v, want something of %q", slices.Sorted(maps.Keys(got)), test.kept)
			}
			if got := d.handler.Counts(); got[of] != test.counts {
				t.Errorf("counted %+v, want %+v of %s", got, test.counts, of)
			}
			if got := strings.Join(d.marked, "; "); got != test.marked {
				t.Errorf("marked for reconciliation: %q, want %q", got, test.marked)
			}
		})
	}
}

// TestLargeBodyOfUnknownLength sends more than is allowed without saying so in advance.
func TestLargeBodyOfUnknownLength(t *testing.T) {
	t.Parallel()
	d := newDoor(t, openLog(t, bolt.Options{}), nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"/woo/woo", io.LimitReader(zeros{}, 6<<20))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", resp.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestSenderThatOnlyWrites reads the answer to a body that is too large only when all of it is written.
func TestSenderThatOnlyWrites(t *testing.T) {
	t.Parallel()
	d := newDoor(t, openLog(t, bolt.Options{}), nil)
	for name, test := range map[string]struct {
		head, body string
		status     string
	}{
		"too large":              {"Content-Length: 6291456\r\n", strings.Repeat("x", 6<<20), "413"},
		"far too large":          {"Content-Length: 99999999999\r\n", "", "413"},
		"too large, waits first": {"Content-Length: 6291456\r\nExpect: 100-continue\r\n", "", "413"},
	} {
		conn, err := net.Dial("tcp", d.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "POST /woo/woo HTTP/1.1\r\nHost: x\r\n"+test.head+"\r\n"+test.body); err != nil {
			t.Fatalf("%s: the connection was cut: %v", name, err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, test.status) {
			t.Errorf("%s: answered %q, %v", name, line, err)
		}
		_ = conn.Close()
	}
}

func TestBodyCutShort(t *testing.T) {
	t.Parallel()
	d := newDoor(t, openLog(t, bolt.Options{}), nil)
	conn, err := net.Dial("tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /woo/woo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "400") {
		t.Errorf("answered %q", line)
	}
	if got := d.handler.Counts()["woocommerce"]; got != (ingest.Counts{Incomplete: 1}) {
		t.Errorf("counted %+v", got)
	}
}

// TestRefusesWhatItCannotKeep fills the intake, and closes it: senders are told to come again, and a shop
// whose platform never does so is marked.
func TestRefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	log := openLog(t, bolt.Options{MaxBytes: 4000, MaxShopBytes: 2000})
	d := newDoor(t, log, nil)
	body := make([]byte, 1500)
	woo := sent{path: "/woo/woo", signature: sign("woo-1", body), body: body}
	shopify := sent{path: "/shopify", shop: "own.myshopify.com", signature: sign("own", body), body: body}
	for _, s := range []sent{woo, shopify} {
		if status, _, _ := d.send(t, s); status != 200 {
			t.Fatalf("the first delivery was answered %d", status)
		}
	}
	check := func(s sent, says string) {
		t.Helper()
		status, text, header := d.send(t, s)
		if status != 503 || header.Get("Retry-After") != "30" || !strings.Contains(text, says) {
			t.Errorf("answered %d %q, Retry-After %q", status, text, header.Get("Retry-After"))
		}
	}
	check(woo, "full")
	check(shopify, "full")
	if status, _, _ := d.send(t, sent{path: "/woo/woo", signature: "x", body: body}); status != 401 {
		t.Errorf("a forgery was answered %d by a full intake", status)
	}
	_ = log.Close()
	check(woo, "shutting down")
	check(shopify, "shutting down")
	if want := []string{"woo: a webhook was refused: the intake is full", "woo: a webhook was refused: shutting down"}; !reflect.DeepEqual(d.marked, want) {
		t.Errorf("marked %q, want %q", d.marked, want)
	}
	counts := d.handler.Counts()
	if counts["woocommerce"] != (ingest.Counts{Accepted: 1, Overloaded: 2, Unauthorized: 1}) || counts["shopify"] != (ingest.Counts{Accepted: 1, Overloaded: 2}) {
		t.Errorf("counted %+v", counts)
	}
}

// TestTooManyAtOnce holds the one place that there is with a body that does not come.
func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	d := newDoor(t, openLog(t, bolt.Options{}), func(c *ingest.Config) { c.MaxRequests = 1 })
	slow, feed := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/woo/woo", slow)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := d.Client().Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	// Larger than what the connection holds, so that it is written only when the handler reads.
	if _, err := feed.Write(make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	if status, _, header := d.send(t, sent{path: "/woo/woo", body: []byte("webhook_id=7")}); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("answered %d", status)
	}
	cancel()
	_ = feed.Close()
	<-done
}

// TestFlood sends from many sides at once: every delivery that was answered 200 is kept, once.
func TestFlood(t *testing.T) {
	t.Parallel()
	d := newDoor(t, openLog(t, bolt.Options{}), nil)
	var wg sync.WaitGroup
	for sender := range 16 {
		wg.Go(func() {
			for n := range 20 {
				body := fmt.Appendf(nil, "%d/%d", sender, n)
				if status, text, _ := d.send(t, sent{path: "/woo/woo", signature: sign("woo-1", body), body: body}); status != 200 {
					t.Errorf("answered %d %q", status, text)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, delivery := range d.kept(t)["woo"] {
		seen[string(delivery.Body)] = true
	}
	if len(seen) != 16*20 || len(d.kept(t)["woo"]) != len(seen) {
		t.Errorf("%d deliveries are kept, %d of them different, want %d", len(d.kept(t)["woo"]), len(seen), 16*20)
	}
}
