package shopify

import (
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// orderJSON is what is read of an order. Fields of the same meaning that older versions of the API have are
// read too.
type orderJSON struct {
	ID                  id                 `json:"id"`
	GID                 id                 `json:"admin_graphql_api_id"`
	Name                string             `json:"name"`
	OrderNumber         id                 `json:"order_number"`
	FinancialStatus     string             `json:"financial_status"`
	FulfillmentStatus   string             `json:"fulfillment_status"`
	CancelReason        string             `json:"cancel_reason"`
	Test                bool               `json:"test"`
	Currency            string             `json:"currency"`
	PresentmentCurrency string             `json:"presentment_currency"`
	TotalPrice          amount             `json:"total_price"`
	TotalPriceSet       moneySet           `json:"total_price_set"`
	SubtotalPrice       amount             `json:"subtotal_price"`
	TotalTax            amount             `json:"total_tax"`
	TotalDiscounts      amount             `json:"total_discounts"`
	TotalShippingSet    moneySet           `json:"total_shipping_price_set"`
	Email               string             `json:"email"`
	ContactEmail        string             `json:"contact_email"`
	Phone               string             `json:"phone"`
	Note                string             `json:"note"`
	Tags                list               `json:"tags"`
	Customer            *customerJSON      `json:"customer"`
	CustomerLocale      string             `json:"customer_locale"`
	AcceptsMarketing    *bool              `json:"buyer_accepts_marketing"`
	BillingAddress      addressJSON        `json:"billing_address"`
	ShippingAddress     addressJSON        `json:"shipping_address"`
	LineItems           []lineJSON         `json:"line_items"`
	ShippingLines       []shippingLineJSON `json:"shipping_lines"`
	DiscountCodes       []discountCodeJSON `json:"discount_codes"`
	Fulfillments        []fulfillmentJSON  `json:"fulfillments"`
	Refunds             []refundJSON       `json:"refunds"`
	Gateways            list               `json:"payment_gateway_names"`
	SourceName          string             `json:"source_name"`
	CheckoutToken       id                 `json:"checkout_token"`
	CartToken           id                 `json:"cart_token"`
	BrowserIP           string             `json:"browser_ip"`
	ClientDetails       struct {
		BrowserIP string `json:"browser_ip"`
	} `json:"client_details"`
	NoteAttributes pairs  `json:"note_attributes"`
	CreatedAt      moment `json:"created_at"`
	UpdatedAt      moment `json:"updated_at"`
	CancelledAt    moment `json:"cancelled_at"`
	ClosedAt       moment `json:"closed_at"`
}

type shippingLineJSON struct {
	ID        id     `json:"id"`
	Title     string `json:"title"`
	Code      string `json:"code"`
	Price     amount `json:"price"`
	IsRemoved bool   `json:"is_removed"`
}

type discountCodeJSON struct {
	Code string `json:"code"`
}

// noOrder is an order that does not exist.
func noOrder() commerce.Order {
	return commerce.Order{
		Customer: noCustomer(), Tags: []string{}, LineItems: []commerce.LineItem{}, ShippingLines: []commerce.ShippingLine{},
		DiscountCodes: []string{}, Fulfillments: []commerce.Fulfillment{}, Refunds: []commerce.Refund{},
		Attributes: map[string]string{},
	}
}

// order translates an order. Total is total_price, what the order was placed for and paid, which edits change
// and refunds do not (current_total_price sinks with them); what was refunded is in TotalRefunded.
func (w *orderJSON) order() *commerce.Order {
	o := &commerce.Order{
		Exists: true, ID: string(w.ID), Name: w.Name, Number: string(w.OrderNumber),
		FinancialStatus: financialStatus(w.FinancialStatus), FulfillmentStatus: fulfillmentStatus(w.FulfillmentStatus),
		Cancelled: !w.CancelledAt.IsZero(), CancelReason: w.CancelReason, Test: w.Test,
		Currency: w.Currency, Total: w.TotalPrice.Decimal, Subtotal: w.SubtotalPrice.Decimal, TotalTax: w.TotalTax.Decimal,
		TotalDiscounts:      w.TotalDiscounts.Decimal,
		PresentmentCurrency: w.PresentmentCurrency, PresentmentTotal: w.TotalPriceSet.Presentment.Amount.orElse(w.TotalPrice.Decimal),
		Email: first(w.Email, w.ContactEmail), Phone: w.Phone, Note: w.Note, Tags: w.Tags.strings(),
		BillingAddress: w.BillingAddress.address(), ShippingAddress: w.ShippingAddress.address(),
		LineItems: lines(w.LineItems), DiscountCodes: codes(w.DiscountCodes),
		ShippingLines: make([]commerce.ShippingLine, 0, len(w.ShippingLines)),
		Fulfillments:  make([]commerce.Fulfillment, 0, len(w.Fulfillments)),
		Refunds:       make([]commerce.Refund, 0, len(w.Refunds)),
		PaymentMethod: strings.Join(w.Gateways, ", "), Channel: w.SourceName,
		CheckoutID: string(first(w.CheckoutToken, w.CartToken)), ClientIP: first(w.BrowserIP, w.ClientDetails.BrowserIP),
		Attributes: w.NoteAttributes.strings(), CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
		CancelledAt: w.CancelledAt.pointer(), ClosedAt: w.ClosedAt.pointer(),
	}
	if o.Number == "" {
		o.Number = strings.TrimPrefix(w.Name, "#")
	}
	if o.PresentmentCurrency == "" {
		o.PresentmentCurrency = first(w.TotalPriceSet.Presentment.Currency, w.Currency)
	}
	switch {
	case o.Cancelled:
		o.PlatformStatus = "cancelled"
	case o.ClosedAt != nil:
		o.PlatformStatus = "closed"
	default:
		o.PlatformStatus = "open"
	}
	var shipping commerce.Decimal
	for _, s := range w.ShippingLines {
		if s.IsRemoved {
			continue
		}
		o.ShippingLines = append(o.ShippingLines, commerce.ShippingLine{ID: string(s.ID), Title: s.Title, Code: s.Code, Price: s.Price.Decimal})
		shipping = shipping.Add(s.Price.Decimal)
	}
	o.TotalShipping = w.TotalShippingSet.Shop.Amount.orElse(shipping)
	for i := range w.Fulfillments {
		o.Fulfillments = append(o.Fulfillments, *w.Fulfillments[i].fulfillment(o.ID))
	}
	if o.FulfillmentStatus == commerce.FulfillmentFulfilled {
		for _, f := range o.Fulfillments {
			if f.CreatedAt != nil && f.Status != "cancelled" && (o.FulfilledAt == nil || f.CreatedAt.After(*o.FulfilledAt)) {
				o.FulfilledAt = f.CreatedAt
			}
		}
	}
	for i := range w.Refunds {
		r := w.Refunds[i].refund(o.ID, o.Currency)
		o.TotalRefunded = o.TotalRefunded.Add(r.Amount)
		o.Refunds = append(o.Refunds, *r)
	}
	o.Customer = w.Customer.buyer(buyer{
		email: o.Email, phone: o.Phone, locale: w.CustomerLocale, acceptsMarketing: w.AcceptsMarketing,
		addresses: []commerce.Address{o.BillingAddress, o.ShippingAddress},
	})
	return o
}

// financialStatus is Shopify's word in the common model; "" where Shopify has a new one. An authorization that
// expired can no longer be captured, as one that was voided.
func financialStatus(s string) string {
	switch s {
	case "", "unpaid", commerce.FinancialPending:
		return commerce.FinancialPending
	case "expired":
		return commerce.FinancialVoided
	case commerce.FinancialAuthorized, commerce.FinancialPartiallyPaid, commerce.FinancialPaid,
		commerce.FinancialPartiallyRefunded, commerce.FinancialRefunded, commerce.FinancialVoided:
		return s
	}
	return ""
}

// fulfillmentStatus is Shopify's word in the common model; "" where Shopify has a new one. "restocked" is a
// cancelled order whose goods went back to the shelf: nothing of it was sent.
func fulfillmentStatus(s string) string {
	switch s {
	case "", "unshipped", "restocked", "not_eligible", commerce.FulfillmentUnfulfilled:
		return commerce.FulfillmentUnfulfilled
	case commerce.FulfillmentPartial, commerce.FulfillmentFulfilled:
		return s
	}
	return ""
}

func codes(w []discountCodeJSON) []string {
	out := make([]string, 0, len(w))
	for _, c := range w {
		if c.Code != "" {
			out = append(out, c.Code)
		}
	}
	return out
}

// first returns the first of its arguments that is not "".
func first[T ~string](all ...T) T {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// order translates a webhook that carries an order.
func (m message) order(typ string) (event.Event, error) {
	var w orderJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	o := w.order()
	data := commerce.Data{Order: o}
	identity, at := event.Once(typ, o.ID), w.UpdatedAt
	switch typ {
	case "order.created":
		at = w.CreatedAt
	case "order.cancelled":
		at = w.CancelledAt
	case "order.updated":
		identity = event.Version(typ, o.ID, w.UpdatedAt.version(), data)
	case "order.partially_fulfilled":
		identity = event.Once(typ, o.ID+lastParcel(o.Fulfillments))
	}
	return m.event(typ, o.ID, identity, data, at, w.UpdatedAt, w.CreatedAt), nil
}

// lastParcel tells one partial fulfillment of an order from the next: each has sent one parcel more.
func lastParcel(all []commerce.Fulfillment) string {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Status != "cancelled" && all[i].ID != "" {
			return "/" + all[i].ID
		}
	}
	return ""
}

// idJSON is what is read of a resource that is gone.
type idJSON struct {
	ID  id `json:"id"`
	GID id `json:"admin_graphql_api_id"`
}

// deleted translates a webhook that tells no more than the id of what is gone.
func (m message) deleted(typ string) (event.Event, error) {
	var w idJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	gone := first(w.ID, w.GID)
	if gone == "" {
		return event.Event{}, m.missing("id")
	}
	var data commerce.Data
	switch typ {
	case "order.deleted":
		data.Order = orderRef(gone)
	case "customer.deleted":
		c := noCustomer()
		c.ID = string(gone)
		data.Customer = &c
	case "product.deleted":
		p := noProduct()
		p.ID = string(gone)
		data.Product = &p
	case "coupon.deleted":
		c := noCoupon()
		c.ID = string(gone)
		data.Coupon = &c
	}
	return m.event(typ, string(gone), event.Deleted(typ, string(gone)), data), nil
}
