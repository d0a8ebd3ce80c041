package labels_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/plugins/labels"
	"github.com/shophand/shophand/plugins/labels/labelssim"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const key = "EZTKsimulated0123456789"

// shop is a plugin under test beside the simulator that it talks to.
type shop struct {
	*sdktest.Harness
	sim *labelssim.Sim
}

func newShop(t testing.TB) shop {
	t.Helper()
	sim := labelssim.New(labelssim.Config{APIKey: key, RetryAfter: 7 * time.Second, Now: clock})
	return shop{serve(t, sim), sim}
}

func clock() time.Time { return time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC) }

// serve starts a vendor on loopback and a plugin that is connected to it.
func serve(t testing.TB, vendor http.Handler) *sdktest.Harness {
	t.Helper()
	server := httptest.NewServer(vendor)
	t.Cleanup(server.Close)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p := labels.NewWithClient(server.Client())
	p.SetLogger(slog.New(slog.DiscardHandler))
	h := sdktest.New(t, p)
	if err := h.Configure(config(server.URL + "/v2")); err != nil {
		t.Fatal(err)
	}
	return h
}

func config(base string) map[string]any {
	return map[string]any{"api_key": key, "base_url": base, "from": address("Sender Shop", "2 Depot Road")}
}

func address(company, street string) map[string]any {
	return map[string]any{"company": company, "line1": street, "city": "Springfield", "province": "IL", "zip": "62701", "country": "US"}
}

// parcel returns an input for a parcel within the country, changed by pairs of field and value.
func parcel(pairs ...any) map[string]any {
	in := map[string]any{"to": address("Receiver Ltd", "1 Sample Street"), "parcel": map[string]any{"weight_grams": 450}}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i].(string)] = pairs[i+1]
	}
	return in
}

func (s shop) buy(key string, in map[string]any) (labels.BuyOutput, error) {
	return sdktest.Decode[labels.BuyOutput](s.Invoke(sdktest.Call{Action: "buy", Input: in, Key: key}))
}

// wantFailure checks of what kind an error is and that it says a text.
func wantFailure(t *testing.T, err error, code wire.Code, permanent bool, text string) *wire.Failure {
	t.Helper()
	var f *wire.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure %s", err, code)
	}
	if f.Code != code || f.Permanent != permanent || !strings.Contains(f.Message, text) {
		t.Errorf("got %s, permanent %v: %q; want %s, permanent %v, with %q", f.Code, f.Permanent, f.Message, code, permanent, text)
	}
	if strings.Contains(f.Message, key) {
		t.Errorf("the failure shows the API key: %q", f.Message)
	}
	return f
}

func TestDescription(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(labels.New().Description(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "description.golden")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the description changed; if it should, run go test -update and look at the difference\n%s", got)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	p := labels.New()
	p.SetLogger(slog.New(slog.DiscardHandler))
	h := sdktest.New(t, p)
	for name, c := range map[string]struct {
		config map[string]any
		want   string
	}{
		"key alone":              {map[string]any{"api_key": key}, ""},
		"all":                    {map[string]any{"api_key": key, "base_url": "https://easypost.example.com/v2/", "from": address("A", "1 B"), "label_format": "PDF"}, ""},
		"a stand-in here":        {map[string]any{"api_key": key, "base_url": "http://localhost:9000/v2"}, ""},
		"no key":                 {map[string]any{}, "api_key"},
		"empty key":              {map[string]any{"api_key": ""}, "not an EasyPost API key"},
		"key with a line break":  {map[string]any{"api_key": key + "\n"}, "not an EasyPost API key"},
		"plain http elsewhere":   {map[string]any{"api_key": key, "base_url": "http://easypost.example.com/v2"}, "must be https"},
		"another scheme":         {map[string]any{"api_key": key, "base_url": "file:///etc/passwd"}, "https://host/path"},
		"password in the url":    {map[string]any{"api_key": key, "base_url": "https://a:b@example.com/v2"}, "https://host/path"},
		"no url":                 {map[string]any{"api_key": key, "base_url": "https://%zz"}, "not an address"},
		"sender without country": {map[string]any{"api_key": key, "from": map[string]any{"line1": "1 B"}}, "from: the address has no country"},
		"unknown format":         {map[string]any{"api_key": key, "label_format": "GIF"}, "GIF"},
		"unknown field":          {map[string]any{"api_key": key, "colour": "red"}, "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			err := h.Configure(c.config)
			if c.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" {
				wantFailure(t, err, wire.InvalidInput, true, c.want)
			}
		})
	}
}

// A flow writes `to: ${order.shipping_address}`.
func TestAddressIsTheOrders(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	to := commerce.Address{
		Exists: true, FirstName: "Ada", LastName: "Example", Company: "Example GmbH", Line1: "1 Sample Street", Line2: "Floor 2",
		City: "Springfield", Province: "IL", Zip: "62701", Country: "us", Phone: "+1 555 0100",
	}
	if _, err := s.buy("k", parcel("to", to, "reference", "#1001")); err != nil {
		t.Fatal(err)
	}
	got := s.sim.Shipments()[0]
	if want := (labelssim.Address{
		Name: "Ada Example", Company: "Example GmbH", Street1: "1 Sample Street", Street2: "Floor 2", City: "Springfield",
		State: "IL", Zip: "62701", Country: "US", Phone: "+1 555 0100",
	}); got.To != want {
		t.Errorf("sent to %+v, want %+v", got.To, want)
	}
	if got.From.Company != "Sender Shop" || got.InvoiceNumber != "#1001" || got.Reference != "k" {
		t.Errorf("sent from %+v with the number %q and the reference %q", got.From, got.InvoiceNumber, got.Reference)
	}
	fields := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[labels.Address]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[commerce.Address]()) {
		if !fields[f.Tag.Get("json")] {
			t.Errorf("labels.Address lacks commerce.Address's %s", f.Tag.Get("json"))
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	out, err := sdktest.Invoke[labels.RatesOutput](s.Harness, "rates", parcel("from", address("Other Depot", "3 Quay")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.Rates {
		got = append(got, fmt.Sprintf("%s/%s %s %s %dd", r.Carrier, r.Service, r.Rate, r.Currency, r.DeliveryDays))
	}
	want := []string{
		"USPS/GroundAdvantage 6.05 USD 3d", "UPSDAP/Ground 9.43 USD 4d", "USPS/Priority 9.66 USD 2d", "USPS/Express 33.10 USD 2d",
		"UPSDAP/NextDayAir 46.39 USD 1d",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if sent := s.sim.Shipments(); len(sent) != 1 || sent[0].ID != out.ShipmentID || sent[0].From.Company != "Other Depot" || sent[0].Bought {
		t.Errorf("EasyPost holds %+v", sent)
	}
	heavy, err := sdktest.Invoke[labels.RatesOutput](s.Harness, "rates", parcel("parcel", map[string]any{"weight_grams": 90000}))
	if err != nil || len(heavy.Rates) != 0 || heavy.Rates == nil || len(heavy.Messages) != 2 || !strings.Contains(heavy.Messages[0], "USPS: Shipment cannot weigh") {
		t.Errorf("a parcel that nobody takes gives %+v, %v", heavy, err)
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for name, c := range map[string]struct{ in, want string }{
		"an ounce and a little":    {`{"weight_grams":28.36}`, "1.1   "},
		"exactly one ounce":        {`{"weight_grams":"28.349523125"}`, "1   "},
		"the least there is":       {`{"weight_grams":"0.0000001"}`, "0.1   "},
		"a kilogram, rounded up":   {`{"weight_grams":1000}`, "35.3   "},
		"inches exactly":           {`{"weight_grams":500,"length_cm":25.4,"width_cm":"2.54","height_cm":0.254}`, "17.7 10 1 0.1"},
		"inches, rounded up":       {`{"weight_grams":500,"length_cm":30,"width_cm":20,"height_cm":10.1}`, "17.7 11.9 7.9 4"},
		"the most that is allowed": {`{"weight_grams":1000000,"length_cm":10000,"width_cm":1,"height_cm":1}`, "35274 3937.1 0.4 0.4"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := sdktest.Invoke[labels.RatesOutput](s.Harness, "rates", parcel("parcel", json.RawMessage(c.in)))
			if err != nil {
				t.Fatal(err)
			}
			for _, sent := range s.sim.Shipments() {
				if p := sent.Parcel; sent.ID == out.ShipmentID {
					if got := fmt.Sprint(p.Weight, " ", p.Length, " ", p.Width, " ", p.Height); got != c.want {
						t.Errorf("sent %q, want %q", got, c.want)
					}
				}
			}
		})
	}
}

func TestInputIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	without := func(field string) map[string]any {
		a := address("Receiver Ltd", "1 Sample Street")
		a[field] = ""
		return a
	}
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"no country":               {parcel("to", without("country")), "to: the address has no country"},
		"no street":                {parcel("to", without("line1")), "to: the address has no line1 (street)"},
		"neither":                  {parcel("to", map[string]any{"city": "Springfield"}), "no line1 (street) and no country"},
		"country by name":          {parcel("to", map[string]any{"line1": "1 A", "country": "United States"}), "two-letter code"},
		"country in other letters": {parcel("to", map[string]any{"line1": "1 A", "country": "Ü"}), "two-letter code"},
		"no address":               {parcel("to", commerce.Address{}), "to: there is no address"},
		"sender without street":    {parcel("from", without("line1")), "from: the address has no line1"},
		"unknown field":            {parcel("to", map[string]any{"street": "1 A"}), "street"},
		"no weight":                {parcel("parcel", map[string]any{}), "weight_grams"},
		"nothing weighed":          {parcel("parcel", map[string]any{"weight_grams": 0}), "weight_grams is 0; it must be above 0"},
		"negative":                 {parcel("parcel", map[string]any{"weight_grams": 1, "length_cm": -1, "width_cm": 1, "height_cm": 1}), "length_cm is -1"},
		"too much":                 {parcel("parcel", map[string]any{"weight_grams": "1000000.01"}), "at most 1000000"},
		"two measures":             {parcel("parcel", map[string]any{"weight_grams": 1, "length_cm": 1, "width_cm": 1}), "or none of them"},
		"box and measures":         {parcel("parcel", map[string]any{"weight_grams": 1, "length_cm": 1, "width_cm": 1, "height_cm": 1, "predefined_package": "SmallFlatRateBox"}), "not both"},
		"max_rate below 0":         {parcel("max_rate", "-1"), "max_rate is -1"},
		"max_rate not a number":    {parcel("max_rate", "cheap"), "not a decimal"},
		"carriers contradict":      {parcel("service", "USPS/Priority", "carrier", "UPSDAP"), "not one of carrier"},
		"half a service":           {parcel("service", "USPS/"), "like Priority or USPS/Priority"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.buy(name, c.in)
			wantFailure(t, err, wire.InvalidInput, true, c.want)
		})
	}
	if r := s.sim.Requests(); len(r) != 0 {
		t.Errorf("EasyPost was asked: %q", r)
	}
	if err := s.Configure(map[string]any{"api_key": key}); err != nil {
		t.Fatal(err)
	}
	_, err := s.buy("k", parcel())
	wantFailure(t, err, wire.InvalidInput, true, "neither the step nor the connection names a sender")
}

func TestBuyPicks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in       map[string]any
		want     string
		refusals string
	}{
		"the cheapest":              {in: parcel(), want: "USPS GroundAdvantage 6.05"},
		"a service":                 {in: parcel("service", "Priority"), want: "USPS Priority 9.66"},
		"a carrier's service":       {in: parcel("service", "upsdap/ground"), want: "UPSDAP Ground 9.43"},
		"service beside carrier":    {in: parcel("service", "Ground", "carrier", "UPSDAP"), want: "UPSDAP Ground 9.43"},
		"the cheapest of a carrier": {in: parcel("carrier", "UPSDAP"), want: "UPSDAP Ground 9.43"},
		"exactly at the limit":      {in: parcel("max_rate", 6.05), want: "USPS GroundAdvantage 6.05"},
		"over the limit":            {in: parcel("max_rate", "6.04"), refusals: "above max_rate 6.04: USPS/GroundAdvantage 6.05 USD"},
		"a limit of nothing":        {in: parcel("max_rate", 0), refusals: "above max_rate 0"},
		"named, over the limit":     {in: parcel("service", "Express", "max_rate", 10), refusals: "above max_rate 10: USPS/Express 33.10"},
		"unknown service":           {in: parcel("service", "Pigeon"), refusals: "nobody quotes Pigeon"},
		"the other carrier's":       {in: parcel("service", "UPSDAP/Priority"), refusals: "there are: USPS/GroundAdvantage 6.05 USD, UPSDAP/Ground"},
		"too heavy for all":         {in: parcel("parcel", map[string]any{"weight_grams": 90000}), refusals: "no carrier quotes a rate"},
		"too heavy, in their words": {in: parcel("parcel", map[string]any{"weight_grams": 90000}), refusals: "UPSDAP: Shipment cannot weigh more than 2400oz"},
		"abroad":                    {in: parcel("to", map[string]any{"line1": "1 Rue Exemple", "city": "Paris", "country": "FR"}), want: "USPS FirstClassPackageInternationalService 23.05"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			out, err := s.buy("k", c.in)
			if c.refusals != "" {
				wantFailure(t, err, wire.InvalidInput, true, c.refusals)
				if bought := s.sim.Labels(); len(bought) != 0 {
					t.Errorf("bought %+v", bought)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			bought := s.sim.Labels()
			if len(bought) != 1 {
				t.Fatalf("bought %d labels", len(bought))
			}
			want := labels.BuyOutput{
				ShipmentID: bought[0].ID, TrackingCode: bought[0].TrackingCode, Carrier: bought[0].Carrier, Service: bought[0].Service,
				Rate: bought[0].Rate, Currency: "USD", LabelURL: bought[0].LabelURL, TrackerURL: out.TrackerURL,
			}
			if got := fmt.Sprintf("%s %s %s", out.Carrier, out.Service, out.Rate); got != c.want || !reflect.DeepEqual(out, want) {
				t.Errorf("got %+v, want %s of %+v", out, c.want, want)
			}
			if out.TrackerURL == "" || s.sim.Spent().Cmp(out.Rate) != 0 {
				t.Errorf("tracker %q, spent %s", out.TrackerURL, s.sim.Spent())
			}
		})
	}
}

func TestLabelFormat(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{APIKey: key})
	server := httptest.NewServer(sim)
	defer server.Close()
	p := labels.NewWithClient(server.Client())
	p.SetLogger(slog.New(slog.DiscardHandler))
	s := shop{sdktest.New(t, p), sim}
	c := config(server.URL + "/v2/")
	c["label_format"] = "PDF"
	if err := s.Configure(c); err != nil {
		t.Fatal(err)
	}
	if out, err := s.buy("k", parcel()); err != nil || !strings.HasSuffix(out.LabelURL, ".pdf") {
		t.Errorf("got %q, %v", out.LabelURL, err)
	}
}

// Attempts of many steps at once share one HTTP client; run with -race.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const n = 24
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := s.buy(fmt.Sprint("run-", i, "/ship"), parcel()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(s.sim.Labels()); got != n {
		t.Errorf("bought %d labels, want %d", got, n)
	}
}

// answer is a vendor that gives the same answer to every request of a kind.
type answer map[string]string // method and last part of the path → body; "find" for a look by reference

func (a answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	what := "create"
	switch {
	case r.Method == http.MethodGet:
		what = "find"
	case strings.HasSuffix(r.URL.Path, "/buy"), strings.HasSuffix(r.URL.Path, "/rerate"):
		what = filepath.Base(r.URL.Path)
	}
	body, ok := a[what]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, body)
}
