package event

import "strings"

// Object names one of the objects that an event's data can carry, as expressions name it.
type Object string

// The objects of commerce.Data.
const (
	Order       Object = "order"
	Customer    Object = "customer"
	Checkout    Object = "checkout"
	Product     Object = "product"
	Variant     Object = "variant"
	Inventory   Object = "inventory"
	Fulfillment Object = "fulfillment"
	Shipment    Object = "shipment"
	Refund      Object = "refund"
	Return      Object = "return"
	Dispute     Object = "dispute"
	Risk        Object = "risk"
	Coupon      Object = "coupon"
)

// Type describes one type of event.
type Type struct {
	Name    string
	Summary string
	// Objects are those that the event's data carries, the one that it is about first.
	Objects []Object
	// Update is set for types that tell of a change of no particular kind. Only these may be superseded by a
	// newer one or found to change nothing; every other event always runs.
	Update bool
}

// Types returns every type of the common vocabulary, in the order of the documentation.
func Types() []Type {
	order := []Object{Order, Customer}
	checkout := []Object{Checkout, Customer}
	product := []Object{Product, Variant}
	inventory := []Object{Inventory, Variant, Product}
	fulfillment := []Object{Fulfillment, Order, Customer}
	shipment := []Object{Shipment, Fulfillment, Order, Customer}
	ret := []Object{Return, Order, Customer}
	return []Type{
		{Name: "order.created", Summary: "An order was placed.", Objects: order},
		{Name: "order.updated", Summary: "An order changed in any way.", Objects: order, Update: true},
		{Name: "order.paid", Summary: "An order is paid in full.", Objects: order},
		{Name: "order.fulfilled", Summary: "All of an order was sent.", Objects: order},
		{Name: "order.partially_fulfilled", Summary: "A part of an order was sent.", Objects: order},
		{Name: "order.cancelled", Summary: "An order was cancelled.", Objects: order},
		{Name: "order.refunded", Summary: "An order was refunded in full.", Objects: order},
		{Name: "order.deleted", Summary: "An order was deleted.", Objects: order},
		{Name: "checkout.created", Summary: "A buyer began a checkout.", Objects: checkout},
		{Name: "checkout.updated", Summary: "A checkout changed.", Objects: checkout, Update: true},
		{Name: "checkout.abandoned", Summary: "A checkout was left alone.", Objects: checkout},
		{Name: "cart.updated", Summary: "A cart was made or changed.", Objects: checkout, Update: true},
		{Name: "customer.created", Summary: "A customer was added.", Objects: []Object{Customer}},
		{Name: "customer.updated", Summary: "A customer changed.", Objects: []Object{Customer}, Update: true},
		{Name: "customer.deleted", Summary: "A customer was deleted.", Objects: []Object{Customer}},
		{Name: "product.created", Summary: "A product was added.", Objects: product},
		{Name: "product.updated", Summary: "A product changed.", Objects: product, Update: true},
		{Name: "product.deleted", Summary: "A product was deleted.", Objects: product},
		{Name: "inventory.changed", Summary: "The stock of an item changed at a place.", Objects: inventory},
		{Name: "inventory.low", Summary: "Stock fell to its low mark.", Objects: inventory},
		{Name: "inventory.out_of_stock", Summary: "Stock ran out.", Objects: inventory},
		{Name: "inventory.back_in_stock", Summary: "Stock is there again.", Objects: inventory},
		{Name: "fulfillment.created", Summary: "A parcel was made ready or sent.", Objects: fulfillment},
		{Name: "fulfillment.updated", Summary: "A parcel's data changed.", Objects: fulfillment, Update: true},
		{Name: "shipment.in_transit", Summary: "A parcel is on its way.", Objects: shipment},
		{Name: "shipment.out_for_delivery", Summary: "A parcel is being delivered today.", Objects: shipment},
		{Name: "shipment.delivered", Summary: "A parcel arrived.", Objects: shipment},
		{Name: "shipment.exception", Summary: "A parcel met a problem.", Objects: shipment},
		{Name: "return.requested", Summary: "A buyer wants to send goods back.", Objects: ret},
		{Name: "return.approved", Summary: "A return was approved.", Objects: ret},
		{Name: "return.declined", Summary: "A return was declined.", Objects: ret},
		{Name: "return.received", Summary: "Returned goods arrived.", Objects: ret},
		{Name: "return.closed", Summary: "A return came to its end.", Objects: ret},
		{Name: "refund.created", Summary: "Money was given back.", Objects: []Object{Refund, Order, Customer}},
		{Name: "dispute.created", Summary: "A payment is disputed.", Objects: []Object{Dispute, Order, Customer}},
		{Name: "risk.assessed", Summary: "An order's risk was assessed.", Objects: []Object{Risk, Order, Customer}},
		{Name: "coupon.created", Summary: "A coupon was added.", Objects: []Object{Coupon}},
		{Name: "coupon.updated", Summary: "A coupon changed.", Objects: []Object{Coupon}, Update: true},
		{Name: "coupon.deleted", Summary: "A coupon was deleted.", Objects: []Object{Coupon}},
		{Name: "app.uninstalled", Summary: "The shop removed the app."},
	}
}

// Find returns the type of that name. Names that start with "custom." are always found and carry no object
// of the common model.
func Find(name string) (Type, bool) {
	if rest, ok := strings.CutPrefix(name, "custom."); ok && rest != "" {
		return Type{Name: name, Summary: "An event of another system."}, true
	}
	for _, t := range Types() {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}
