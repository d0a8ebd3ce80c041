package labels_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/plugins/labels"
	"github.com/shophand/shophand/plugins/labels/labelssim"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange   func(*labelssim.Sim)
		in        map[string]any
		code      wire.Code
		permanent bool
		after     time.Duration
		want      string
	}{
		"wrong key": {arrange: func(s *labelssim.Sim) { s.FailNext(1, 401) }, code: wire.Unauthorized, permanent: true, want: "UNAUTHORIZED 401"},
		"key switched off": {arrange: func(s *labelssim.Sim) { s.InactiveKey(true) }, code: wire.Unauthorized, permanent: true,
			want: "This api key is no longer active. Please use a different api key or reactivate this key. (APIKEY.INACTIVE 403)"},
		"too many requests": {arrange: func(s *labelssim.Sim) { s.FailNext(1, 429) }, code: wire.RateLimited, after: 7 * time.Second, want: "RATE_LIMITED"},
		"down for a while":  {arrange: func(s *labelssim.Sim) { s.FailNext(1, 503) }, code: wire.Unavailable, after: 7 * time.Second, want: "503"},
		"broken":            {arrange: func(s *labelssim.Sim) { s.FailNext(1, 500) }, code: wire.Unavailable, want: "looking for the shipment"},
		"gateway":           {arrange: func(s *labelssim.Sim) { s.FailNext(1, 502) }, code: wire.Unavailable, want: "502"},
		"refused request":   {arrange: func(s *labelssim.Sim) { s.FailNext(1, 422) }, code: wire.InvalidInput, permanent: true, want: "SHIPMENT.INVALID_PARAMS 422"},
		"no money": {arrange: func(s *labelssim.Sim) { s.InsufficientFunds(true) }, code: wire.Conflict, permanent: true,
			want: "EasyPost refused: Insufficient funds. Please add funds to your account. (PAYMENT_REQUIRED 402)"},
		"bad address": {in: parcel("to", address("R", "000 unknown street")), code: wire.InvalidInput, permanent: true,
			want: "EasyPost refused: Unable to buy postage.; to_address Address not found (SHIPMENT.POSTAGE.FAILURE 422)"},
		"earlier purchase still under way": {arrange: func(s *labelssim.Sim) { s.RefuseBuying("SHIPMENT.PURCHASE.IN_PROGRESS", "Wait.") },
			code: wire.Unavailable, want: "SHIPMENT.PURCHASE.IN_PROGRESS"},
		"carrier too slow": {arrange: func(s *labelssim.Sim) { s.RefuseBuying("SHIPMENT.POSTAGE.TIMED_OUT", "Slow.") },
			code: wire.Unavailable, want: "buying the label of shipment shp_"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			if c.arrange != nil {
				c.arrange(s.sim)
			}
			if c.in == nil {
				c.in = parcel()
			}
			_, err := s.buy("k", c.in)
			f := wantFailure(t, err, c.code, c.permanent, c.want)
			if f.RetryAfter != c.after {
				t.Errorf("not before %s, want %s", f.RetryAfter, c.after)
			}
			if n := len(s.sim.Labels()); n != 0 {
				t.Errorf("bought %d labels", n)
			}
		})
	}
}

func TestWrongKeyAtTheVendor(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if err := s.Configure(map[string]any{"api_key": "EZTKanother", "base_url": "http://127.0.0.1:1/v2", "from": address("S", "2 D")}); err != nil {
		t.Fatal(err)
	}
	_, err := s.buy("k", parcel())
	wantFailure(t, err, wire.Unavailable, false, "connection refused")

	h := serve(t, labelssim.New(labelssim.Config{APIKey: "EZTKanother"}))
	_, err = h.Invoke(sdktest.Call{Action: "rates", Input: parcel()})
	wantFailure(t, err, wire.Unauthorized, true, "creating the shipment")
}

// Without a Retry-After header the plugin itself says when to come back.
func TestPauseOfOurOwn(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{APIKey: key})
	sim.FailNext(1, http.StatusTooManyRequests)
	_, err := serve(t, sim).Invoke(sdktest.Call{Action: "rates", Input: parcel()})
	if f := wantFailure(t, err, wire.RateLimited, false, "RATE_LIMITED"); f.RetryAfter != 5*time.Second {
		t.Errorf("not before %s", f.RetryAfter)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Setenv("SHOPHAND_ALLOW_PRIVATE_HTTP", "")
	sim := labelssim.New(labelssim.Config{})
	server := httptest.NewServer(sim)
	defer server.Close()
	p := labels.New()
	p.SetLogger(slog.New(slog.DiscardHandler))
	h := sdktest.New(t, p)
	if err := h.Configure(config(server.URL + "/v2")); err != nil {
		t.Fatal(err)
	}
	_, err := h.Invoke(sdktest.Call{Action: "rates", Input: parcel()})
	wantFailure(t, err, wire.InvalidInput, true, "private and loopback addresses are refused")
}

const (
	rate     = `{"id":"rate_1","carrier":"USPS","service":"Priority","rate":"5.00","currency":"USD"}`
	created  = `{"id":"shp_1","reference":"k","rates":[` + rate + `]}`
	boughtOK = `{"id":"shp_1","reference":"k","tracking_code":"94","selected_rate":` + rate + `,"postage_label":{"label_url":"https://x.example.com/l.png"},"tracker":{"public_url":"https://t.example.com/1"}}`
)

// What EasyPost (or who stands in for it) answers is never trusted to be what is documented, and no answer makes
// a success of a label that is not there.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		vendor    answer
		code      wire.Code // "" means success
		permanent bool
		want      string
	}{
		"as documented":         {vendor: answer{"create": created, "buy": boughtOK}},
		"tracker without page":  {vendor: answer{"create": created, "buy": strings.Replace(boughtOK, "https://t.example.com/1", "javascript:alert(1)", 1)}},
		"null":                  {vendor: answer{"create": `null`}, code: wire.Unavailable, want: "holds no shipment"},
		"empty object":          {vendor: answer{"create": `{}`}, code: wire.Unavailable, want: "holds no shipment"},
		"nothing":               {vendor: answer{"create": ``}, code: wire.Unavailable, want: "creating the shipment"},
		"not JSON":              {vendor: answer{"create": `<html>`}, code: wire.Unavailable, want: "invalid character"},
		"a list":                {vendor: answer{"create": `[]`}, code: wire.Unavailable, want: "cannot unmarshal"},
		"an id that is a path":  {vendor: answer{"create": `{"id":"../users","rates":[` + rate + `]}`}, code: wire.Unavailable, want: "holds no shipment"},
		"rate as a number":      {vendor: answer{"create": strings.Replace(created, `"5.00"`, `5.00`, 1)}, code: wire.Unavailable, want: "rate"},
		"rate not a number":     {vendor: answer{"create": strings.Replace(created, `5.00`, `NaN`, 1)}, code: wire.Unavailable, want: "not a rate"},
		"negative rate":         {vendor: answer{"create": strings.Replace(created, `5.00`, `-5.00`, 1)}, code: wire.Unavailable, want: "not a rate"},
		"rate without currency": {vendor: answer{"create": strings.Replace(created, `"USD"`, `""`, 1)}, code: wire.Unavailable, want: "not a rate"},
		"huge exponent":         {vendor: answer{"create": strings.Replace(created, `5.00`, `1e999999999`, 1)}, code: wire.Unavailable, want: "not a rate"},
		"rates of null":         {vendor: answer{"create": `{"id":"shp_1","rates":[null],"messages":[null]}`}, code: wire.InvalidInput, permanent: true, want: "does not say why"},
		"several currencies": {vendor: answer{"create": `{"id":"shp_1","rates":[` + rate + `,{"id":"rate_2","carrier":"CP","service":"X","rate":"4.00","currency":"CAD"}]}`},
			code: wire.InvalidInput, permanent: true, want: "in CAD and USD"},
		"another shipment found":  {vendor: answer{"find": `{"id":"shp_2","reference":"other","rates":[` + rate + `]}`}, code: wire.Unavailable, want: "which is another"},
		"found, no reference":     {vendor: answer{"find": `{"id":"shp_2","rates":[` + rate + `]}`}, code: wire.Unavailable, want: "which is another"},
		"found, bought":           {vendor: answer{"find": boughtOK}},
		"found, label missing":    {vendor: answer{"find": `{"id":"shp_1","reference":"k","selected_rate":` + rate + `}`}, code: wire.Unavailable, want: "no label and rate"},
		"found, only tracking":    {vendor: answer{"find": `{"id":"shp_1","reference":"k","tracking_code":"94"}`}, code: wire.Unavailable, want: "no label and rate"},
		"new rates: none":         {vendor: answer{"find": `{"id":"shp_1","reference":"k"}`, "rerate": `{"rates":[]}`}, code: wire.InvalidInput, permanent: true, want: "no carrier quotes"},
		"new rates: null":         {vendor: answer{"find": `{"id":"shp_1","reference":"k"}`, "rerate": `null`}, code: wire.InvalidInput, permanent: true, want: "no carrier quotes"},
		"bought another":          {vendor: answer{"create": created, "buy": strings.Replace(boughtOK, "shp_1", "shp_9", 1)}, code: wire.Unavailable, want: "answered with shipment shp_9"},
		"bought, says null":       {vendor: answer{"create": created, "buy": `null`}, code: wire.Unavailable, want: "holds no shipment"},
		"bought, no label":        {vendor: answer{"create": created, "buy": `{"id":"shp_1","selected_rate":` + rate + `}`}, code: wire.Unavailable, want: "no label and rate"},
		"bought, label a script":  {vendor: answer{"create": created, "buy": strings.Replace(boughtOK, "https://x.example.com/l.png", "javascript:alert(1)", 1)}, code: wire.Unavailable, want: "no label and rate"},
		"bought, rate not a rate": {vendor: answer{"create": created, "buy": strings.Replace(boughtOK, "5.00", "free", 1)}, code: wire.Unavailable, want: "shp_1 is bought, but"},
		"without end":             {vendor: answer{"create": `{"id":"` + strings.Repeat("x", 5<<20) + `"}`}, code: wire.Unavailable, want: "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := serve(t, c.vendor).Invoke(sdktest.Call{Action: "buy", Input: parcel(), Key: "k"})
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFailure(t, err, c.code, c.permanent, c.want)
		})
	}
}

func TestHostileRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		code   wire.Code
		want   string
	}{
		"null":                  {500, `null`, wire.Unavailable, "it gives no reason"},
		"html":                  {502, `<html>`, wire.Unavailable, "(502)"},
		"error is a text":       {422, `{"error":"no"}`, wire.InvalidInput, "it gives no reason"},
		"error is null":         {422, `{"error":null}`, wire.InvalidInput, "it gives no reason"},
		"message is a list":     {422, `{"error":{"code":"X","message":["a",{"message":"b"}],"errors":["c",{"field":"f","message":"d"}]}}`, wire.InvalidInput, "a; b; c; f d (X 422)"},
		"fields of other forms": {422, `{"error":{"code":7,"message":{"x":"y"},"errors":{"to":["bad"]}}}`, wire.InvalidInput, "y; bad (422)"},
		"very long":             {422, `{"error":{"message":"` + strings.Repeat("ü", 40000), wire.InvalidInput, "(422)"},
		"shows the key":         {422, `{"error":{"message":"key ` + key + ` may not"}}`, wire.InvalidInput, "key *** may not"},
		"a redirect":            {307, ``, wire.InvalidInput, "(307)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
			defer elsewhere.Close()
			h := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", elsewhere.URL)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			_, err := h.Invoke(sdktest.Call{Action: "rates", Input: parcel()})
			if f := wantFailure(t, err, c.code, c.code == wire.InvalidInput, c.want); len(f.Message) > 3000 {
				t.Errorf("a failure of %d bytes", len(f.Message))
			}
		})
	}
}
