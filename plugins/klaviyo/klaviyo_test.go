package klaviyo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

const key = "pk_0123456789abcdef"

// start is the simulator's time.
var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// against runs the plugin, configured for a server that answers with handler.
func against(t *testing.T, handler http.Handler) *sdktest.Harness {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return configured(t, server.Client(), server.URL)
}

func configured(t *testing.T, c *http.Client, url string) *sdktest.Harness {
	t.Helper()
	p := klaviyo.NewWithClient(c)
	p.SetLogger(slog.New(slog.DiscardHandler))
	h := sdktest.New(t, p)
	if err := h.Configure(map[string]any{"api_key": key, "base_url": url}); err != nil {
		t.Fatal(err)
	}
	return h
}

// withSim runs the plugin against the simulator; the published contract judges all that goes between them.
func withSim(t *testing.T) (*sdktest.Harness, *klaviyosim.Sim) {
	t.Helper()
	sim := klaviyosim.New(klaviyosim.Config{APIKey: key, Now: func() time.Time { return start }})
	return against(t, judged(t, sim)), sim
}

// invoke carries out one attempt with an input in JSON.
func invoke(h *sdktest.Harness, action, key, input string) (json.RawMessage, error) {
	return h.Invoke(sdktest.Call{Action: action, Key: key, Input: json.RawMessage(input)})
}

// failure is what is expected of a failed attempt.
type failure struct {
	code      wire.Code
	permanent bool
	after     time.Duration
	message   string // a part of it
}

func (want failure) check(t *testing.T, err error) {
	t.Helper()
	var f *wire.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure %s", err, want.code)
	}
	if f.Code != want.code || f.Permanent != want.permanent || f.RetryAfter != want.after || !strings.Contains(f.Message, want.message) {
		t.Errorf("got %+v, want %+v", *f, want)
	}
	if strings.Contains(f.Message, key) {
		t.Errorf("the message shows the key: %s", f.Message)
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(klaviyo.New().Description())
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", "\t"); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", "description.golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the plugin's description has changed; if that is meant, run go test -update:\n%s", got.Bytes())
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, klaviyo.NewWithClient(&http.Client{}))
	for name, c := range map[string]struct{ config, refused string }{
		"a private key":              {`{"api_key":"pk_0123456789abcdef0123456789abcdef01"}`, ""},
		"an account's address":       {`{"api_key":"pk_a","base_url":"https://proxy.example.com/klaviyo/"}`, ""},
		"a stand-in on this machine": {`{"api_key":"pk_a","base_url":"http://127.0.0.1:9999"}`, ""},
		"a stand-in by its name":     {`{"api_key":"pk_a","base_url":"http://klaviyosim:8080"}`, ""},
		"no key":                     {`{}`, "api_key"},
		"an empty key":               {`{"api_key":""}`, "api_key is empty"},
		"a public key":               {`{"api_key":"AbC123"}`, "not a private key"},
		"a key with spaces around":   {`{"api_key":" pk_a\n"}`, "spaces around it"},
		"a key that breaks a header": {`{"api_key":"pk_a\r\nX: y"}`, "not a private key"},
		"no scheme":                  {`{"api_key":"pk_a","base_url":"a.klaviyo.com"}`, "not an address like"},
		"another scheme":             {`{"api_key":"pk_a","base_url":"file:///etc/passwd"}`, "not an address like"},
		"a password in the address":  {`{"api_key":"pk_a","base_url":"https://u:hunter2@example.com"}`, "host and a path only"},
		"a query in the address":     {`{"api_key":"pk_a","base_url":"https://example.com?x=1"}`, "host and a path only"},
		"a control character":        {`{"api_key":"pk_a","base_url":"https://example.com/\u0001hunter2"}`, "not an address"},
		"a key sent unencrypted":     {`{"api_key":"pk_a","base_url":"http://a.klaviyo.com"}`, "use https"},
		"an unknown setting":         {`{"api_key":"pk_a","list":"x"}`, "list"},
	} {
		t.Run(name, func(t *testing.T) {
			err := h.Configure(json.RawMessage(c.config))
			if c.refused == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			failure{wire.InvalidInput, true, 0, c.refused}.check(t, err)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("shows a password: %v", err)
			}
		})
	}
}

// A configuration that was stored before a rule came is refused when it is used, not sent.
func TestInvokeChecksTheConfiguration(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, klaviyo.NewWithClient(&http.Client{}))
	_ = h.Configure(map[string]any{"api_key": ""})
	_, err := invoke(h, "create_event", "k", `{"metric":"Placed Order","email":"ada@example.com"}`)
	failure{wire.InvalidInput, true, 0, "api_key is empty"}.check(t, err)
}

func TestPrivateAddressesAreRefusedByAStrictClient(t *testing.T) {
	t.Parallel()
	sim := klaviyosim.New(klaviyosim.Config{APIKey: key})
	server := httptest.NewServer(sim)
	defer server.Close()
	h := configured(t, safehttp.New(safehttp.Options{}), server.URL)
	_, err := invoke(h, "create_event", "k", `{"metric":"Placed Order","email":"ada@example.com"}`)
	failure{wire.InvalidInput, true, 0, "private and loopback addresses are refused"}.check(t, err)
	if calls := sim.Calls(); len(calls) > 0 {
		t.Errorf("called: %v", calls)
	}
}

func TestRefusedInputIsNotSent(t *testing.T) {
	t.Parallel()
	h, sim := withSim(t)
	for name, c := range map[string]struct{ action, input, message string }{
		"event of nobody":            {"create_event", `{"metric":"Placed Order"}`, "no profile is named: give at least one of email, phone, external_id and profile_id"},
		"event of an empty guest":    {"create_event", `{"metric":"Placed Order","email":"","phone":" ","external_id":"","profile_id":""}`, "no profile is named"},
		"event without a metric":     {"create_event", `{"email":"ada@example.com"}`, "metric"},
		"event of an empty metric":   {"create_event", `{"metric":"","email":"ada@example.com"}`, "fewer than 1"},
		"metric of 128 characters":   {"create_event", `{"metric":"` + strings.Repeat("m", 128) + `","email":"ada@example.com"}`, "more than 127"},
		"value that is no number":    {"create_event", `{"metric":"m","email":"ada@example.com","value":"much"}`, "much"},
		"properties that are a list": {"create_event", `{"metric":"m","email":"ada@example.com","properties":[1]}`, `want "object"`},
		"currency by its sign":       {"create_event", `{"metric":"m","email":"ada@example.com","value":1,"value_currency":"€"}`, "€"},
		"time that is none":          {"create_event", `{"metric":"m","email":"ada@example.com","time":"yesterday"}`, "yesterday"},
		"unknown field":              {"create_event", `{"metric":"m","email":"ada@example.com","colour":"red"}`, "colour"},
		"national phone":             {"create_event", `{"metric":"m","phone":"020 7946 0000"}`, "not in international form"},
		"national phone of profile":  {"upsert_profile", `{"email":"ada@example.com","phone":"020 7946 0000"}`, "leave phone out"},
		"ambiguous phone":            {"upsert_profile", `{"phone":"+44 (0)20 7946 0000"}`, "(0)"},
		"profile of nobody":          {"upsert_profile", `{"first_name":"Ada"}`, "no profile is named: give at least one of email, phone and external_id"},
		"unknown way of conflict":    {"upsert_profile", `{"email":"ada@example.com","on_conflict":"merge"}`, "first_identifier"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := invoke(h, c.action, "k", c.input)
			failure{wire.InvalidInput, true, 0, c.message}.check(t, err)
		})
	}
	t.Run("more than 400 properties", func(t *testing.T) {
		properties := map[string]int{}
		for i := range 401 {
			properties[strings.Repeat("p", i+1)] = i
		}
		_, err := h.Invoke(sdktest.Call{Action: "create_event", Input: map[string]any{"metric": "m", "email": "ada@example.com", "properties": properties}})
		failure{wire.InvalidInput, true, 0, "properties"}.check(t, err)
	})
	if calls := sim.Calls(); len(calls) > 0 {
		t.Errorf("sent: %v", calls)
	}
}
