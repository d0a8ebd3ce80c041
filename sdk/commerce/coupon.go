package commerce

import "time"

// Coupon is a discount that buyers get by a code, or by itself.
type Coupon struct {
	Exists           bool              `json:"exists"`
	ID               string            `json:"id"`
	Code             string            `json:"code"`
	Title            string            `json:"title"`
	Kind             string            `json:"kind"` // percent, fixed_cart, fixed_product, … as the platform names it
	Status           string            `json:"status"`
	Amount           Decimal           `json:"amount"`
	FreeShipping     bool              `json:"free_shipping"`
	UsageCount       *int64            `json:"usage_count,omitempty"`
	UsageLimit       *int64            `json:"usage_limit,omitempty"`
	MinimumAmount    *Decimal          `json:"minimum_amount,omitempty"`
	EmailRestriction []string          `json:"email_restriction"`
	ProductIDs       []string          `json:"product_ids"`
	Attributes       map[string]string `json:"attributes"`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty"`
	CreatedAt        *time.Time        `json:"created_at,omitempty"`
	UpdatedAt        *time.Time        `json:"updated_at,omitempty"`
}
