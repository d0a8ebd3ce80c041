package commerce

import "time"

// Financial statuses of an order, the same on every platform.
const (
	FinancialPending           = "pending"
	FinancialAuthorized        = "authorized"
	FinancialPartiallyPaid     = "partially_paid"
	FinancialPaid              = "paid"
	FinancialPartiallyRefunded = "partially_refunded"
	FinancialRefunded          = "refunded"
	FinancialVoided            = "voided"
)

// Fulfillment statuses of an order, the same on every platform.
const (
	FulfillmentUnfulfilled = "unfulfilled"
	FulfillmentPartial     = "partial"
	FulfillmentFulfilled   = "fulfilled"
)

// Order is a customer's order. Statuses are those of the Financial and Fulfillment constants; what the
// platform itself calls the order's state is in PlatformStatus.
type Order struct {
	Exists              bool              `json:"exists"`
	ID                  string            `json:"id"`
	Name                string            `json:"name"`   // as people see it: "#1001"
	Number              string            `json:"number"` // without decoration: "1001"
	FinancialStatus     string            `json:"financial_status"`
	FulfillmentStatus   string            `json:"fulfillment_status"`
	PlatformStatus      string            `json:"platform_status"`
	Cancelled           bool              `json:"cancelled"`
	CancelReason        string            `json:"cancel_reason"`
	Test                bool              `json:"test"`
	Currency            string            `json:"currency"`
	Total               Decimal           `json:"total"`
	Subtotal            Decimal           `json:"subtotal"` // lines after discounts, before shipping and tax added on top
	TotalTax            Decimal           `json:"total_tax"`
	TotalShipping       Decimal           `json:"total_shipping"`
	TotalDiscounts      Decimal           `json:"total_discounts"`
	TotalRefunded       Decimal           `json:"total_refunded"`
	PresentmentCurrency string            `json:"presentment_currency"` // the buyer's currency; the shop's where it is the same
	PresentmentTotal    Decimal           `json:"presentment_total"`
	Email               string            `json:"email"`
	Phone               string            `json:"phone"`
	Note                string            `json:"note"`
	Tags                []string          `json:"tags"`
	Customer            Customer          `json:"customer"`
	BillingAddress      Address           `json:"billing_address"`
	ShippingAddress     Address           `json:"shipping_address"`
	LineItems           []LineItem        `json:"line_items"`
	ShippingLines       []ShippingLine    `json:"shipping_lines"`
	DiscountCodes       []string          `json:"discount_codes"`
	Fulfillments        []Fulfillment     `json:"fulfillments"`
	Refunds             []Refund          `json:"refunds"`
	PaymentMethod       string            `json:"payment_method"`
	Channel             string            `json:"channel"`     // where it was bought, as the platform names it: web, pos, checkout
	CheckoutID          string            `json:"checkout_id"` // the checkout or cart that it came from
	ClientIP            string            `json:"client_ip"`
	Attributes          map[string]string `json:"attributes"` // the shop's own fields: note attributes, meta data
	CreatedAt           time.Time         `json:"created_at"`
	UpdatedAt           time.Time         `json:"updated_at"`
	PaidAt              *time.Time        `json:"paid_at,omitempty"`
	FulfilledAt         *time.Time        `json:"fulfilled_at,omitempty"`
	CancelledAt         *time.Time        `json:"cancelled_at,omitempty"`
	ClosedAt            *time.Time        `json:"closed_at,omitempty"`
}

// LineItem is one line of an order, checkout, refund or fulfillment.
type LineItem struct {
	ID               string            `json:"id"`
	ProductID        string            `json:"product_id"` // "" for a custom line
	VariantID        string            `json:"variant_id"`
	SKU              string            `json:"sku"`
	Title            string            `json:"title"`
	VariantTitle     string            `json:"variant_title"`
	Vendor           string            `json:"vendor"`
	Quantity         int64             `json:"quantity"`
	Price            Decimal           `json:"price"` // of one, before discounts
	Total            Decimal           `json:"total"` // of the line, after discounts
	TotalDiscount    Decimal           `json:"total_discount"`
	TotalTax         Decimal           `json:"total_tax"`
	Grams            int64             `json:"grams"` // of one
	RequiresShipping bool              `json:"requires_shipping"`
	GiftCard         bool              `json:"gift_card"`
	Taxable          bool              `json:"taxable"`
	Properties       map[string]string `json:"properties"` // what the buyer or an app wrote on the line
}

// ShippingLine is one way of shipping that an order pays for.
type ShippingLine struct {
	ID    string  `json:"id"`
	Title string  `json:"title"`
	Code  string  `json:"code"`
	Price Decimal `json:"price"`
}
