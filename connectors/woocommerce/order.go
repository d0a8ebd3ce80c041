package woocommerce

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/shophand/shophand/sdk/commerce"
)

func (o *order) head() head { return head{o.ID, o.DateCreatedGMT, o.DateModifiedGMT} }

// data translates an order. WooCommerce gives the amounts of lines and of shipping without tax, also where the
// shop's prices include it, and so do we. Fees are in no line of the common model: they are the difference that
// the total has to subtotal, shipping and tax. Which lines are shipped is not told: all are taken to be, in an
// order that has a way of shipping.
func (o *order) data() (commerce.Data, error) {
	if o.Total == "" {
		return commerce.Data{}, errors.New("it has no total, so it is no order")
	}
	var c amounts
	id, currency := o.ID.id(), o.Currency.text()
	total := c.read("total", o.Total)
	out := &commerce.Order{
		Exists: true, ID: id, Number: o.Number.text(), PlatformStatus: strings.TrimPrefix(o.Status.text(), "wc-"),
		Currency: currency, Total: total, TotalTax: c.read("total_tax", o.TotalTax),
		TotalShipping: c.read("shipping_total", o.ShippingTotal), TotalDiscounts: c.read("discount_total", o.DiscountTotal),
		PresentmentCurrency: currency, PresentmentTotal: total,
		Email: o.Billing.Email.text(), Phone: o.Billing.Phone.text(), Note: o.CustomerNote.text(), Tags: tagsOf(o.MetaData),
		Customer: o.customer(), BillingAddress: o.Billing.translate(), ShippingAddress: o.Shipping.translate(),
		LineItems: make([]commerce.LineItem, 0, len(o.LineItems)), ShippingLines: make([]commerce.ShippingLine, 0, len(o.ShippingLines)),
		DiscountCodes: []string{}, Fulfillments: []commerce.Fulfillment{}, Refunds: make([]commerce.Refund, 0, len(o.Refunds)),
		PaymentMethod: o.PaymentMethod.text(), Channel: o.CreatedVia.text(), ClientIP: o.CustomerIP.text(),
		Attributes: attributes(o.MetaData, tagsKey), PaidAt: o.DatePaidGMT.time(), FulfilledAt: o.DateCompletedGMT.time(),
	}
	if out.Number == "" {
		out.Number = id
	}
	out.Name = "#" + out.Number
	if at := o.DateCreatedGMT.time(); at != nil {
		out.CreatedAt, out.UpdatedAt = *at, *at
	}
	if at := o.DateModifiedGMT.time(); at != nil {
		out.UpdatedAt = *at
	}
	for i := range o.LineItems {
		if l := &o.LineItems[i]; l.ID != "" || l.Name != "" { // else no object: PHP's false or null
			line := l.translate(&c)
			line.RequiresShipping = len(o.ShippingLines) > 0
			out.Subtotal = out.Subtotal.Add(line.Total)
			out.LineItems = append(out.LineItems, line)
		}
	}
	for _, l := range o.ShippingLines {
		out.ShippingLines = append(out.ShippingLines, commerce.ShippingLine{
			ID: l.ID.id(), Title: l.MethodTitle.title(), Code: l.MethodID.text(), Price: c.read("shipping_lines total", l.Total),
		})
	}
	for _, l := range o.CouponLines {
		if l.Code != "" {
			out.DiscountCodes = append(out.DiscountCodes, l.Code.title())
		}
	}
	for _, r := range o.Refunds {
		if r.ID == "" && r.Total == "" {
			continue
		}
		amount := c.read("refunds total", r.Total)
		if amount.Sign() < 0 {
			amount = amount.Neg()
		}
		out.TotalRefunded = out.TotalRefunded.Add(amount)
		out.Refunds = append(out.Refunds, commerce.Refund{
			Exists: true, ID: r.ID.id(), OrderID: id, Currency: currency, Amount: amount, Reason: r.Reason.text(),
			LineItems: []commerce.LineItem{},
		})
	}
	if c.err != nil {
		return commerce.Data{}, c.err
	}
	setStatus(out)
	return commerce.Data{Order: out}, nil
}

// customer is who bought. An order holds no more of a customer than the id and the billing address.
func (o *order) customer() commerce.Customer {
	id := o.CustomerID.id()
	return commerce.Customer{
		Exists: id != "", ID: id, Email: o.Billing.Email.text(), Phone: o.Billing.Phone.text(),
		FirstName: firstText(o.Billing.FirstName, o.Shipping.FirstName), LastName: firstText(o.Billing.LastName, o.Shipping.LastName),
		Currency: o.Currency.text(), DefaultAddress: o.Billing.translate(), Tags: []string{}, Attributes: map[string]string{},
	}
}

// noOrder is the order of that id of which nothing else is known, or which is gone.
func noOrder(id string) *commerce.Order {
	return &commerce.Order{
		ID: id, Tags: []string{}, Customer: *noCustomer(""), LineItems: []commerce.LineItem{}, ShippingLines: []commerce.ShippingLine{},
		DiscountCodes: []string{}, Fulfillments: []commerce.Fulfillment{}, Refunds: []commerce.Refund{}, Attributes: map[string]string{},
	}
}

func (l *lineItem) translate(c *amounts) commerce.LineItem {
	subtotal, total := c.read("line_items subtotal", l.Subtotal), c.read("line_items total", l.Total)
	out := commerce.LineItem{
		ID: l.ID.id(), ProductID: l.ProductID.id(), VariantID: l.VariationID.id(), SKU: l.SKU.text(), Title: l.Name.title(),
		Total: total, TotalTax: c.read("line_items total_tax", l.TotalTax), Properties: attributes(l.MetaData),
	}
	if n := l.Quantity.count(); n != nil {
		out.Quantity = *n
	}
	out.Taxable = out.TotalTax.Sign() != 0
	if parent := l.ParentName.title(); parent != "" { // "T-Shirt - S, red" of the product "T-Shirt"
		if choice, ok := strings.CutPrefix(out.Title, parent+" - "); ok {
			out.Title, out.VariantTitle = parent, choice
		}
	}
	if l.Subtotal == "" {
		out.Price = withoutNoise(c.read("line_items price", l.Price))
		return out
	}
	out.TotalDiscount = subtotal.Sub(total)
	out.Price = unitPrice(subtotal, c.read("line_items quantity", l.Quantity))
	return out
}

// unitPrice is the price of one before discounts. It is not the line's own field price, which is after
// discounts and a float of PHP's (11.97 / 3 can come as 3.9900000000000002): it follows from the exact subtotal,
// with its digits where they are enough and four more where they are not.
func unitPrice(subtotal, quantity commerce.Decimal) commerce.Decimal {
	if quantity.Sign() <= 0 {
		return subtotal
	}
	of, err1 := decimal.NewFromString(subtotal.String())
	by, err2 := decimal.NewFromString(quantity.String())
	if err1 != nil || err2 != nil {
		return subtotal
	}
	places := max(-of.Exponent(), 0)
	price := of.DivRound(by, places)
	if !price.Mul(by).Equal(of) {
		places += 4
		price = of.DivRound(by, places)
	}
	if d, err := commerce.ParseDecimal(price.StringFixed(places)); err == nil {
		return d
	}
	return subtotal
}

// withoutNoise is a number that PHP wrote from a float, without the noise that older settings of PHP show in the
// seventeenth digit: 9.9900000000000002 is 9.99.
func withoutNoise(d commerce.Decimal) commerce.Decimal {
	s := d.String()
	if _, fraction, _ := strings.Cut(s, "."); len(fraction) < 13 {
		return d
	}
	rounded := strings.TrimRight(strings.TrimRight(d.Round(10).String(), "0"), ".")
	if r, err := commerce.ParseDecimal(rounded); err == nil {
		return r
	}
	return d
}

// amounts reads amounts and keeps the first error, with the field's name.
type amounts struct{ err error }

func (c *amounts) read(field string, l loose) commerce.Decimal {
	d, err := l.decimal()
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("%s: %q is not an amount", field, clip(l.text(), 40))
	}
	return d
}
