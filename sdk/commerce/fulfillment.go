package commerce

import "time"

// Fulfillment is a parcel, or part of an order, that went out.
type Fulfillment struct {
	Exists          bool       `json:"exists"`
	ID              string     `json:"id"`
	OrderID         string     `json:"order_id"`
	Name            string     `json:"name"`
	Status          string     `json:"status"`          // pending, open, success, cancelled, error, failure
	ShipmentStatus  string     `json:"shipment_status"` // in_transit, out_for_delivery, delivered, …; "" before
	Service         string     `json:"service"`
	TrackingCompany string     `json:"tracking_company"`
	TrackingNumbers []string   `json:"tracking_numbers"`
	TrackingURLs    []string   `json:"tracking_urls"`
	LocationID      string     `json:"location_id"`
	Email           string     `json:"email"`
	Destination     Address    `json:"destination"`
	LineItems       []LineItem `json:"line_items"`
	CreatedAt       *time.Time `json:"created_at,omitempty"`
	UpdatedAt       *time.Time `json:"updated_at,omitempty"`
}

// Shipment is what a carrier says of a parcel.
type Shipment struct {
	Exists            bool       `json:"exists"`
	ID                string     `json:"id"`
	FulfillmentID     string     `json:"fulfillment_id"`
	OrderID           string     `json:"order_id"`
	Status            string     `json:"status"` // the platform's or carrier's word
	Message           string     `json:"message"`
	Carrier           string     `json:"carrier"`
	TrackingNumber    string     `json:"tracking_number"`
	City              string     `json:"city"`
	Country           string     `json:"country"`
	EstimatedDelivery *time.Time `json:"estimated_delivery,omitempty"`
	HappenedAt        *time.Time `json:"happened_at,omitempty"`
}
