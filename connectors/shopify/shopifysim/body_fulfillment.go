package shopifysim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Fulfillment is a parcel of an order. It holds all of the order's lines.
type Fulfillment struct {
	ID              int64
	Status          string // "": success
	ShipmentStatus  string
	TrackingCompany string
	TrackingNumber  string
	TrackingURL     string
	CreatedAt       time.Time
	UpdatedAt       time.Time // zero: CreatedAt
}

// Refund is money given back for an order.
type Refund struct {
	ID        int64
	Amount    commerce.Decimal
	Note      string
	Restock   bool
	Lines     []Line // with the quantities that are refunded
	CreatedAt time.Time
}

// FulfillmentBody returns the body of a webhook of the topics fulfillments/create and fulfillments/update, of
// the i-th fulfillment of an order.
func (s *Sim) FulfillmentBody(order int64, i int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[order]
	if !ok || i < 0 || i >= len(o.Fulfillments) {
		return nil, fmt.Errorf("the simulated shop has no fulfillment %d of the order %d", i, order)
	}
	return encode(s.fulfillment(o, i))
}

// RefundBody returns the body of a webhook of the topic refunds/create, of the i-th refund of an order.
func (s *Sim) RefundBody(order int64, i int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[order]
	if !ok || i < 0 || i >= len(o.Refunds) {
		return nil, fmt.Errorf("the simulated shop has no refund %d of the order %d", i, order)
	}
	return encode(s.refund(o, i, s.till(o.Presentment)))
}

// ShipmentBody returns the body of a webhook of the topic fulfillment_events/create: a carrier says where a
// parcel is.
func (s *Sim) ShipmentBody(order, fulfillment, event int64, status, message string) ([]byte, error) {
	at := stamp(s.config.Now())
	return encode(object{
		"id": event, "fulfillment_id": fulfillment, "status": status, "message": orNull(message), "happened_at": at, "city": nil,
		"province": nil, "country": nil, "zip": nil, "address1": nil, "latitude": nil, "longitude": nil, "shop_id": 12345678,
		"created_at": at, "updated_at": at, "estimated_delivery_at": nil, "order_id": order,
		"admin_graphql_api_id": gid("FulfillmentEvent", event),
	})
}

func (s *Sim) fulfillments(o *storedOrder) []object {
	out := make([]object, 0, len(o.Fulfillments))
	for i := range o.Fulfillments {
		body := s.fulfillment(o, i)
		delete(body, "email") // an order's fulfillments do without what the order says itself
		delete(body, "destination")
		out = append(out, body)
	}
	return out
}

func (s *Sim) fulfillment(o *storedOrder, i int) object {
	f, t := o.Fulfillments[i], s.till(o.Presentment)
	if f.Status == "" {
		f.Status = "success"
	}
	if f.UpdatedAt.IsZero() {
		f.UpdatedAt = f.CreatedAt
	}
	numbers, urls := []string{}, []string{}
	if f.TrackingNumber != "" {
		numbers = append(numbers, f.TrackingNumber)
	}
	if f.TrackingURL != "" {
		urls = append(urls, f.TrackingURL)
	}
	lines := make([]object, 0, len(o.Lines))
	for _, l := range o.Lines {
		lines = append(lines, l.body(t))
	}
	return object{
		"id": f.ID, "order_id": o.ID, "status": f.Status, "created_at": stamp(f.CreatedAt), "service": "manual",
		"updated_at": stamp(f.UpdatedAt), "tracking_company": orNull(f.TrackingCompany), "shipment_status": orNull(f.ShipmentStatus),
		"location_id": 70001, "origin_address": nil, "email": orNull(o.email()), "destination": o.Address.body(), "line_items": lines,
		"tracking_number": orNull(f.TrackingNumber), "tracking_numbers": numbers, "tracking_url": orNull(f.TrackingURL),
		"tracking_urls": urls, "receipt": object{}, "name": fmt.Sprintf("%s.%d", o.name(), i+1),
		"admin_graphql_api_id": gid("Fulfillment", f.ID),
	}
}

func (s *Sim) refunds(o *storedOrder, t till) []object {
	out := make([]object, 0, len(o.Refunds))
	for i := range o.Refunds {
		out = append(out, s.refund(o, i, t))
	}
	return out
}

func (s *Sim) refund(o *storedOrder, i int, t till) object {
	r := o.Refunds[i]
	var none commerce.Decimal
	restock := "no_restock"
	if r.Restock {
		restock = "return"
	}
	lines := make([]object, 0, len(r.Lines))
	for j, l := range r.Lines {
		subtotal := l.Price.Mul(commerce.DecimalFromInt(l.Quantity))
		lines = append(lines, object{
			"id": r.ID*100 + int64(j), "quantity": l.Quantity, "line_item_id": l.ID, "location_id": nil, "restock_type": restock,
			"subtotal": json.Number(subtotal.String()), "total_tax": 0, "subtotal_set": t.set(subtotal), "total_tax_set": t.set(none), "line_item": l.body(t),
		})
	}
	return object{
		"id": r.ID, "order_id": o.ID, "created_at": stamp(r.CreatedAt), "note": orNull(r.Note), "user_id": nil,
		"processed_at": stamp(r.CreatedAt), "duties": []object{}, "total_duties_set": t.set(none), "return": nil, "restock": r.Restock,
		"refund_shipping_lines": []object{}, "admin_graphql_api_id": gid("Refund", r.ID), "order_adjustments": []object{},
		"refund_line_items": lines, "transactions": []object{s.transaction(o, r, t)},
	}
}

// transaction is the movement of a refund's money, in the buyer's currency.
func (s *Sim) transaction(o *storedOrder, r Refund, t till) object {
	moved := t.set(r.Amount)["presentment_money"].(object)
	gateway := o.Gateway
	if gateway == "" {
		gateway = "bogus"
	}
	return object{
		"id": r.ID + 1, "order_id": o.ID, "kind": "refund", "gateway": gateway, "status": "success", "message": nil,
		"created_at": stamp(r.CreatedAt), "test": o.Test, "authorization": nil, "location_id": nil, "user_id": nil, "parent_id": nil,
		"processed_at": stamp(r.CreatedAt), "device_id": nil, "error_code": nil, "source_name": "web", "receipt": object{},
		"amount": moved["amount"], "currency": moved["currency_code"], "payment_id": o.name() + ".1",
		"total_unsettled_set": object{
			"presentment_money": object{"amount": "0.0", "currency": t.presentment.Currency},
			"shop_money":        object{"amount": "0.0", "currency": t.currency},
		},
		"manual_payment_gateway": false, "amount_rounding": nil, "admin_graphql_api_id": gid("OrderTransaction", r.ID+1),
	}
}
