package commerce

import "time"

// Refund is money given back, with the lines that it is for.
type Refund struct {
	Exists    bool       `json:"exists"`
	ID        string     `json:"id"`
	OrderID   string     `json:"order_id"`
	Currency  string     `json:"currency"`
	Amount    Decimal    `json:"amount"` // positive
	Reason    string     `json:"reason"`
	Restock   bool       `json:"restock"`
	LineItems []LineItem `json:"line_items"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// Return is goods on their way back, from the buyer's request to its end.
type Return struct {
	Exists    bool       `json:"exists"`
	ID        string     `json:"id"`
	OrderID   string     `json:"order_id"`
	Name      string     `json:"name"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason"`
	Quantity  int64      `json:"quantity"`
	LineItems []LineItem `json:"line_items"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// Dispute is a payment that the buyer's bank questions: an inquiry or a chargeback.
type Dispute struct {
	Exists        bool       `json:"exists"`
	ID            string     `json:"id"`
	OrderID       string     `json:"order_id"`
	Kind          string     `json:"kind"`
	Status        string     `json:"status"`
	Reason        string     `json:"reason"`
	Currency      string     `json:"currency"`
	Amount        Decimal    `json:"amount"`
	EvidenceDueBy *time.Time `json:"evidence_due_by,omitempty"`
}

// Risk is what the platform, or somebody it asked, thinks of an order's honesty.
type Risk struct {
	Exists   bool   `json:"exists"`
	OrderID  string `json:"order_id"`
	Level    string `json:"level"` // none, low, medium, high, pending
	Provider string `json:"provider"`
}
