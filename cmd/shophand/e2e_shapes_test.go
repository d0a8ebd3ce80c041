package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/shophand/shophand/core/engine"
)

// arrives is what a flow sends of an order.
type arrives struct {
	ID, Name, Total, Currency, Presentment, Customer, Country, Title string
	Lines                                                            int
	Guest                                                            bool
}

// TestHardShapes takes orders through the whole house that have broken other software, and compares what a flow
// sends of them, to the digit.
func TestHardShapes(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	h := newHouse(t)
	h.serve()
	h.shops()
	h.flow(`flow: tell
on: order.created
if: order.total >= 0
steps:
  - do: http/request
    with:
      method: POST
      url: ` + sink.URL() + `/tell
      json:
        id: "${order.id}"
        name: "${order.name}"
        total: "${order.total}"
        currency: "${order.currency}"
        presentment: "${order.presentment_total} ${order.presentment_currency}"
        customer: "${customer.id}"
        guest: "${!customer.exists}"
        country: "${order.shipping_address.country}"
        lines: "${size(order.line_items)}"
        title: "${size(order.line_items) > 0 ? order.line_items[0].title : ''}"
`)
	many := func(line fields) (lines []fields) {
		for i := range 260 {
			l := fields{}
			for k, v := range line {
				l[k] = v
			}
			l["id"] = 1000 + i
			lines = append(lines, l)
		}
		return lines
	}
	money := func(amount, currency string) fields { return fields{"amount": amount, "currency_code": currency} }
	shopify := func(id int64, total string, changes fields) document {
		return shopifyOrder(id, fmt.Sprint("#", id), total).with(changes)
	}
	woo := func(id int64, total string, changes fields) document {
		return wooOrder(id, fmt.Sprint(id), total).with(changes)
	}
	base := arrives{Total: "10.00", Currency: "EUR", Presentment: "10.00 EUR", Customer: "7", Country: "US", Title: "Oolong", Lines: 1}
	wooBase := base
	wooBase.Customer = "31"
	guest := fields{"customer": nil, "email": "guest@example.com"}
	unicode := "Tée 茶 🍵 \u202eevil\u2066 \"quoted\" <b>&amp;</b> \\n"

	for name, test := range map[string]struct {
		topic string
		order document
		want  func(*arrives)
	}{
		"shopify: yen": {"orders/create", shopify(101, "57408", fields{"currency": "JPY"}), func(a *arrives) {
			a.Total, a.Currency, a.Presentment = "57408", "JPY", "57408 JPY"
		}},
		"woo: yen": {"order.created", woo(102, "57408", fields{"currency": "JPY"}), func(a *arrives) {
			a.Total, a.Currency, a.Presentment = "57408", "JPY", "57408 JPY"
		}},
		"shopify: dinars": {"orders/create", shopify(103, "12.345", fields{"currency": "KWD"}), func(a *arrives) {
			a.Total, a.Currency, a.Presentment = "12.345", "KWD", "12.345 KWD"
		}},
		"woo: dinars": {"order.created", woo(104, "12.340", fields{"currency": "KWD"}), func(a *arrives) {
			a.Total, a.Currency, a.Presentment = "12.340", "KWD", "12.340 KWD"
		}},
		"shopify: paid in another currency": {"orders/create", shopify(105, "100.10", fields{
			"presentment_currency": "CHF", "total_price_set": fields{"shop_money": money("100.10", "EUR"), "presentment_money": money("95.55", "CHF")},
			"current_total_price_set": fields{"shop_money": money("100.10", "EUR"), "presentment_money": money("95.55", "CHF")},
		}), func(a *arrives) { a.Total, a.Presentment = "100.10", "95.55 CHF" }},
		"shopify: an id above 2^53": {"orders/create", shopify(9007199254740993, "10.00", nil), func(*arrives) {}},
		"woo: an id above 2^53":     {"order.created", woo(9007199254740993, "10.00", nil), func(*arrives) {}},
		"shopify: the largest id":   {"orders/create", shopify(9223372036854775807, "10.00", nil), func(*arrives) {}},
		"shopify: a large amount":   {"orders/create", shopify(106, "99999999999999999.99", nil), func(a *arrives) { a.Total, a.Presentment = "99999999999999999.99", "99999999999999999.99 EUR" }},
		"shopify: nothing to pay":   {"orders/create", shopify(107, "0.00", nil), func(a *arrives) { a.Total, a.Presentment = "0.00", "0.00 EUR" }},
		"shopify: a guest":          {"orders/create", shopify(108, "10.00", guest), func(a *arrives) { a.Customer, a.Guest = "", true }},
		"woo: a guest":              {"order.created", woo(109, "10.00", fields{"customer_id": 0}), func(a *arrives) { a.Customer, a.Guest = "", true }},
		"shopify: no addresses":     {"orders/create", shopify(110, "10.00", fields{"shipping_address": nil, "billing_address": nil}), func(a *arrives) { a.Country = "" }},
		"shopify: null addresses":   {"orders/create", shopify(111, "10.00", fields{"shipping_address": json.RawMessage("null"), "billing_address": json.RawMessage("null"), "customer": json.RawMessage("null")}), func(a *arrives) { a.Country, a.Customer, a.Guest = "", "", true }},
		"woo: no addresses":         {"order.created", woo(112, "10.00", fields{"shipping": []any{}, "billing": []any{}}), func(a *arrives) { a.Country = "" }},
		"shopify: a gift card": {"orders/create", shopify(113, "10.00", fields{"line_items": []fields{{"id": 1, "title": "Gift card", "quantity": 1, "price": "10.00", "gift_card": true, "requires_shipping": false, "product_id": 5}}}),
			func(a *arrives) { a.Title = "Gift card" }},
		"shopify: a line without a product": {"orders/create", shopify(114, "10.00", fields{"line_items": []fields{{"id": 1, "title": "Engraving", "quantity": 1, "price": "10.00", "product_id": nil, "variant_id": nil, "sku": nil}}}),
			func(a *arrives) { a.Title = "Engraving" }},
		"woo: a line without a product": {"order.created", woo(115, "10.00", fields{"line_items": []fields{{"id": 1, "name": "Engraving", "quantity": 1, "price": 10, "total": "10.00", "product_id": 0, "variation_id": 0, "sku": nil}}}),
			func(a *arrives) { a.Title = "Engraving" }},
		"shopify: 260 lines": {"orders/create", shopify(116, "10.00", fields{"line_items": many(fields{"title": "Oolong", "quantity": 1, "price": "0.10"})}), func(a *arrives) { a.Lines = 260 }},
		"woo: 260 lines":     {"order.created", woo(117, "10.00", fields{"line_items": many(fields{"name": "Oolong", "quantity": 1, "price": 0.1, "total": "0.10"})}), func(a *arrives) { a.Lines = 260 }},
		"shopify: letters of all kinds": {"orders/create", shopify(118, "10.00", fields{"name": unicode, "line_items": []fields{{"id": 1, "title": unicode, "quantity": 1, "price": "10.00"}}}),
			func(a *arrives) { a.Title = unicode }},
		"woo: letters of all kinds": {"order.created", woo(119, "10.00", fields{"number": unicode, "line_items": []fields{{"id": 1, "name": unicode, "quantity": 1, "price": 10, "total": "10.00"}}}),
			func(a *arrives) { a.Title = strings.ReplaceAll(unicode, "&amp;", "&") }}, // WordPress writes names for a page
		"shopify: next to nothing": {"orders/create", document{"id": 120, "total_price": "3.10"}, func(a *arrives) {
			*a = arrives{ID: "120", Total: "3.10", Presentment: "3.10 ", Guest: true}
		}},
		"shopify: more than we know": {"orders/create", shopify(121, "10.00", fields{"llamas": []any{1, fields{"shorn": true}}, "total_price_in_llamas": "7", "Total_Price": "666"}), func(*arrives) {}},
		"woo: more than we know":     {"order.created", woo(122, "10.00", fields{"llamas": []any{1, fields{"shorn": true}}, "_links": fields{"self": []any{}}}), func(*arrives) {}},
	} {
		want := base
		d := fromShopify(test.topic, test.order.json(t))
		if strings.HasPrefix(name, "woo") {
			want, d = wooBase, fromWoo(test.topic, test.order.json(t))
		}
		want.ID = fmt.Sprint(test.order["id"])
		want.Name = fmt.Sprint(test.order["name"])
		if number, ok := test.order["number"]; ok {
			want.Name = fmt.Sprint("#", number)
		}
		test.want(&want)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, text, err := d.send(h.url)
			if err != nil || status != 200 {
				t.Fatalf("answered %d %s, %v", status, text, err)
			}
			var got []received
			if !within(patience, func() bool {
				got = nil
				for _, r := range sink.byID()[want.ID] {
					var a arrives
					if json.Unmarshal(r.Body, &a) == nil && a.Customer == want.Customer { // the two shops have an id in common
						got = append(got, r)
					}
				}
				return len(got) > 0
			}) {
				raw, _ := json.MarshalIndent(listed[engine.Event](h, "event", "list", "--rejected"), "", " ")
				t.Fatalf("order %s never came; rejected: %s", want.ID, raw)
			}
			var a arrives
			if err := json.Unmarshal(got[0].Body, &a); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(a, want) {
				t.Errorf("arrived as\n%s\nwant\n%+v", got[0].Body, want)
			}
		})
	}
}
