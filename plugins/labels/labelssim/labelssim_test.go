package labelssim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shophand/shophand/plugins/labels/labelssim"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{Now: clock})
	_, created := ask(t, sim, http.MethodPost, "/v2/shipments", shipment)
	id := created.(map[string]any)["id"].(string)
	rate := firstRate(t, sim, id)
	buy := `{"rate":{"id":"` + rate + `"}}`
	for _, c := range []struct {
		name, method, path, body string
		arrange                  func()
		status                   int
		code                     string
	}{
		{"not JSON", "POST", "/v2/shipments", "<", nil, 400, "BAD_REQUEST"},
		{"empty shipment", "POST", "/v2/shipments", `{"shipment":{}}`, nil, 422, "PARAMETER.REQUIRED"},
		{"no parcel", "POST", "/v2/shipments", `{"shipment":{"to_address":{},"from_address":{}}}`, nil, 422, "PARAMETER.REQUIRED"},
		{"no weight", "POST", "/v2/shipments", `{"shipment":{"to_address":{},"from_address":{},"parcel":{}}}`, nil, 422, "PARCEL.PARAMETERS.INVALID"},
		{"unknown shipment", "GET", "/v2/shipments/shp_0", "", nil, 404, "NOT_FOUND"},
		{"unknown path", "GET", "/v2/trackers", "", nil, 404, "NOT_FOUND"},
		{"rate missing", "POST", "/v2/shipments/" + id + "/buy", `{}`, nil, 422, "PARAMETER.REQUIRED"},
		{"rate unknown", "POST", "/v2/shipments/" + id + "/buy", `{"rate":{"id":"rate_0"}}`, nil, 422, "SHIPMENT.MISSING_RATE"},
		{"no money", "POST", "/v2/shipments/" + id + "/buy", buy, func() { sim.InsufficientFunds(true) }, 402, "PAYMENT_REQUIRED"},
		{"refused", "POST", "/v2/shipments/" + id + "/buy", buy, func() { sim.RefuseBuying("SHIPMENT.POSTAGE.FAILURE", "No.") }, 422, "SHIPMENT.POSTAGE.FAILURE"},
		{"failing", "GET", "/v2/shipments/" + id, "", func() { sim.FailNext(1, 500) }, 500, "INTERNAL_SERVER_ERROR"},
		{"by reference, bought", "POST", "/v2/shipments/order-1/buy", buy, func() { sim.InsufficientFunds(false); sim.RefuseBuying("", "") }, 200, ""},
		{"bought again", "POST", "/v2/shipments/" + id + "/buy", buy, nil, 422, "SHIPMENT.POSTAGE.EXISTS"},
	} {
		if c.arrange != nil {
			c.arrange()
		}
		status, answer := ask(t, sim, c.method, c.path, c.body)
		got := ""
		if e, ok := answer.(map[string]any)["error"].(map[string]any); ok {
			got, _ = e["code"].(string)
			if keys(e) != "code errors message" {
				t.Errorf("%s: an error with the keys %s", c.name, keys(e))
			}
		}
		if status != c.status || got != c.code {
			t.Errorf("%s: got %d %q, want %d %q", c.name, status, got, c.status, c.code)
		}
	}
	labels := sim.Labels()
	if len(labels) != 1 || labels[0].Reference != "order-1" || sim.Spent().Cmp(labels[0].Rate) != 0 || labels[0].Rate.String() != "6.05" {
		t.Errorf("bought %+v for %s", labels, sim.Spent())
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{APIKey: "EZTKright"})
	for key, want := range map[string]int{"": 401, "EZTKwrong": 401, "EZTKright": 404} {
		r := httptest.NewRequest(http.MethodGet, "/v2/shipments/none", nil)
		if key != "" {
			r.SetBasicAuth(key, "")
		}
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		if w.Code != want || want == 401 && !strings.Contains(w.Body.String(), `"code":"UNAUTHORIZED"`) {
			t.Errorf("key %q: %d %s, want %d", key, w.Code, w.Body, want)
		}
	}
}

// Two simulators that are asked the same give the same, byte for byte.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	var answers [2]string
	for i := range answers {
		r := httptest.NewRequest(http.MethodPost, "/v2/shipments", strings.NewReader(shipment))
		r.SetBasicAuth("EZTKsimulated", "")
		w := httptest.NewRecorder()
		labelssim.New(labelssim.Config{Now: clock}).ServeHTTP(w, r)
		answers[i] = w.Body.String()
	}
	if answers[0] != answers[1] {
		t.Errorf("got\n%s and\n%s", answers[0], answers[1])
	}
}
