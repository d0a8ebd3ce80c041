package commerce

import "time"

// Checkout is a cart, or a checkout that has not become an order (yet).
type Checkout struct {
	Exists          bool              `json:"exists"`
	ID              string            `json:"id"`
	Token           string            `json:"token"`
	Email           string            `json:"email"`
	Phone           string            `json:"phone"`
	Currency        string            `json:"currency"`
	Total           Decimal           `json:"total"`
	Subtotal        Decimal           `json:"subtotal"`
	TotalDiscounts  Decimal           `json:"total_discounts"`
	Customer        Customer          `json:"customer"`
	BillingAddress  Address           `json:"billing_address"`
	ShippingAddress Address           `json:"shipping_address"`
	LineItems       []LineItem        `json:"line_items"`
	DiscountCodes   []string          `json:"discount_codes"`
	RecoveryURL     string            `json:"recovery_url"`
	Note            string            `json:"note"`
	Attributes      map[string]string `json:"attributes"`
	CreatedAt       *time.Time        `json:"created_at,omitempty"`
	UpdatedAt       *time.Time        `json:"updated_at,omitempty"`
	CompletedAt     *time.Time        `json:"completed_at,omitempty"`
}
