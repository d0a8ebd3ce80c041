package woosim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/shophand/shophand/sdk/commerce"
)

// Order says what an order is like. The zero value is a guest's paid order of nothing, in euros.
type Order struct {
	Status        string // "processing" where empty
	Currency      string // "EUR" where empty
	CustomerID    int64  // 0: a guest
	Billing       Address
	Shipping      Address
	PaymentMethod string // "bacs" where empty; "cod" is paid when it is completed
	Note          string
	CreatedVia    string // "checkout" where empty
	Lines         []Line
	ShippingCost  commerce.Decimal
	Fees          []Fee
	Coupon        string           // its code; what it takes off is in the lines
	TaxPercent    commerce.Decimal // on top of all
	Meta          map[string]string
}

// Address is an address of an order.
type Address struct {
	FirstName, LastName, Company, Address1, Address2, City, State, Postcode, Country, Email, Phone string
}

// Line is one line of an order.
type Line struct {
	ProductID, VariationID int64
	Name                   string
	ParentName             string // of the product, where the line is of a variation
	SKU                    string
	Quantity               int64            // 1 where 0
	Price                  commerce.Decimal // of one, before discounts, without tax
	Discount               commerce.Decimal // off the line
}

// Fee is a fee of an order.
type Fee struct {
	Name   string
	Amount commerce.Decimal
}

// storedOrder is an order as the store keeps it: the payload without what follows from other fields.
type storedOrder struct {
	orderPayload
	created, modified, completed, paid time.Time
}

// make turns a description into an order. The caller holds the lock.
func (s *Store) make(spec Order) (*storedOrder, error) {
	places := fractionDigits(or(spec.Currency, "EUR"))
	money := func(d commerce.Decimal) string { return d.Round(places).String() }
	tax := func(d commerce.Decimal) commerce.Decimal {
		return d.Mul(spec.TaxPercent).Mul(commerce.MustDecimal("0.01")).Round(places)
	}
	now := s.config.Now().UTC().Truncate(time.Second)
	o := &storedOrder{created: now, modified: now}
	o.ID = s.next
	s.next++
	o.Number = o.id()
	o.OrderKey = fmt.Sprintf("wc_order_sim%010d", o.ID)
	o.Currency, o.Version = or(spec.Currency, "EUR"), "10.0.2"
	o.CurrencySymbol = symbol(o.Currency)
	o.CustomerID = spec.CustomerID
	o.Billing, o.Shipping = spec.Billing.billing(), spec.Shipping.shipping()
	o.PaymentMethod = or(spec.PaymentMethod, "bacs")
	o.PaymentMethodTitle = paymentTitle(o.PaymentMethod)
	o.CreatedVia, o.CustomerNote = or(spec.CreatedVia, "checkout"), spec.Note
	o.LineItems, o.FeeLines, o.ShippingLines = []linePayload{}, []feePayload{}, []shippingPayload{}
	o.TaxLines, o.CouponLines, o.Refunds, o.MetaData = []taxPayload{}, []couponPayload{}, []refundPayload{}, []metaPayload{}

	var net, discount, discountTax, cartTax commerce.Decimal
	for _, l := range spec.Lines {
		quantity := max(l.Quantity, 1)
		subtotal := l.Price.Mul(commerce.DecimalFromInt(quantity))
		total := subtotal.Sub(l.Discount)
		if total.Sign() < 0 {
			return nil, fmt.Errorf("line %q: the discount is more than the line", l.Name)
		}
		line := linePayload{
			ID: s.nextRow(), Name: l.Name, ProductID: l.ProductID, VariationID: l.VariationID, Quantity: quantity,
			Subtotal: money(subtotal), SubtotalTax: money(tax(subtotal)), Total: money(total), TotalTax: money(tax(total)),
			Taxes: []lineTaxPayload{}, MetaData: []lineMetaPayload{}, SKU: l.SKU, Price: float(total, quantity),
			Image: imagePayload{ID: json.RawMessage(`""`)},
		}
		if l.ParentName != "" {
			line.ParentName, line.Image.ID = &l.ParentName, json.RawMessage(`0`)
		}
		if spec.TaxPercent.Sign() > 0 {
			line.Taxes = append(line.Taxes, lineTaxPayload{ID: 1, Total: line.TotalTax, Subtotal: line.SubtotalTax})
		}
		line.MetaData = append(line.MetaData, reducedStock(s.nextRow(), quantity))
		o.LineItems = append(o.LineItems, line)
		net, cartTax = net.Add(total), cartTax.Add(tax(total))
		discount, discountTax = discount.Add(l.Discount), discountTax.Add(tax(subtotal).Sub(tax(total)))
	}
	for _, f := range spec.Fees {
		o.FeeLines = append(o.FeeLines, feePayload{
			ID: s.nextRow(), Name: f.Name, TaxStatus: "taxable", Total: money(f.Amount), TotalTax: money(tax(f.Amount)),
			Taxes: []lineTaxPayload{{ID: 1, Total: money(tax(f.Amount))}}, MetaData: []lineMetaPayload{},
		})
		net, cartTax = net.Add(f.Amount), cartTax.Add(tax(f.Amount))
	}
	shippingTax := tax(spec.ShippingCost)
	if spec.ShippingCost.Sign() > 0 || spec.Shipping != (Address{}) {
		o.ShippingLines = append(o.ShippingLines, shippingPayload{
			ID: s.nextRow(), MethodTitle: "Flat rate", MethodID: "flat_rate", Total: money(spec.ShippingCost), TotalTax: money(shippingTax),
			Taxes: []lineTaxPayload{{ID: 1, Total: money(shippingTax)}}, TaxStatus: "taxable", MetaData: []lineMetaPayload{},
		})
	}
	if spec.TaxPercent.Sign() > 0 {
		o.TaxLines = append(o.TaxLines, taxPayload{
			ID: s.nextRow(), RateCode: "VAT-1", RateID: 1, Label: "VAT", TaxTotal: money(cartTax), ShippingTaxTotal: money(shippingTax),
			RatePercent: json.Number(spec.TaxPercent.String()), MetaData: []lineMetaPayload{},
		})
	}
	if spec.Coupon != "" {
		o.CouponLines = append(o.CouponLines, couponPayload{
			ID: s.nextRow(), Code: spec.Coupon, Discount: money(discount), DiscountTax: money(discountTax), MetaData: []lineMetaPayload{},
			DiscountType: "fixed_cart", NominalAmount: json.Number(discount.String()),
		})
	}
	o.DiscountTotal, o.DiscountTax = money(discount), money(discountTax)
	o.ShippingTotal, o.ShippingTax, o.CartTax = money(spec.ShippingCost), money(shippingTax), money(cartTax)
	o.TotalTax = money(cartTax.Add(shippingTax))
	o.Total = money(net.Add(spec.ShippingCost).Add(cartTax).Add(shippingTax))
	for key, value := range sorted(spec.Meta) {
		raw, _ := json.Marshal(value) // text
		s.setMeta(o, key, raw)
	}
	s.setStatus(o, or(spec.Status, "processing"))
	return o, nil
}

// setStatus is WC_Order::set_status: it dates the first payment and the first completion.
func (s *Store) setStatus(o *storedOrder, status string) {
	now := s.config.Now().UTC().Truncate(time.Second)
	o.Status, o.modified = status, now
	paidWhen := "processing"
	if o.PaymentMethod == "cod" || len(o.LineItems) == 0 {
		paidWhen = "completed"
	}
	if o.paid.IsZero() && (status == paidWhen || status == "completed") {
		o.paid = now
	}
	if o.completed.IsZero() && status == "completed" {
		o.completed = now
	}
}

func (s *Store) refund(o *storedOrder, amount commerce.Decimal, reason string) {
	places := fractionDigits(o.Currency)
	o.modified = s.config.Now().UTC().Truncate(time.Second)
	refund := refundPayload{ID: s.next, Reason: reason, Total: amount.Neg().Round(places).String()}
	s.next++ // refunds and orders share their ids
	o.Refunds = append([]refundPayload{refund}, o.Refunds...)
	back := commerce.Decimal{}
	for _, r := range o.Refunds {
		back = back.Sub(commerce.MustDecimal(r.Total))
	}
	if back.Cmp(commerce.MustDecimal(o.Total)) >= 0 {
		s.setStatus(o, "refunded")
	}
}

// setMeta is WC_Data::update_meta_data without an id: it changes the key's first row, or adds one.
func (s *Store) setMeta(o *storedOrder, key string, value json.RawMessage) {
	o.modified = s.config.Now().UTC().Truncate(time.Second)
	for i := range o.MetaData {
		if o.MetaData[i].Key == key {
			o.MetaData[i].Value = value
			return
		}
	}
	o.MetaData = append(o.MetaData, metaPayload{ID: s.nextRow(), Key: key, Value: value})
}

// fractionDigits of the currencies that have not two.
func fractionDigits(currency string) int32 {
	switch currency {
	case "JPY", "KRW", "VND", "CLP":
		return 0
	case "KWD", "BHD", "TND", "OMR", "JOD":
		return 3
	}
	return 2
}

func symbol(currency string) string {
	switch currency {
	case "EUR":
		return "€"
	case "USD":
		return "$"
	case "GBP":
		return "£"
	case "JPY":
		return "¥"
	}
	return currency
}

func paymentTitle(method string) string {
	switch method {
	case "bacs":
		return "Direct bank transfer"
	case "cod":
		return "Cash on delivery"
	}
	return strings.ToUpper(method[:1]) + method[1:]
}

// float is an amount divided as PHP divides, to the digits that a float has.
func float(total commerce.Decimal, quantity int64) json.Number {
	of, err := decimal.NewFromString(total.String())
	if err != nil {
		return "0"
	}
	return json.Number(of.DivRound(decimal.NewFromInt(quantity), 14).String())
}

func reducedStock(row, quantity int64) lineMetaPayload {
	n := json.RawMessage(strconv.Quote(strconv.FormatInt(quantity, 10)))
	return lineMetaPayload{ID: row, Key: "_reduced_stock", Value: n, DisplayKey: "_reduced_stock", DisplayValue: n}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
