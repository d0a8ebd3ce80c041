package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// checkoutJSON is what is read of a checkout, or of a cart, which has less.
type checkoutJSON struct {
	Token            id                 `json:"token"`
	Email            string             `json:"email"`
	Phone            string             `json:"phone"`
	Currency         string             `json:"currency"`
	TotalPrice       amount             `json:"total_price"`
	SubtotalPrice    amount             `json:"subtotal_price"`
	TotalDiscounts   amount             `json:"total_discounts"`
	Customer         *customerJSON      `json:"customer"`
	CustomerLocale   string             `json:"customer_locale"`
	AcceptsMarketing *bool              `json:"buyer_accepts_marketing"`
	BillingAddress   addressJSON        `json:"billing_address"`
	ShippingAddress  addressJSON        `json:"shipping_address"`
	LineItems        []lineJSON         `json:"line_items"`
	DiscountCodes    []discountCodeJSON `json:"discount_codes"`
	RecoveryURL      string             `json:"abandoned_checkout_url"`
	Note             string             `json:"note"`
	NoteAttributes   pairs              `json:"note_attributes"`
	CreatedAt        moment             `json:"created_at"`
	UpdatedAt        moment             `json:"updated_at"`
	CompletedAt      moment             `json:"completed_at"`
}

// checkout translates a checkout. Its id is the token, because that is what an order names the checkout by that
// it came from; the number that Shopify gives it too is in no other message.
func (w *checkoutJSON) checkout() *commerce.Checkout {
	c := &commerce.Checkout{
		Exists: true, ID: string(w.Token), Token: string(w.Token), Email: w.Email, Phone: w.Phone, Currency: w.Currency,
		Total: w.TotalPrice.Decimal, Subtotal: w.SubtotalPrice.Decimal, TotalDiscounts: w.TotalDiscounts.Decimal,
		BillingAddress: w.BillingAddress.address(), ShippingAddress: w.ShippingAddress.address(),
		LineItems: lines(w.LineItems), DiscountCodes: codes(w.DiscountCodes), RecoveryURL: w.RecoveryURL, Note: w.Note,
		Attributes: w.NoteAttributes.strings(), CreatedAt: w.CreatedAt.pointer(), UpdatedAt: w.UpdatedAt.pointer(),
		CompletedAt: w.CompletedAt.pointer(),
	}
	c.Customer = w.Customer.buyer(buyer{
		email: c.Email, phone: c.Phone, locale: w.CustomerLocale, acceptsMarketing: w.AcceptsMarketing,
		addresses: []commerce.Address{c.BillingAddress, c.ShippingAddress},
	})
	return c
}

// checkout translates a webhook that carries a checkout or a cart.
func (m message) checkout(typ string) (event.Event, error) {
	var w checkoutJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.Token == "" {
		return event.Event{}, m.missing("token")
	}
	c := w.checkout()
	if typ == "cart.updated" {
		w.sum(c)
	}
	data := commerce.Data{Checkout: c}
	if typ == "checkout.created" {
		return m.event(typ, c.ID, event.Once(typ, c.ID), data, w.CreatedAt), nil
	}
	return m.event(typ, c.ID, event.Version(typ, c.ID, w.UpdatedAt.version(), data), data, w.UpdatedAt), nil
}

// sum gives a cart its totals and its currency, which Shopify states on the lines only.
func (w *checkoutJSON) sum(c *commerce.Checkout) {
	for i, l := range c.LineItems {
		c.Total = c.Total.Add(l.Total)
		c.TotalDiscounts = c.TotalDiscounts.Add(l.TotalDiscount)
		c.Currency = first(c.Currency, w.LineItems[i].PriceSet.Shop.Currency)
	}
	c.Subtotal = c.Total
}
