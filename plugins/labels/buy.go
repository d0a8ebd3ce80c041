package labels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/EasyPost/easypost-go/v5"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/wire"
)

// BuyInput says which parcel goes where, and which label may be bought.
type BuyInput struct {
	RatesInput
	Service string            `json:"service,omitempty" jsonschema:"service as EasyPost names it, alone or with its carrier: Priority, USPS/Priority; else the cheapest"`
	Carrier string            `json:"carrier,omitempty" jsonschema:"only this carrier"`
	MaxRate *commerce.Decimal `json:"max_rate,omitempty" jsonschema:"buy nothing above this, in the currency of the rates"`
}

// BuyOutput is the label. TrackingCode is empty where the service is not tracked.
type BuyOutput struct {
	ShipmentID   string           `json:"shipment_id"`
	TrackingCode string           `json:"tracking_code"`
	Carrier      string           `json:"carrier"`
	Service      string           `json:"service"`
	Rate         commerce.Decimal `json:"rate" jsonschema:"what was paid"`
	Currency     string           `json:"currency"`
	LabelURL     string           `json:"label_url"`
	TrackerURL   string           `json:"tracker_url,omitempty" jsonschema:"page where the buyer follows the parcel"`
}

// buy buys one label per idempotency key. The key is the shipment's reference, under which every attempt looks
// first. Three things can be there: nothing, so the shipment is created; a shipment that is not bought, because
// an earlier attempt ended in between, so that one is bought; a bought one, so its label is the result. Where it
// stays unknown whether a purchase happened (no answer, or one that says nothing), the attempt fails as
// unavailable and the next one looks again.
//
// A shipment found keeps the addresses and the parcel that it was created with: who corrects a refused address
// starts the run anew, which makes a new key.
//
// EasyPost does not promise that references are unique, nor which of two shipments it returns. There can only be
// two where a shipment appears after the attempt that created it was given up and the next one has looked.
func (s *service) buy(ctx context.Context, req sdk.Request[Config, BuyInput]) (BuyOutput, error) {
	draft, err := req.Config.draft(req.Input.RatesInput)
	if err != nil {
		return BuyOutput{}, err
	}
	want, err := req.Input.choice()
	if err != nil {
		return BuyOutput{}, err
	}
	if draft.Reference, err = referenceFor(req.IdempotencyKey); err != nil {
		return BuyOutput{}, err
	}
	api, err := s.easyPost(req.Config)
	if err != nil {
		return BuyOutput{}, err
	}

	shipment, err := api.find(ctx, draft.Reference)
	switch {
	case err != nil:
		return BuyOutput{}, err
	case shipment == nil:
		if shipment, err = api.create(ctx, draft); err != nil {
			return BuyOutput{}, err
		}
	case bought(shipment):
		req.Log.Info("the label was bought by an earlier attempt", "shipment", shipment.ID)
		return label(shipment)
	default: // a retry or a replay may come days later: the rates of then are no longer for sale
		if shipment.Rates, err = api.rerate(ctx, shipment.ID); err != nil {
			return BuyOutput{}, err
		}
	}

	rate, err := want.pick(shipment)
	if err != nil {
		return BuyOutput{}, err
	}
	paid, err := api.buy(ctx, shipment.ID, rate.ID)
	if refusedWith(err, postageExists) {
		paid, err = api.get(ctx, shipment.ID)
	}
	if err != nil {
		return BuyOutput{}, err
	}
	out, err := label(paid)
	if err == nil {
		req.Log.Info("label bought", "shipment", out.ShipmentID, "carrier", out.Carrier, "service", out.Service, "rate", out.Rate.String(), "currency", out.Currency)
	}
	return out, err
}

// referenceFor returns the reference that stands for an idempotency key: the key itself where it can stand in
// the path of a request, else its hash. A slash or a dot cannot: the one parts the path, the other parts off a
// file format; and what looks like an id would be taken for one.
func referenceFor(key string) (string, error) {
	switch {
	case key == "":
		return "", sdk.Permanent(errors.New("the host gave no idempotency key, without which a label could be bought twice"))
	case identifier(key) && !strings.HasPrefix(key, "shp_"):
		return key, nil
	}
	sum := sha256.Sum256([]byte(key))
	return "key-" + hex.EncodeToString(sum[:])[:40], nil
}

// choice is which rate may be bought. Empty carrier and service mean any.
type choice struct {
	carrier, service string
	max              *commerce.Decimal
}

func (in BuyInput) choice() (choice, error) {
	c := choice{carrier: strings.TrimSpace(in.Carrier), service: strings.TrimSpace(in.Service), max: in.MaxRate}
	if carrier, service, ok := strings.Cut(c.service, "/"); ok {
		if c.carrier != "" && !strings.EqualFold(c.carrier, carrier) {
			return choice{}, invalid(fmt.Errorf("service %q is not one of carrier %q", in.Service, in.Carrier))
		}
		if carrier == "" || service == "" {
			return choice{}, invalid(fmt.Errorf("service %q must be like Priority or USPS/Priority", in.Service))
		}
		c.carrier, c.service = carrier, service
	}
	if c.max != nil && c.max.Sign() < 0 {
		return choice{}, invalid(fmt.Errorf("max_rate is %s; it must not be below 0", c.max))
	}
	return c, nil
}

// pick returns the cheapest rate that may be bought.
func (c choice) pick(shipment *easypost.Shipment) (Rate, error) {
	rates, err := quoted(shipment)
	if err != nil {
		return Rate{}, err
	}
	if len(rates) == 0 {
		why := "EasyPost does not say why"
		if said := messages(shipment); len(said) > 0 {
			why = strings.Join(said, "; ")
		}
		return Rate{}, invalid(fmt.Errorf("no carrier quotes a rate for shipment %s: %s", shipment.ID, why))
	}
	var found []Rate
	for _, r := range rates {
		if (c.carrier == "" || strings.EqualFold(c.carrier, r.Carrier)) && (c.service == "" || strings.EqualFold(c.service, r.Service)) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return Rate{}, invalid(fmt.Errorf("nobody quotes %s for shipment %s; there are: %s", c, shipment.ID, list(rates)))
	}
	cheapest := found[0]
	if last := found[len(found)-1]; last.Currency != cheapest.Currency { // sorted by currency first
		return Rate{}, invalid(fmt.Errorf("the rates of shipment %s are in %s and %s, which have no cheapest; name carrier and service: %s",
			shipment.ID, cheapest.Currency, last.Currency, list(found)))
	}
	if c.max != nil && cheapest.Rate.Cmp(*c.max) > 0 {
		return Rate{}, invalid(fmt.Errorf("the cheapest rate for shipment %s is above max_rate %s: %s", shipment.ID, c.max, list(found[:1])))
	}
	return cheapest, nil
}

func (c choice) String() string {
	switch {
	case c.service == "":
		return c.carrier
	case c.carrier == "":
		return c.service
	}
	return c.carrier + "/" + c.service
}

func list(rates []Rate) string {
	var names []string
	for _, r := range rates[:min(len(rates), 30)] {
		names = append(names, fmt.Sprintf("%s/%s %s %s", r.Carrier, r.Service, r.Rate, r.Currency))
	}
	return short(strings.Join(names, ", "))
}

// bought tells whether any sign says that a label was paid for.
func bought(s *easypost.Shipment) bool {
	return s.PostageLabel != nil || s.SelectedRate != nil || s.TrackingCode != ""
}

// label reads the label off a bought shipment. Where one is missing the money is spent and the label may yet
// come, so that the attempt is worth repeating: it looks, it does not buy.
func label(s *easypost.Shipment) (BuyOutput, error) {
	if s.SelectedRate == nil || s.PostageLabel == nil || !webURL(s.PostageLabel.LabelURL) {
		return BuyOutput{}, sdk.Fail(wire.Unavailable, fmt.Errorf("EasyPost's answer holds no label and rate of shipment %s; look at it there before a label is bought by hand", s.ID))
	}
	rate, err := readRate(s.SelectedRate)
	if err != nil {
		return BuyOutput{}, sdk.Fail(wire.Unavailable, fmt.Errorf("shipment %s is bought, but: %w", s.ID, err))
	}
	out := BuyOutput{
		ShipmentID: s.ID, TrackingCode: s.TrackingCode, Carrier: rate.Carrier, Service: rate.Service,
		Rate: rate.Rate, Currency: rate.Currency, LabelURL: s.PostageLabel.LabelURL,
	}
	if s.Tracker != nil && webURL(s.Tracker.PublicURL) {
		out.TrackerURL = s.Tracker.PublicURL
	}
	return out, nil
}

func buyExample() sdk.Option {
	limit := commerce.MustDecimal("12.00")
	return sdk.WithExample("Buy the cheapest label up to 12", BuyInput{RatesInput: exampleInput(), MaxRate: &limit}, BuyOutput{
		ShipmentID: "shp_40b6f049f00348b18de3804a26f7fd62", TrackingCode: "9434600208303109842228", Carrier: "USPS",
		Service: "GroundAdvantage", Rate: commerce.MustDecimal("8.20"), Currency: "USD",
		LabelURL:   "https://easypost-files.s3.us-west-2.amazonaws.com/files/postage_label/20250509/e8bbb027.png",
		TrackerURL: "https://track.easypost.com/djE6dHJrX2JlYmU3MzU3",
	})
}
