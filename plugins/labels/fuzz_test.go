package labels

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
)

type vendor func(*http.Request) (*http.Response, error)

func (v vendor) RoundTrip(r *http.Request) (*http.Response, error) { return v(r) }

// FuzzAnswer has EasyPost answer anything to the look, the creation and the purchase. Nothing panics, and an
// attempt that succeeds has a label, a price and an id.
func FuzzAnswer(f *testing.F) {
	const rate = `{"id":"rate_1","carrier":"USPS","service":"Priority","rate":"5.00","currency":"USD"}`
	for _, seed := range []struct {
		status int
		find   string
		create string
		buy    string
	}{
		{404, `{"error":{"code":"NOT_FOUND","errors":["gone"],"message":"no"}}`, `{"id":"shp_1","rates":[` + rate + `]}`,
			`{"id":"shp_1","tracking_code":"94","selected_rate":` + rate + `,"postage_label":{"label_url":"https://x.example.com/l.png"}}`},
		{200, `{"id":"shp_1","reference":"k","selected_rate":` + rate + `,"postage_label":{"label_url":"https://x.example.com/l.png"}}`, ``, ``},
		{200, `{"id":"shp_1","reference":"k"}`, `{"rates":[` + rate + `]}`, `{"id":"shp_1"}`},
		{500, `null`, `null`, `null`},
		{422, `{"error":{"message":[{"a":["b"]}],"errors":{"to":["bad"]}}}`, `[]`, `{}`},
	} {
		f.Add(seed.status, seed.find, seed.create, seed.buy)
	}
	request := sdk.Request[Config, BuyInput]{
		Config: Config{APIKey: "EZTKsimulated", From: Address{Line1: "2 Depot Road", Country: "US"}},
		Input: BuyInput{RatesInput: RatesInput{
			To: Address{Line1: "1 Sample Street", Country: "US"}, Parcel: Parcel{WeightGrams: commerce.DecimalFromInt(450)},
		}},
		IdempotencyKey: "k", Log: slog.New(slog.DiscardHandler),
	}
	f.Fuzz(func(t *testing.T, status int, find, create, buy string) {
		s := &service{client: &http.Client{Transport: vendor(func(r *http.Request) (*http.Response, error) {
			status, body := status, find
			switch {
			case strings.HasSuffix(r.URL.Path, "/buy"):
				status, body = 200, buy
			case r.Method == http.MethodPost:
				status, body = 200, create
			}
			if status < 100 || status > 599 {
				return nil, errors.New("no answer")
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}}
		out, err := s.buy(t.Context(), request)
		if err == nil && (!identifier(out.ShipmentID) || !webURL(out.LabelURL) || out.Rate.Sign() < 0 || out.Currency == "") {
			t.Errorf("success with %+v", out)
		}
		if err != nil && err.Error() == "" {
			t.Error("an error that says nothing")
		}
	})
}
