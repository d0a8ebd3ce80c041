package labels

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/EasyPost/easypost-go/v5"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/wire"
)

// RatesInput says which parcel goes where.
type RatesInput struct {
	To        Address  `json:"to" jsonschema:"the receiver; an order's shipping_address fits"`
	From      *Address `json:"from,omitempty" jsonschema:"the sender; else the connection's"`
	Parcel    Parcel   `json:"parcel"`
	Reference string   `json:"reference,omitempty" jsonschema:"your own number, printed on the label where the carrier has room: the order's name"`
}

// RatesOutput is what carriers charge, cheapest first. Rates in several currencies are grouped by currency.
type RatesOutput struct {
	ShipmentID string   `json:"shipment_id" jsonschema:"EasyPost's shipment, not bought"`
	Rates      []Rate   `json:"rates"`
	Messages   []string `json:"messages,omitempty" jsonschema:"why carriers quoted nothing"`
}

// Rate is one carrier's offer.
type Rate struct {
	ID           string           `json:"id"`
	Carrier      string           `json:"carrier"`
	Service      string           `json:"service"`
	Rate         commerce.Decimal `json:"rate"`
	Currency     string           `json:"currency"`
	DeliveryDays int              `json:"delivery_days,omitempty" jsonschema:"days that the carrier expects to need"`
}

// rates creates a shipment at each attempt: that costs nothing and binds to nothing.
func (s *service) rates(ctx context.Context, req sdk.Request[Config, RatesInput]) (RatesOutput, error) {
	draft, err := req.Config.draft(req.Input)
	if err != nil {
		return RatesOutput{}, err
	}
	api, err := s.easyPost(req.Config)
	if err != nil {
		return RatesOutput{}, err
	}
	shipment, err := api.create(ctx, draft)
	if err != nil {
		return RatesOutput{}, err
	}
	rates, err := quoted(shipment)
	if err != nil {
		return RatesOutput{}, err
	}
	return RatesOutput{ShipmentID: shipment.ID, Rates: rates, Messages: messages(shipment)}, nil
}

// draft returns the shipment to create, or what of the input makes it impossible.
func (c Config) draft(in RatesInput) (*easypost.Shipment, error) {
	from := c.From
	if in.From != nil && !in.From.empty() {
		from = *in.From
	}
	if err := in.To.check("to"); err != nil {
		return nil, err
	}
	if from.empty() {
		return nil, invalid(fmt.Errorf("from: neither the step nor the connection names a sender"))
	}
	if err := from.check("from"); err != nil {
		return nil, err
	}
	parcel, err := in.Parcel.vendor()
	if err != nil {
		return nil, err
	}
	draft := &easypost.Shipment{ToAddress: in.To.vendor(), FromAddress: from.vendor(), Parcel: parcel}
	if in.Reference != "" || c.LabelFormat != "" {
		draft.Options = &easypost.ShipmentOptions{InvoiceNumber: in.Reference, LabelFormat: c.LabelFormat}
	}
	return draft, nil
}

// quoted returns a shipment's rates, cheapest first.
func quoted(shipment *easypost.Shipment) ([]Rate, error) {
	rates := make([]Rate, 0, len(shipment.Rates))
	for _, r := range shipment.Rates {
		if r == nil {
			continue
		}
		rate, err := readRate(r)
		if err != nil {
			return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("shipment %s: %w", shipment.ID, err))
		}
		rates = append(rates, rate)
	}
	slices.SortFunc(rates, func(a, b Rate) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), a.Rate.Cmp(b.Rate),
			cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Service, b.Service), cmp.Compare(a.ID, b.ID))
	})
	return rates, nil
}

func readRate(r *easypost.Rate) (Rate, error) {
	amount, err := commerce.ParseDecimal(r.Rate)
	if err != nil || amount.Sign() < 0 || r.Currency == "" || !identifier(r.ID) {
		return Rate{}, fmt.Errorf("EasyPost quotes %.40q %.10q for %.80q: that is not a rate", r.Rate, r.Currency, r.Carrier+"/"+r.Service)
	}
	return Rate{
		ID: r.ID, Carrier: r.Carrier, Service: r.Service, Rate: amount, Currency: r.Currency,
		DeliveryDays: max(r.DeliveryDays, 0),
	}, nil
}

// messages tells why carriers quoted nothing, in their own words.
func messages(shipment *easypost.Shipment) []string {
	const most = 20
	var out []string
	for _, m := range shipment.Messages {
		if m != nil && len(out) < most {
			out = append(out, short(strings.TrimPrefix(m.Carrier+": "+m.Message, ": ")))
		}
	}
	return out
}

func ratesExample() sdk.Option {
	return sdk.WithExample("Ask for an order's shipping rates", exampleInput(), RatesOutput{
		ShipmentID: "shp_40b6f049f00348b18de3804a26f7fd62",
		Rates: []Rate{{
			ID: "rate_5d76435160da498fb8976b64f9f69b06", Carrier: "USPS", Service: "GroundAdvantage",
			Rate: commerce.MustDecimal("8.20"), Currency: "USD",
		}},
	})
}

func exampleInput() RatesInput {
	return RatesInput{
		To: Address{
			FirstName: "Ada", LastName: "Example", Line1: "1 Sample Street", City: "Springfield", Province: "IL",
			Zip: "62701", Country: "US",
		},
		Parcel:    Parcel{WeightGrams: commerce.DecimalFromInt(450)},
		Reference: "#1001",
	}
}
