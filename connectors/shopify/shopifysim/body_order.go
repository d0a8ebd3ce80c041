package shopifysim

import (
	"strconv"
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
)

// The functions here and in the other files named body_… make bodies of webhooks with every key that Shopify's
// published examples of API version 2026-04 have.

// till writes the amounts of one order in both of its currencies.
type till struct {
	currency    string
	presentment Presentment
}

func (s *Sim) till(p Presentment) till {
	if p.Currency == "" {
		p = Presentment{Currency: s.config.Currency, Rate: commerce.DecimalFromInt(1)}
	}
	return till{s.config.Currency, p}
}

// digits is how many fraction digits a currency has.
func digits(currency string) int32 {
	switch currency {
	case "JPY", "KRW", "VND", "CLP":
		return 0
	case "KWD", "BHD", "OMR", "JOD", "TND":
		return 3
	}
	return 2
}

func (t till) text(d commerce.Decimal) string { return d.Round(digits(t.currency)).String() }

// set is an amount of the shop's currency in both.
func (t till) set(d commerce.Decimal) object {
	seen := d.Mul(t.presentment.Rate).Round(digits(t.presentment.Currency))
	return object{
		"shop_money":        object{"amount": t.text(d), "currency_code": t.currency},
		"presentment_money": object{"amount": seen.String(), "currency_code": t.presentment.Currency},
	}
}

// order is the body of the topics orders/create, updated, paid, fulfilled and their like.
func (s *Sim) order(o *storedOrder) object {
	t := s.till(o.Presentment)
	var none, lines, refunded commerce.Decimal
	weight := int64(0)
	for _, l := range o.Lines {
		lines = lines.Add(l.Price.Mul(commerce.DecimalFromInt(l.Quantity)))
		weight += l.Grams * l.Quantity
	}
	subtotal := lines.Sub(o.Discount)
	total := subtotal.Add(o.Shipping)
	for _, r := range o.Refunds {
		refunded = refunded.Add(r.Amount)
	}
	current, outstanding := total.Sub(refunded), none
	status := o.FinancialStatus
	if status == "" {
		status = "paid"
	}
	if status == "pending" || status == "authorized" {
		outstanding = total
	}
	gateway := o.Gateway
	if gateway == "" {
		gateway = "bogus"
	}
	body := object{
		"id": o.ID, "admin_graphql_api_id": gid("Order", o.ID), "app_id": nil, "browser_ip": nil, "buyer_accepts_marketing": false,
		"cancel_reason": orNull(o.CancelReason), "cancelled_at": timeOrNull(o.CancelledAt), "cart_token": nil, "checkout_token": nil,
		"client_details": nil, "closed_at": nil, "confirmation_number": nil, "confirmed": true, "contact_email": orNull(o.email()),
		"created_at": stamp(o.CreatedAt), "currency": s.config.Currency, "current_shipping_price_set": t.set(o.Shipping),
		"current_subtotal_price": t.text(subtotal), "current_subtotal_price_set": t.set(subtotal),
		"current_total_additional_fees_set": nil, "current_total_discounts": t.text(o.Discount),
		"current_total_discounts_set": t.set(o.Discount), "current_total_duties_set": nil, "current_total_price": t.text(current),
		"current_total_price_set": t.set(current), "current_total_tax": t.text(none), "current_total_tax_set": t.set(none),
		"customer_locale": "en", "device_id": nil, "discount_codes": []object{}, "duties_included": false,
		"email": orNull(o.email()), "estimated_taxes": false, "financial_status": status,
		"fulfillment_status": orNull(o.FulfillmentStatus), "landing_site": nil, "landing_site_ref": nil, "location_id": nil,
		"merchant_business_entity_id": "MTIzNDU2Nzg5", "merchant_of_record_app_id": nil, "name": o.name(), "note": orNull(o.Note),
		"note_attributes": properties(o.Attributes), "number": o.Number - 1000, "order_number": o.Number,
		"order_status_url":                   "https://" + s.config.Shop + "/orders/" + strconv.FormatInt(o.ID, 10),
		"original_total_additional_fees_set": nil,
		"original_total_duties_set":          nil,
		"payment_gateway_names":              []string{gateway},
		"phone":                              nil,
		"po_number":                          nil,
		"presentment_currency":               t.presentment.Currency,
		"processed_at":                       stamp(o.CreatedAt),
		"reference":                          nil,
		"referring_site":                     nil,
		"source_identifier":                  nil,
		"source_name":                        "web",
		"source_url":                         nil,
		"subtotal_price":                     t.text(subtotal),
		"subtotal_price_set":                 t.set(subtotal),
		"tags":                               strings.Join(o.Tags, ", "),
		"tax_exempt":                         false,
		"tax_lines":                          []object{},
		"taxes_included":                     true,
		"test":                               o.Test,
		"token":                              strconv.FormatInt(o.ID, 36),
		"total_cash_rounding_payment_adjustment_set": t.set(none),
		"total_cash_rounding_refund_adjustment_set":  t.set(none),
		"total_discounts":            t.text(o.Discount),
		"total_discounts_set":        t.set(o.Discount),
		"total_line_items_price":     t.text(lines),
		"total_line_items_price_set": t.set(lines),
		"total_outstanding":          t.text(outstanding),
		"total_price":                t.text(total),
		"total_price_set":            t.set(total),
		"total_shipping_price_set":   t.set(o.Shipping),
		"total_tax":                  t.text(none),
		"total_tax_set":              t.set(none),
		"total_tip_received":         t.text(none),
		"total_weight":               weight,
		"updated_at":                 stamp(o.UpdatedAt),
		"user_id":                    nil,
		"billing_address":            o.Address.body(),
		"customer":                   nil,
		"discount_applications":      []object{},
		"fulfillments":               s.fulfillments(o),
		"line_items":                 s.lines(o, t),
		"payment_terms":              nil,
		"refunds":                    s.refunds(o, t),
		"shipping_address":           o.Address.body(),
		"shipping_lines":             []object{},
		"returns":                    []object{},
		"line_item_groups":           []object{},
	}
	if o.Customer != nil {
		body["customer"] = o.Customer.inOrder(s.config.Currency)
	}
	if o.Shipping.Sign() > 0 {
		body["shipping_lines"] = []object{s.shippingLine(o, t)}
	}
	if o.DiscountCode != "" {
		body["discount_codes"] = []object{{"code": o.DiscountCode, "amount": t.text(o.Discount), "type": "fixed_amount"}}
		body["discount_applications"] = []object{{
			"target_type": "line_item", "type": "discount_code", "value": t.text(o.Discount), "value_type": "fixed_amount",
			"allocation_method": "across", "target_selection": "all", "code": o.DiscountCode,
		}}
	}
	return body
}

// email is the order's own, else its customer's.
func (o *storedOrder) email() string {
	if o.Email == "" && o.Customer != nil {
		return o.Customer.Email
	}
	return o.Email
}

func (s *Sim) shippingLine(o *storedOrder, t till) object {
	return object{
		"id": o.ID + 1_000_000, "carrier_identifier": nil, "code": "standard", "current_discounted_price_set": t.set(o.Shipping),
		"discounted_price": t.text(o.Shipping), "discounted_price_set": t.set(o.Shipping), "is_removed": false, "phone": nil,
		"price": t.text(o.Shipping), "price_set": t.set(o.Shipping), "requested_fulfillment_service_id": nil, "source": "shopify",
		"title": "Standard", "tax_lines": []object{}, "discount_allocations": []object{},
	}
}

// lines are the lines of an order; the whole discount is allocated to the first.
func (s *Sim) lines(o *storedOrder, t till) []object {
	out := make([]object, 0, len(o.Lines))
	for i, l := range o.Lines {
		body := l.body(t)
		body["attributed_staffs"] = []object{}
		body["current_quantity"] = l.Quantity
		body["sales_line_item_group_id"] = nil
		if i == 0 && o.Discount.Sign() > 0 {
			body["discount_allocations"] = []object{{"amount": t.text(o.Discount), "amount_set": t.set(o.Discount), "discount_application_index": 0}}
		}
		out = append(out, body)
	}
	return out
}

// body is a line as fulfillments and refunds hold it too.
func (l Line) body(t till) object {
	name := l.Title
	if l.VariantTitle != "" {
		name += " - " + l.VariantTitle
	}
	return object{
		"id": l.ID, "admin_graphql_api_id": gid("LineItem", l.ID), "fulfillable_quantity": l.Quantity, "fulfillment_service": "manual",
		"fulfillment_status": nil, "gift_card": l.GiftCard, "grams": l.Grams, "name": name, "price": t.text(l.Price),
		"price_set": t.set(l.Price), "product_exists": l.ProductID != 0, "product_id": numberOrNull(l.ProductID),
		"properties": properties(l.Properties), "quantity": l.Quantity, "requires_shipping": !l.GiftCard, "sku": orNull(l.SKU),
		"taxable": !l.GiftCard, "title": l.Title, "total_discount": t.text(commerce.Decimal{}),
		"total_discount_set": t.set(commerce.Decimal{}), "variant_id": numberOrNull(l.VariantID), "variant_inventory_management": nil,
		"variant_title": orNull(l.VariantTitle), "vendor": orNull(l.Vendor), "tax_lines": []object{}, "duties": []object{},
		"discount_allocations": []object{},
	}
}

// numberOrNull is an id, or null where there is none.
func numberOrNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}
