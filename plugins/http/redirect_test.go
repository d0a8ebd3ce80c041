package http

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// However an address of this machine or its network is written, or comes about, it is not reached.
func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	address, public := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	})
	port := address[strings.LastIndexByte(address, ':'):]
	h := newHarness(t, false)
	if out, err := request(h, map[string]any{"url": public}); err != nil || out.Status != 200 {
		t.Fatalf("the server that stands for a public one was not reached: %v, %v", out, err)
	}
	private, spelled := "SHOPHAND_ALLOW_PRIVATE_HTTP=1", "ends in a number"
	for target, want := range map[string]string{
		"http://127.0.0.1" + port:                     private,
		"http://localhost" + port:                     private,
		"http://[::1]" + port:                         private,
		"http://0.0.0.0" + port:                       private,
		"http://[::]" + port:                          private,
		"http://[::ffff:127.0.0.1]" + port:            private,
		"http://[::ffff:7f00:1]" + port:               private,
		"http://[64:ff9b::7f00:1]" + port:             private,
		"http://127.255.255.254" + port:               private,
		"http://10.0.0.1":                             private,
		"http://172.31.255.255":                       private,
		"http://192.168.1.1":                          private,
		"http://100.64.0.1":                           private,
		"http://169.254.169.254/latest/meta-data":     private,
		"http://[fe80::1]":                            private,
		"http://[fe80::1%25lo]":                       private,
		"http://[fd00:ec2::254]":                      private,
		"http://255.255.255.255":                      private,
		"http://224.0.0.1":                            private,
		"http://loopback.example.com" + port:          private,
		"http://LOOPBACK.example.com." + port:         private,
		"http://loopback6.example.com" + port:         private,
		"http://metadata.example.com" + port:          private,
		"http://intranet.example.com" + port:          private,
		"http://mapped.example.com" + port:            private,
		"http://\u2460\u2461\u2466.0.0.\u2460" + port: private, // circled digits, which IDNA makes 127.0.0.1
		"http://2130706433" + port:                    spelled,
		"http://0x7f000001" + port:                    spelled,
		"http://0x7f.1" + port:                        spelled,
		"http://127.1" + port:                         spelled,
		"http://0177.0.0.1" + port:                    spelled,
		"http://127.0.0.1." + port:                    spelled,
		"http://127.0.0.0x1" + port:                   spelled,
		"https://127.0.0.1" + port:                    private,
		"http://127.0.0.1" + port + "/?q=hunter2":     private,
	} {
		direct, redirected := target, public+"/?to="+url.QueryEscape(target)
		for _, address := range []string{direct, redirected} {
			_, err := request(h, map[string]any{"url": address, "method": "POST", "body": "x"})
			f := failed(err)
			if f.Code != wire.InvalidInput || !f.Permanent || strings.Contains(f.Message, "hunter2") {
				t.Errorf("%s: got %#v, want a permanent invalid_input", address, err)
			}
			if address == redirected && want == spelled {
				want = "no usable address"
			}
			if !strings.Contains(f.Message, want) {
				t.Errorf("%s: %q does not say %q", address, f.Message, want)
			}
		}
	}
	// A host that does not exist may exist later.
	if _, err := request(h, map[string]any{"url": "http://absent.example.com"}); failed(err).Code != wire.Unavailable || failed(err).Permanent || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("an unknown host: %#v", err)
	}
	if _, err := request(newHarness(t, true), map[string]any{"url": "http://loopback.example.com" + port}); err != nil {
		t.Errorf("private addresses are allowed, yet: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	type seen struct{ method, host, path, body, key, secret, own, referer string }
	var chain []seen // one request at a time
	_, public := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		chain = append(chain, seen{r.Method, strings.Split(r.Host, ".")[0], r.URL.Path, string(body), r.Header.Get("Idempotency-Key"), r.Header.Get("X-Secret"), r.Header.Get("X-Own"), r.Header.Get("Referer")})
		if status, ok := map[string]int{"301": 301, "302": 302, "303": 303, "307": 307, "308": 308}[r.URL.Query().Get("status")]; ok {
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(status)
		}
	})
	www, api := public, strings.Replace(public, "www", "api", 1)
	h := newHarness(t, false)
	if err := h.Configure(map[string]any{"headers": map[string]string{"X-Secret": "hunter2"}}); err != nil {
		t.Fatal(err)
	}
	via := func(from, status, to string) string {
		return from + "/via?token=hunter2&status=" + status + "&to=" + url.QueryEscape(to)
	}
	loop := www + "/end"
	for range 5 {
		loop = via(www, "302", loop)
	}
	const key = "run-1/step-1"
	for name, c := range map[string]struct {
		method, url string
		requests    int
		last        seen
		fails       string
	}{
		"GET on the same host":     {"GET", via(www, "302", "/end?a=b"), 2, seen{"GET", "www", "/end", "", key, "hunter2", "own", ""}, ""},
		"GET by every status":      {"GET", via(www, "301", via(www, "303", via(www, "307", via(www, "308", "/end")))), 5, seen{"GET", "www", "/end", "", key, "hunter2", "own", ""}, ""},
		"HEAD stays HEAD":          {"HEAD", via(www, "303", "/end"), 2, seen{"HEAD", "www", "/end", "", key, "hunter2", "own", ""}, ""},
		"GET elsewhere":            {"GET", via(www, "302", api+"/end"), 2, seen{"GET", "api", "/end", "", "", "", "", ""}, ""},
		"GET elsewhere and back":   {"GET", via(www, "302", via(api, "302", www+"/end")), 3, seen{"GET", "www", "/end", "", "", "", "", ""}, ""},
		"five redirects":           {"GET", loop, 6, seen{"GET", "www", "/end", "", key, "hunter2", "own", ""}, ""},
		"six redirects":            {"GET", via(www, "302", loop), 6, seen{"GET", "www", "/via", "", key, "hunter2", "own", ""}, "more than 5 redirects"},
		"POST sent again":          {"POST", via(www, "307", "/end"), 2, seen{"POST", "www", "/end", "body", key, "hunter2", "own", ""}, ""},
		"POST sent again for good": {"POST", via(www, "308", "/end"), 2, seen{"POST", "www", "/end", "body", key, "hunter2", "own", ""}, ""},
		"POST sent elsewhere":      {"POST", via(www, "307", api+"/end"), 2, seen{"POST", "api", "/end", "body", "", "", "", ""}, ""},
		"POST by 301":              {"POST", via(www, "301", "/end?token=hunter2"), 1, seen{"POST", "www", "/via", "body", key, "hunter2", "own", ""}, "redirect to " + www + "/end is not followed"},
		"PUT by 302":               {"PUT", via(www, "302", "/end"), 1, seen{"PUT", "www", "/via", "body", key, "hunter2", "own", ""}, "list 302 under accept"},
		"DELETE by 303":            {"DELETE", via(www, "303", "/end"), 1, seen{"DELETE", "www", "/via", "body", key, "hunter2", "own", ""}, "it would turn DELETE into GET"},
		"another scheme":           {"GET", via(www, "302", "file:///etc/hunter2"), 1, seen{"GET", "www", "/via", "", key, "hunter2", "own", ""}, "no usable address"},
		"a password":               {"GET", via(www, "302", "http://me:hunter2@api.shop.example/"), 1, seen{"GET", "www", "/via", "", key, "hunter2", "own", ""}, "no usable address"},
		"a broken address":         {"GET", via(www, "302", "http://a b/hunter2"), 1, seen{"GET", "www", "/via", "", key, "hunter2", "own", ""}, "no usable address"},
	} {
		t.Run(name, func(t *testing.T) {
			chain = nil
			input := map[string]any{"method": c.method, "url": c.url, "headers": map[string]string{"X-Own": "own"}}
			if c.method != "GET" && c.method != "HEAD" {
				input["body"] = "body"
			}
			out, err := request(h, input)
			if len(chain) != c.requests || chain[len(chain)-1] != c.last {
				t.Errorf("%d requests, the last %+v; want %d, %+v", len(chain), chain[len(chain)-1], c.requests, c.last)
			}
			if c.fails == "" {
				if err != nil || out.Status != 200 {
					t.Errorf("got %+v, %v", out, err)
				}
				return
			}
			if f := failed(err); !f.Permanent || !strings.Contains(f.Message, c.fails) || strings.Contains(f.Message, "hunter2") {
				t.Errorf("got %#v, want a permanent failure with %q", err, c.fails)
			}
		})
	}
	out, err := request(h, map[string]any{"method": "POST", "url": via(www, "303", "/end"), "accept": []int{303}})
	if err != nil || out.Status != 303 || out.Headers["location"] != "/end" {
		t.Errorf("a redirect that is accepted: %+v, %v", out, err)
	}
}

// A redirect never leaves https, and a server whose certificate is not right is not told anything.
func TestTLS(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	told := false
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = true
		http.Redirect(w, r, address, http.StatusFound)
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()

	_, err := request(newHarness(t, true), map[string]any{"url": secure.URL})
	if f := failed(err); f.Code != wire.Unavailable || f.Permanent || told || !strings.Contains(f.Message, "certificate is not valid") {
		t.Errorf("a certificate of nobody: %#v", err)
	}
	_, err = request(newHarness(t, true), map[string]any{"url": strings.Replace(address, "http:", "https:", 1)})
	if f := failed(err); f.Code != wire.Unavailable || !strings.Contains(f.Message, "is it http instead of https?") {
		t.Errorf("https with a server of http: %#v", err)
	}
	trusting := safehttp.New(safehttp.Options{AllowPrivate: true}).Transport.(*http.Transport)
	trusting.TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	s := &sender{transport: trusting, now: now}
	m, err := newMessage(connection{}, RequestInput{URL: secure.URL}, "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.send(t.Context(), &m); err == nil || !strings.Contains(err.Error(), "leaves https") || !told {
		t.Errorf("a redirect to http was followed: %v", err)
	}
}

func TestSameHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"https://a.example", "https://A.example:443/x", true},
		{"http://a.example", "https://a.example", true},
		{"http://a.example:80", "https://a.example:443", true},
		{"https://a.example", "http://a.example", false},
		{"http://a.example:8080", "https://a.example:8080", false},
		{"http://a.example:8080", "http://a.example", false},
		{"https://a.example", "https://b.example", false},
		{"https://a.example", "https://a.example.evil.example", false},
		{"https://example.com", "https://api.example.com", false},
	} {
		from, err := parseAddress(c.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := parseAddress(c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameHost(from, to); got != c.want {
			t.Errorf("sameHost(%s, %s) = %v", from, to, got)
		}
	}
}
