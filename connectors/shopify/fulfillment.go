package shopify

import (
	"slices"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// fulfillmentJSON is what is read of a fulfillment.
type fulfillmentJSON struct {
	ID              id          `json:"id"`
	GID             id          `json:"admin_graphql_api_id"`
	OrderID         id          `json:"order_id"`
	Name            string      `json:"name"`
	Status          string      `json:"status"`
	ShipmentStatus  string      `json:"shipment_status"`
	Service         string      `json:"service"`
	TrackingCompany string      `json:"tracking_company"`
	TrackingNumber  string      `json:"tracking_number"`
	TrackingNumbers []string    `json:"tracking_numbers"`
	TrackingURL     string      `json:"tracking_url"`
	TrackingURLs    []string    `json:"tracking_urls"`
	LocationID      id          `json:"location_id"`
	Email           string      `json:"email"`
	Destination     addressJSON `json:"destination"`
	LineItems       []lineJSON  `json:"line_items"`
	CreatedAt       moment      `json:"created_at"`
	UpdatedAt       moment      `json:"updated_at"`
}

// fulfillment translates a fulfillment of the order of that id, which it may name itself.
func (w *fulfillmentJSON) fulfillment(order string) *commerce.Fulfillment {
	return &commerce.Fulfillment{
		Exists: true, ID: string(first(w.ID, w.GID)), OrderID: first(string(w.OrderID), order), Name: w.Name, Status: w.Status,
		ShipmentStatus: w.ShipmentStatus, Service: w.Service, TrackingCompany: w.TrackingCompany,
		TrackingNumbers: with(w.TrackingNumbers, w.TrackingNumber), TrackingURLs: with(w.TrackingURLs, w.TrackingURL),
		LocationID: string(w.LocationID), Email: w.Email, Destination: w.Destination.address(), LineItems: lines(w.LineItems),
		CreatedAt: w.CreatedAt.pointer(), UpdatedAt: w.UpdatedAt.pointer(),
	}
}

// with returns the texts of all that are not "", and one more unless it is among them.
func with(all []string, one string) []string {
	out := make([]string, 0, len(all)+1)
	for _, s := range append(slices.Clip(all), one) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// fulfillment translates a webhook that carries a fulfillment.
func (m message) fulfillment(typ string) (event.Event, error) {
	var w fulfillmentJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	f := w.fulfillment("")
	data := commerce.Data{Fulfillment: f, Order: orderRef(w.OrderID)}
	if typ == "fulfillment.created" {
		return m.event(typ, f.ID, event.Once(typ, f.ID), data, w.CreatedAt), nil
	}
	return m.event(typ, f.ID, event.Version(typ, f.ID, w.UpdatedAt.version(), data), data, w.UpdatedAt), nil
}

// shipmentJSON is what is read of a fulfillment event, a carrier's word about a parcel.
type shipmentJSON struct {
	ID                  id     `json:"id"`
	GID                 id     `json:"admin_graphql_api_id"`
	FulfillmentID       id     `json:"fulfillment_id"`
	OrderID             id     `json:"order_id"`
	Status              string `json:"status"`
	Message             string `json:"message"`
	City                string `json:"city"`
	Country             string `json:"country"`
	EstimatedDeliveryAt moment `json:"estimated_delivery_at"`
	HappenedAt          moment `json:"happened_at"`
	CreatedAt           moment `json:"created_at"`
}

// shipment translates a fulfillment event. A parcel sets out once and arrives once, though carriers scan it many
// times on the way: these two are told apart by the fulfillment. It can be out for delivery, or meet a problem,
// again: these by the event.
func (m message) shipment() (event.Event, error) {
	var w shipmentJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	var typ string
	one := first(w.FulfillmentID, w.ID)
	switch w.Status { // FulfillmentEventStatus of the Admin API, in lower case
	case "in_transit", "carrier_picked_up":
		typ = "shipment.in_transit"
	case "delivered":
		typ = "shipment.delivered"
	case "out_for_delivery":
		typ, one = "shipment.out_for_delivery", w.ID
	case "attempted_delivery", "delayed", "failure":
		typ, one = "shipment.exception", w.ID
	case "":
		return event.Event{}, m.missing("status")
	default: // label_printed, label_purchased, confirmed, ready_for_pickup
		return event.Event{}, &Unsupported{Topic: m.topic, Reason: "nothing moved yet at the status " + quoted(w.Status)}
	}
	f := commerce.Fulfillment{
		ID: string(w.FulfillmentID), OrderID: string(w.OrderID), TrackingNumbers: []string{}, TrackingURLs: []string{}, LineItems: []commerce.LineItem{},
	}
	data := commerce.Data{
		Shipment: &commerce.Shipment{
			Exists: true, ID: string(w.ID), FulfillmentID: f.ID, OrderID: f.OrderID, Status: w.Status, Message: w.Message,
			City: w.City, Country: w.Country, EstimatedDelivery: w.EstimatedDeliveryAt.pointer(), HappenedAt: w.HappenedAt.pointer(),
		},
		Fulfillment: &f,
		Order:       orderRef(w.OrderID),
	}
	return m.event(typ, string(w.ID), event.Once(typ, string(one)), data, w.HappenedAt, w.CreatedAt), nil
}
