package commerce

import "encoding/json"

// Data is what an event is about: the objects that it carries, the others nil. Which type of event carries
// which object is told by [github.com/shophand/shophand/sdk/event.Types].
type Data struct {
	Order       *Order          `json:"order,omitempty"`
	Customer    *Customer       `json:"customer,omitempty"` // of customer events; an order's own is in Order.Customer
	Checkout    *Checkout       `json:"checkout,omitempty"`
	Product     *Product        `json:"product,omitempty"`
	Variant     *Variant        `json:"variant,omitempty"`
	Inventory   *InventoryLevel `json:"inventory,omitempty"`
	Fulfillment *Fulfillment    `json:"fulfillment,omitempty"`
	Shipment    *Shipment       `json:"shipment,omitempty"`
	Refund      *Refund         `json:"refund,omitempty"`
	Return      *Return         `json:"return,omitempty"`
	Dispute     *Dispute        `json:"dispute,omitempty"`
	Risk        *Risk           `json:"risk,omitempty"`
	Coupon      *Coupon         `json:"coupon,omitempty"`
	// Custom is the free-form content of custom and plugin events.
	Custom json.RawMessage `json:"custom,omitempty"`
}

// Buyer returns the customer that the data speaks of: its own, else the order's, else the checkout's.
// It is never nil; where there is none, Exists is false.
func (d Data) Buyer() *Customer {
	switch {
	case d.Customer != nil:
		return d.Customer
	case d.Order != nil:
		return &d.Order.Customer
	case d.Checkout != nil:
		return &d.Checkout.Customer
	}
	return &Customer{}
}
