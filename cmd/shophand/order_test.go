package main

import (
	"encoding/json"
	"maps"
	"testing"
)

// fields of an order, as a platform writes them.
type fields = map[string]any

// with returns a document with other fields; a nil value takes the field away.
func (d document) with(changes fields) document {
	out := maps.Clone(d)
	for name, value := range changes {
		if value == nil {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}

type document map[string]any

func (d document) json(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// shopifyOrder is an order as Shopify sends it, of a customer with the id 7.
func shopifyOrder(id int64, name, total string) document {
	return document{
		"id": id, "admin_graphql_api_id": "", "name": name, "order_number": 1001, "currency": "EUR",
		"total_price": total, "current_total_price": total, "subtotal_price": total, "total_tax": "0.00",
		"created_at": "2026-11-22T10:00:00+01:00", "updated_at": "2026-11-22T10:00:00+01:00",
		"financial_status": "paid", "fulfillment_status": nil, "tags": "first, two words", "email": "ada@example.com",
		"customer":         fields{"id": 7, "email": "ada@example.com", "first_name": "Ada", "last_name": "Example"},
		"shipping_address": fields{"first_name": "Ada", "last_name": "Example", "address1": "1 Sample Street", "city": "Springfield", "province_code": "IL", "zip": "62701", "country_code": "US"},
		"line_items": []fields{
			{"id": 11, "title": "Oolong", "sku": "TEA-1", "quantity": 2, "price": "5.00", "product_id": 3, "variant_id": 4, "requires_shipping": true, "grams": 250},
		},
	}
}

// wooOrder is an order as WooCommerce sends it, of a customer with the id 31.
func wooOrder(id int64, number, total string) document {
	return document{
		"id": id, "number": number, "status": "processing", "currency": "EUR", "total": total, "total_tax": "0.00",
		"date_created_gmt": "2026-11-22T09:00:00", "date_modified_gmt": "2026-11-22T09:00:00", "date_paid_gmt": "2026-11-22T09:00:00",
		"customer_id": 31, "payment_method": "stripe",
		"billing":  fields{"email": "ada@example.com", "first_name": "Ada", "last_name": "Example"},
		"shipping": fields{"first_name": "Ada", "last_name": "Example", "address_1": "1 Sample Street", "city": "Springfield", "state": "IL", "postcode": "62701", "country": "US"},
		"line_items": []fields{
			{"id": 11, "name": "Oolong", "sku": "TEA-1", "quantity": 2, "price": 5, "subtotal": "10.00", "total": "10.00", "product_id": 3, "variation_id": 4},
		},
		"meta_data": []any{}, "refunds": []any{}, "shipping_lines": []any{}, "coupon_lines": []any{},
	}
}
