package woosim

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"
)

// orderPayload is an order as WooCommerce 10.0.2 writes it, every key in its place.
type orderPayload struct {
	ID                 int64             `json:"id"`
	ParentID           int64             `json:"parent_id"`
	Status             string            `json:"status"`
	Currency           string            `json:"currency"`
	Version            string            `json:"version"`
	PricesIncludeTax   bool              `json:"prices_include_tax"`
	DateCreated        *string           `json:"date_created"`
	DateModified       *string           `json:"date_modified"`
	DiscountTotal      string            `json:"discount_total"`
	DiscountTax        string            `json:"discount_tax"`
	ShippingTotal      string            `json:"shipping_total"`
	ShippingTax        string            `json:"shipping_tax"`
	CartTax            string            `json:"cart_tax"`
	Total              string            `json:"total"`
	TotalTax           string            `json:"total_tax"`
	CustomerID         int64             `json:"customer_id"`
	OrderKey           string            `json:"order_key"`
	Billing            billingPayload    `json:"billing"`
	Shipping           addressPayload    `json:"shipping"`
	PaymentMethod      string            `json:"payment_method"`
	PaymentMethodTitle string            `json:"payment_method_title"`
	TransactionID      string            `json:"transaction_id"`
	CustomerIPAddress  string            `json:"customer_ip_address"`
	CustomerUserAgent  string            `json:"customer_user_agent"`
	CreatedVia         string            `json:"created_via"`
	CustomerNote       string            `json:"customer_note"`
	DateCompleted      *string           `json:"date_completed"`
	DatePaid           *string           `json:"date_paid"`
	CartHash           string            `json:"cart_hash"`
	Number             string            `json:"number"`
	MetaData           []metaPayload     `json:"meta_data"`
	LineItems          []linePayload     `json:"line_items"`
	TaxLines           []taxPayload      `json:"tax_lines"`
	ShippingLines      []shippingPayload `json:"shipping_lines"`
	FeeLines           []feePayload      `json:"fee_lines"`
	CouponLines        []couponPayload   `json:"coupon_lines"`
	Refunds            []refundPayload   `json:"refunds"`
	PaymentURL         string            `json:"payment_url"`
	IsEditable         bool              `json:"is_editable"`
	NeedsPayment       bool              `json:"needs_payment"`
	NeedsProcessing    bool              `json:"needs_processing"`
	DateCreatedGMT     *string           `json:"date_created_gmt"`
	DateModifiedGMT    *string           `json:"date_modified_gmt"`
	DateCompletedGMT   *string           `json:"date_completed_gmt"`
	DatePaidGMT        *string           `json:"date_paid_gmt"`
	CurrencySymbol     string            `json:"currency_symbol"`
	Links              links             `json:"_links"`
}

type addressPayload struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Company   string `json:"company"`
	Address1  string `json:"address_1"`
	Address2  string `json:"address_2"`
	City      string `json:"city"`
	State     string `json:"state"`
	Postcode  string `json:"postcode"`
	Country   string `json:"country"`
	Phone     string `json:"phone"`
}

type billingPayload struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Company   string `json:"company"`
	Address1  string `json:"address_1"`
	Address2  string `json:"address_2"`
	City      string `json:"city"`
	State     string `json:"state"`
	Postcode  string `json:"postcode"`
	Country   string `json:"country"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
}

func (a Address) billing() billingPayload {
	return billingPayload(a)
}

func (a Address) shipping() addressPayload {
	return addressPayload{a.FirstName, a.LastName, a.Company, a.Address1, a.Address2, a.City, a.State, a.Postcode, a.Country, a.Phone}
}

type metaPayload struct {
	ID    int64           `json:"id"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

type lineMetaPayload struct {
	ID           int64           `json:"id"`
	Key          string          `json:"key"`
	Value        json.RawMessage `json:"value"`
	DisplayKey   string          `json:"display_key"`
	DisplayValue json.RawMessage `json:"display_value"`
}

type lineTaxPayload struct {
	ID       int64  `json:"id"`
	Total    string `json:"total"`
	Subtotal string `json:"subtotal"`
}

type imagePayload struct {
	ID  json.RawMessage `json:"id"` // "" without an image, 0 of a variation without one
	Src string          `json:"src"`
}

type linePayload struct {
	ID          int64             `json:"id"`
	Name        string            `json:"name"`
	ProductID   int64             `json:"product_id"`
	VariationID int64             `json:"variation_id"`
	Quantity    int64             `json:"quantity"`
	TaxClass    string            `json:"tax_class"`
	Subtotal    string            `json:"subtotal"`
	SubtotalTax string            `json:"subtotal_tax"`
	Total       string            `json:"total"`
	TotalTax    string            `json:"total_tax"`
	Taxes       []lineTaxPayload  `json:"taxes"`
	MetaData    []lineMetaPayload `json:"meta_data"`
	SKU         string            `json:"sku"`
	Price       json.Number       `json:"price"`
	Image       imagePayload      `json:"image"`
	ParentName  *string           `json:"parent_name"`
}

type taxPayload struct {
	ID               int64             `json:"id"`
	RateCode         string            `json:"rate_code"`
	RateID           int64             `json:"rate_id"`
	Label            string            `json:"label"`
	Compound         bool              `json:"compound"`
	TaxTotal         string            `json:"tax_total"`
	ShippingTaxTotal string            `json:"shipping_tax_total"`
	RatePercent      json.Number       `json:"rate_percent"`
	MetaData         []lineMetaPayload `json:"meta_data"`
}

type shippingPayload struct {
	ID          int64             `json:"id"`
	MethodTitle string            `json:"method_title"`
	MethodID    string            `json:"method_id"`
	InstanceID  string            `json:"instance_id"`
	Total       string            `json:"total"`
	TotalTax    string            `json:"total_tax"`
	Taxes       []lineTaxPayload  `json:"taxes"`
	TaxStatus   string            `json:"tax_status"`
	MetaData    []lineMetaPayload `json:"meta_data"`
}

type feePayload struct {
	ID        int64             `json:"id"`
	Name      string            `json:"name"`
	TaxClass  string            `json:"tax_class"`
	TaxStatus string            `json:"tax_status"`
	Amount    string            `json:"amount"`
	Total     string            `json:"total"`
	TotalTax  string            `json:"total_tax"`
	Taxes     []lineTaxPayload  `json:"taxes"`
	MetaData  []lineMetaPayload `json:"meta_data"`
}

type couponPayload struct {
	ID            int64             `json:"id"`
	Code          string            `json:"code"`
	Discount      string            `json:"discount"`
	DiscountTax   string            `json:"discount_tax"`
	MetaData      []lineMetaPayload `json:"meta_data"`
	DiscountType  string            `json:"discount_type"`
	NominalAmount json.Number       `json:"nominal_amount"`
	FreeShipping  bool              `json:"free_shipping"`
}

type refundPayload struct {
	ID     int64  `json:"id"`
	Reason string `json:"reason"`
	Total  string `json:"total"`
}

type links struct {
	Self           []selfLink  `json:"self"`
	Collection     []link      `json:"collection"`
	EmailTemplates []emailLink `json:"email_templates"`
	Customer       []link      `json:"customer,omitempty"`
}

type link struct {
	Href string `json:"href"`
}

type selfLink struct {
	Href        string      `json:"href"`
	TargetHints targetHints `json:"targetHints"`
}

type targetHints struct {
	Allow []string `json:"allow"`
}

type emailLink struct {
	Embeddable bool   `json:"embeddable"`
	Href       string `json:"href"`
}

// payload completes an order with what follows from its other fields.
func (o *storedOrder) payload(c Config) orderPayload {
	p := o.orderPayload
	p.DateCreated, p.DateCreatedGMT = dates(o.created, c.Zone)
	p.DateModified, p.DateModifiedGMT = dates(o.modified, c.Zone)
	p.DateCompleted, p.DateCompletedGMT = dates(o.completed, c.Zone)
	p.DatePaid, p.DatePaidGMT = dates(o.paid, c.Zone)
	p.PaymentURL = c.URL + "/checkout/order-pay/" + o.id() + "/?pay_for_order=true&key=" + o.OrderKey
	p.IsEditable = o.Status == "pending" || o.Status == "on-hold" || o.Status == "auto-draft"
	p.NeedsPayment = (o.Status == "pending" || o.Status == "failed") && o.Total != "0.00"
	p.NeedsProcessing = len(o.LineItems) > 0
	api := c.URL + "/wp-json/wc/v3/"
	self := api + "orders/" + o.id()
	p.Links = links{
		Self:           []selfLink{{self, targetHints{[]string{"GET", "POST", "PUT", "PATCH", "DELETE"}}}},
		Collection:     []link{{api + "orders"}},
		EmailTemplates: []emailLink{{true, self + "/actions/email_templates"}},
	}
	if o.CustomerID > 0 {
		p.Links.Customer = []link{{api + "customers/" + strconv.FormatInt(o.CustomerID, 10)}}
	}
	return p
}

// dates writes a time as WooCommerce does, in the shop's zone and in UTC, both without a zone; null where it has
// not come.
func dates(t time.Time, zone *time.Location) (local, gmt *string) {
	if t.IsZero() {
		return nil, nil
	}
	l, g := t.In(zone).Format("2006-01-02T15:04:05"), t.UTC().Format("2006-01-02T15:04:05")
	return &l, &g
}

func sorted(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
