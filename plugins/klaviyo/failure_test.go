package klaviyo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
	"github.com/shophand/shophand/sdk/wire"
)

const (
	anEvent   = `{"metric":"Placed Order","email":"ada@example.com"}`
	aProfile  = `{"email":"ada@example.com","phone":"+442079460000"}`
	jsonAPI   = "application/vnd.api+json"
	htmlError = "<html><head><title>Sorry</title></head><body>maintenance</body></html>"
)

func TestStatusesOfKlaviyo(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]failure{
		400: {wire.InvalidInput, true, 0, "klaviyo answered 400 Bad Request: Invalid input. (at /data)"},
		401: {wire.Unauthorized, true, 0, "check the connection's api_key"},
		403: {wire.Unauthorized, true, 0, "needs the scopes events:write and profiles:write"},
		404: {wire.NotFound, true, 0, "404"},
		405: {wire.InvalidInput, true, 0, "405"},
		408: {wire.Unavailable, false, 0, "408"},
		409: {wire.Conflict, true, 0, "409"},
		413: {wire.InvalidInput, true, 0, "413"},
		415: {wire.InvalidInput, true, 0, "415"},
		429: {wire.RateLimited, false, time.Second, "Expected available in 1 second"},
		500: {wire.Unavailable, false, 0, "500"},
		502: {wire.Unavailable, false, 0, "502"},
		503: {wire.Unavailable, false, 0, "503"},
		504: {wire.Unavailable, false, 0, "504"},
	} {
		for action, input := range map[string]string{"create_event": anEvent, "upsert_profile": aProfile} {
			t.Run(fmt.Sprint(action, " ", status), func(t *testing.T) {
				t.Parallel()
				h, sim := withSim(t)
				sim.FailNext(1, status)
				_, err := invoke(h, action, "k", input)
				want.check(t, err)
				if len(sim.Events())+len(sim.Profiles()) > 0 {
					t.Error("it took effect")
				}
			})
		}
	}
}

func TestARealRefusalSaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	h, _ := withSim(t)
	_, err := invoke(h, "create_event", "k", `{"metric":"m","email":"not an address","time":"1985-01-01T00:00:00Z"}`)
	failure{wire.InvalidInput, true, 0, "Invalid email address (at /data/attributes/profile/data/attributes/email); The time must be after the year 1990. (at /data/attributes/time)"}.check(t, err)

	another := against(t, judged(t, klaviyosim.New(klaviyosim.Config{APIKey: "pk_another"})))
	_, err = invoke(another, "create_event", "k", anEvent)
	failure{wire.Unauthorized, true, 0, "Incorrect authentication credentials"}.check(t, err)
}

func TestRateLimitOfTheAccount(t *testing.T) {
	t.Parallel()
	now := start.Add(20*time.Second + 300*time.Millisecond)
	sim := klaviyosim.New(klaviyosim.Config{APIKey: key, Now: func() time.Time { return now }, EventLimit: klaviyosim.Limit{Burst: 1, Steady: 2}})
	h := against(t, judged(t, sim))
	if _, err := invoke(h, "create_event", "a", anEvent); err != nil {
		t.Fatal(err)
	}
	_, err := invoke(h, "create_event", "b", anEvent)
	failure{wire.RateLimited, false, time.Second, "Expected available in 1 second"}.check(t, err)
	now = now.Add(time.Second)
	if _, err := invoke(h, "create_event", "b", anEvent); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second) // 37.7 s before the minute ends
	_, err = invoke(h, "create_event", "c", anEvent)
	failure{wire.RateLimited, false, 38 * time.Second, "Expected available in 38 seconds"}.check(t, err)
	if _, err := invoke(h, "upsert_profile", "d", aProfile); err != nil {
		t.Errorf("each operation has its own limit: %v", err)
	}
}

// reply answers every request alike.
func reply(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	const date = "Fri, 20 Nov 2026 12:00:00 GMT"
	big := strings.Repeat("x", 5<<20)
	for name, c := range map[string]struct {
		action, input string
		handler       http.HandlerFunc
		want          failure // code "": succeeds
	}{
		"event: 202 with 5 MiB":          {"create_event", anEvent, reply(202, nil, big), failure{}},
		"event: 200 and a login page":    {"create_event", anEvent, reply(200, map[string]string{"Content-Type": "text/html"}, htmlError), failure{wire.Unavailable, false, 0, `200 ("text/html")`}},
		"event: 204":                     {"create_event", anEvent, reply(204, nil, ""), failure{wire.Unavailable, false, 0, "204"}},
		"event: 500 in HTML":             {"create_event", anEvent, reply(500, nil, htmlError), failure{wire.Unavailable, false, 0, "500 Internal Server Error"}},
		"event: 500 with 5 MiB":          {"create_event", anEvent, reply(500, nil, big), failure{wire.Unavailable, false, 0, "500"}},
		"event: 401 in HTML":             {"create_event", anEvent, reply(401, nil, htmlError), failure{wire.Unauthorized, true, 0, "401"}},
		"event: 400 empty":               {"create_event", anEvent, reply(400, nil, ""), failure{wire.InvalidInput, true, 0, "400"}},
		"event: 400, errors of a shape":  {"create_event", anEvent, reply(400, nil, `{"errors":"all of them"}`), failure{wire.InvalidInput, true, 0, "400"}},
		"event: 400, not UTF-8":          {"create_event", anEvent, reply(400, nil, "{\"errors\":[{\"detail\":\"\xff\xfe\"}]}"), failure{wire.InvalidInput, true, 0, "400"}},
		"event: status without a name":   {"create_event", anEvent, reply(599, nil, ""), failure{wire.Unavailable, false, 0, "klaviyo answered 599"}},
		"event: a redirect":              {"create_event", anEvent, reply(307, map[string]string{"Location": "https://example.com/?k=" + key}, ""), failure{wire.InvalidInput, true, 0, `redirect to "https://example.com/?k=***"`}},
		"event: a challenge":             {"create_event", anEvent, reply(403, map[string]string{"Cf-Mitigated": "challenge"}, htmlError), failure{wire.Unavailable, false, 0, "403"}},
		"event: 400 that shows the key":  {"create_event", anEvent, reply(400, nil, `{"errors":[{"detail":"bad key `+key+`","source":{"parameter":"p"}}]}`), failure{wire.InvalidInput, true, 0, "bad key *** (at p)"}},
		"event: 400 with a hidden key":   {"create_event", anEvent, reply(400, nil, `{"errors":[{"title":"`+strings.Replace(key, "p", `\u0070`, 1)+`"}]}`), failure{wire.InvalidInput, true, 0, "400 Bad Request: ***"}},
		"event: 400 with a long detail":  {"create_event", anEvent, reply(400, nil, `{"errors":[{"detail":"`+strings.Repeat("€", 1000)+`"}]}`), failure{wire.InvalidInput, true, 0, strings.Repeat("€", 100) + "…"}},
		"event: 400 with many errors":    {"create_event", anEvent, reply(400, nil, `{"errors":[`+strings.Repeat(`{"code":"c"},`, 99)+`{}]}`), failure{wire.InvalidInput, true, 0, "c; c; c; c; c; and 95 more"}},
		"event: 429, nothing said":       {"create_event", anEvent, reply(429, nil, ""), failure{wire.RateLimited, false, time.Second, "429"}},
		"event: 429, 0 s":                {"create_event", anEvent, reply(429, map[string]string{"Retry-After": "0"}, ""), failure{wire.RateLimited, false, time.Second, ""}},
		"event: 429, 17 s":               {"create_event", anEvent, reply(429, map[string]string{"Retry-After": "17"}, ""), failure{wire.RateLimited, false, 17 * time.Second, ""}},
		"event: 429, beyond all numbers": {"create_event", anEvent, reply(429, map[string]string{"Retry-After": "99999999999999999999999"}, ""), failure{wire.RateLimited, false, time.Hour, ""}},
		"event: 429, no number":          {"create_event", anEvent, reply(429, map[string]string{"Retry-After": "-5"}, ""), failure{wire.RateLimited, false, time.Second, ""}},
		"event: 429, a date":             {"create_event", anEvent, reply(429, map[string]string{"Date": date, "Retry-After": "Fri, 20 Nov 2026 12:00:42 GMT"}, ""), failure{wire.RateLimited, false, 42 * time.Second, ""}},
		"event: 429, a date in the past": {"create_event", anEvent, reply(429, map[string]string{"Date": date, "Retry-After": "Fri, 20 Nov 2020 12:00:42 GMT"}, ""), failure{wire.RateLimited, false, time.Second, ""}},
		"event: 503 with a time":         {"create_event", anEvent, reply(503, map[string]string{"Retry-After": "30"}, htmlError), failure{wire.Unavailable, false, 30 * time.Second, ""}},
		"profile: 200 in HTML":           {"upsert_profile", aProfile, reply(200, map[string]string{"Content-Type": "text/html"}, htmlError), failure{wire.Unavailable, false, 0, `200 ("text/html") with something that its API does not`}},
		"profile: 200 empty":             {"upsert_profile", aProfile, reply(200, nil, ""), failure{wire.Unavailable, false, 0, "unexpected end of JSON input"}},
		"profile: 200 with 5 MiB":        {"upsert_profile", aProfile, reply(200, nil, `{"data":{"id":"1"}}`+strings.Repeat(" ", 5<<20)), failure{wire.Unavailable, false, 0, "more than 1048576 bytes"}},
		"profile: 201 without an id":     {"upsert_profile", aProfile, reply(201, nil, `{"data":{}}`), failure{wire.Unavailable, false, 0, "without the profile's id"}},
		"profile: an id of another type": {"upsert_profile", aProfile, reply(200, nil, `{"data":{"id":7}}`), failure{wire.Unavailable, false, 0, "something that its API does not"}},
		"profile: 202":                   {"upsert_profile", aProfile, reply(202, nil, ""), failure{wire.Unavailable, false, 0, "202"}},
		"profile: cut short":             {"upsert_profile", aProfile, reply(200, map[string]string{"Content-Length": "100"}, `{"data":`), failure{wire.Unavailable, false, 0, "unexpected EOF"}},
		"profile: a hostile type": {"upsert_profile", aProfile, reply(200, map[string]string{"Content-Type": strings.Repeat("\xff", 1000)}, ""),
			failure{wire.Unavailable, false, 0, "something that its API does not"}},
		"profile: 409 without an id": {"upsert_profile", aProfile, reply(409, map[string]string{"Content-Type": jsonAPI}, `{"errors":[]}`), failure{wire.Conflict, true, 0, "belongs to another profile"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := invoke(against(t, c.handler), c.action, "k", c.input)
			if c.want.code == "" {
				if err != nil {
					t.Errorf("failed: %v", err)
				}
				return
			}
			c.want.check(t, err)
			if len(err.Error()) > 3000 || !utf8.ValidString(err.Error()) {
				t.Errorf("message of %d bytes: %q", len(err.Error()), err)
			}
		})
	}
}

// What is not HTTP at all is quoted by net/http as it came; neither the key nor broken text may pass.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"not HTTP":            "\xff\xfe" + key + "\r\n\r\n",
		"a broken header":     "HTTP/1.1 202 Accepted\r\n\xff\xfe" + key + "\r\n\r\n",
		"a long broken line":  "HTTP/1.1 202 Accepted\r\n" + strings.Repeat("\xff€", 10_000) + "\r\n\r\n",
		"headers without end": "HTTP/1.1 202 Accepted\r\nA: " + strings.Repeat("x", 12<<20),
		"a broken chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\xff" + key + "\r\n",
		"nothing":             "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := against(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, raw)
				_ = conn.Close()
			}))
			_, err := invoke(h, "upsert_profile", "k", aProfile)
			failure{wire.Unavailable, false, 0, "klaviyo"}.check(t, err)
			if len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
				t.Errorf("message of %d bytes: %q", len(err.Error()), err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	h := configured(t, &http.Client{}, server.URL)
	_, err := invoke(h, "create_event", "k", anEvent)
	failure{wire.Unavailable, false, 0, "calling klaviyo at 127.0.0.1"}.check(t, err)
}

func TestSlowAnswersEndWithTheClientsTime(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(release <-chan struct{}) http.HandlerFunc{
		"no answer": func(release <-chan struct{}) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { <-release }
		},
		"an answer that does not end": func(release <-chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"data":`)
				w.(http.Flusher).Flush()
				<-release
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			server := httptest.NewServer(handler(release))
			defer server.Close()
			defer close(release)
			h := configured(t, &http.Client{Timeout: 100 * time.Millisecond}, server.URL)
			_, err := invoke(h, "upsert_profile", "k", aProfile)
			failure{wire.Unavailable, false, 0, "exceeded"}.check(t, err)
		})
	}
}

// The end of an attempt's time ends the request, too: the vendor that hangs sees the caller leave.
func TestEndOfTheAttemptsTime(t *testing.T) {
	t.Parallel()
	sim := klaviyosim.New(klaviyosim.Config{APIKey: key})
	sim.Hang()
	ctx, end := context.WithCancel(t.Context())
	left := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		end()
		sim.ServeHTTP(w, r)
	}))
	defer server.Close()
	result, err := klaviyo.NewWithClient(&http.Client{}).Invoke(ctx, wire.Invocation{
		Action: "create_event", Input: json.RawMessage(anEvent), IdempotencyKey: "k",
		Config: json.RawMessage(`{"api_key":"` + key + `","base_url":"` + server.URL + `"}`),
	}, nil)
	if err != nil || result.Failure == nil {
		t.Fatalf("got %+v, %v", result, err)
	}
	failure{wire.Unavailable, false, 0, "calling klaviyo"}.check(t, result.Failure)
	<-left
	if n := len(sim.Events()); n > 0 {
		t.Errorf("%d events recorded", n)
	}
}
