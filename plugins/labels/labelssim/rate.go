package labelssim

import (
	"fmt"

	"github.com/shophand/shophand/sdk/commerce"
)

type rate struct {
	ID                     string  `json:"id"`
	Object                 string  `json:"object"`
	Mode                   string  `json:"mode"`
	CreatedAt              string  `json:"created_at"`
	UpdatedAt              string  `json:"updated_at"`
	Service                string  `json:"service"`
	Carrier                string  `json:"carrier"`
	CarrierAccountID       string  `json:"carrier_account_id"`
	ShipmentID             string  `json:"shipment_id"`
	Rate                   string  `json:"rate"`
	Currency               string  `json:"currency"`
	RetailRate             string  `json:"retail_rate"`
	RetailCurrency         string  `json:"retail_currency"`
	ListRate               string  `json:"list_rate"`
	ListCurrency           string  `json:"list_currency"`
	BillingType            string  `json:"billing_type"`
	DeliveryDays           int     `json:"delivery_days"`
	DeliveryDate           *string `json:"delivery_date"`
	DeliveryDateGuaranteed bool    `json:"delivery_date_guaranteed"`
	EstDeliveryDays        int     `json:"est_delivery_days"`
}

// tariff is one service's price: a base and so much for each begun ounce, up to a weight.
type tariff struct {
	carrier, account, service string
	international             bool
	baseCents, centsPerOunce  int64
	maxOunces                 int64
	days                      int
}

// tariffs lists what is for sale, carrier by carrier. The limits are 70 and 150 pounds.
func tariffs() []tariff {
	const usps, ups, dhl = "ca_5a1e0c9d7f3b4e628d1c0b9a8f7e6d5c", "ca_1b2c3d4e5f60718293a4b5c6d7e8f901", "ca_90817263544536271809fedcba987654"
	return []tariff{
		{"USPS", usps, "GroundAdvantage", false, 413, 12, 1120, 3},
		{"USPS", usps, "Priority", false, 630, 21, 1120, 2},
		{"USPS", usps, "Express", false, 2750, 35, 1120, 2},
		{"UPSDAP", ups, "Ground", false, 799, 9, 2400, 4},
		{"UPSDAP", ups, "NextDayAir", false, 3999, 40, 2400, 1},
		{"USPS", usps, "FirstClassPackageInternationalService", true, 1425, 55, 64, 14},
		{"DHLExpress", dhl, "ExpressWorldwide", true, 4150, 60, 2400, 4},
	}
}

// quote rates a shipment: one offer of each service that takes the parcel, a message of each carrier of which
// none does. The state is locked.
func (s *Sim) quote(to *shipment) []rate {
	rates, now := []rate{}, s.now()
	to.sellable, to.Messages = map[string]rate{}, []message{}
	weight, err := commerce.ParseDecimal(to.Parcel.Weight.String())
	ounces, fits := weight.Ceil()
	if err != nil || !fits {
		return rates
	}
	silent := map[string]bool{}
	for _, t := range tariffs() {
		if t.international == to.domestic() {
			continue
		}
		if ounces > t.maxOunces {
			if !silent[t.carrier] {
				to.Messages = append(to.Messages, message{Carrier: t.carrier, CarrierAccountID: t.account, Type: "rate_error",
					Message: fmt.Sprintf("Shipment cannot weigh more than %doz", t.maxOunces)})
			}
			silent[t.carrier] = true
			continue
		}
		cents := t.baseCents + t.centsPerOunce*ounces
		r := rate{
			ID: s.id("rate"), Object: "Rate", Mode: mode, CreatedAt: now, UpdatedAt: now, Service: t.service, Carrier: t.carrier,
			CarrierAccountID: t.account, ShipmentID: to.ID, Rate: dollars(cents), Currency: "USD",
			RetailRate: dollars(cents * 5 / 4), RetailCurrency: "USD", ListRate: dollars(cents), ListCurrency: "USD",
			BillingType: "easypost", DeliveryDays: t.days, EstDeliveryDays: t.days,
		}
		rates = append(rates, r)
		to.sellable[r.ID] = r
	}
	return rates
}

func dollars(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
