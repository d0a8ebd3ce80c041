package commerce

import "time"

// Customer is who buys. A guest has Exists false and ID "", and keeps the e-mail, phone and names that the
// order came with. Numbers that the platform's message does not hold are nil.
type Customer struct {
	Exists                bool              `json:"exists"`
	ID                    string            `json:"id"`
	Email                 string            `json:"email"`
	Phone                 string            `json:"phone"`
	FirstName             string            `json:"first_name"`
	LastName              string            `json:"last_name"`
	Note                  string            `json:"note"`
	Tags                  []string          `json:"tags"`
	State                 string            `json:"state"` // as the platform names it: enabled, disabled, customer
	Locale                string            `json:"locale"`
	AcceptsEmailMarketing *bool             `json:"accepts_email_marketing,omitempty"`
	AcceptsSMSMarketing   *bool             `json:"accepts_sms_marketing,omitempty"`
	OrdersCount           *int64            `json:"orders_count,omitempty"`
	TotalSpent            *Decimal          `json:"total_spent,omitempty"`
	Currency              string            `json:"currency"`
	DefaultAddress        Address           `json:"default_address"`
	Attributes            map[string]string `json:"attributes"`
	CreatedAt             *time.Time        `json:"created_at,omitempty"`
	UpdatedAt             *time.Time        `json:"updated_at,omitempty"`
}

// Address is a postal address. Country is the ISO 3166 two-letter code, Province the platform's code.
type Address struct {
	Exists    bool   `json:"exists"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Company   string `json:"company"`
	Line1     string `json:"line1"`
	Line2     string `json:"line2"`
	City      string `json:"city"`
	Province  string `json:"province"`
	Zip       string `json:"zip"`
	Country   string `json:"country"`
	Phone     string `json:"phone"`
}
