package shopifysim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Order is what an order is made from; all else of its webhooks follows. Amounts are in the shop's currency.
type Order struct {
	ID                int64     // 0: the next one
	Number            int64     // 0: the next one, from 1001
	CreatedAt         time.Time // zero: now
	UpdatedAt         time.Time // zero: CreatedAt
	CancelledAt       time.Time // zero: not cancelled
	CancelReason      string
	Test              bool
	Customer          *Customer // nil: a guest
	Email             string    // "": the customer's
	Address           *Address  // of billing and shipping
	Lines             []Line
	Shipping          commerce.Decimal
	DiscountCode      string
	Discount          commerce.Decimal // by the code
	FinancialStatus   string           // "": paid
	FulfillmentStatus string           // "": null, nothing was sent
	Fulfillments      []Fulfillment
	Refunds           []Refund
	Tags              []string
	Note              string
	Attributes        map[string]string
	Gateway           string // "": bogus
	// Presentment is the buyer's currency, if it is not the shop's, and how much of it one of the shop's is.
	Presentment Presentment
}

// Presentment is another currency.
type Presentment struct {
	Currency string
	Rate     commerce.Decimal
}

// Line is one line of an order.
type Line struct {
	ID           int64 // 0: the next one
	ProductID    int64 // 0: a custom line
	VariantID    int64
	Title        string
	VariantTitle string
	SKU          string
	Vendor       string
	Quantity     int64
	Price        commerce.Decimal // of one
	Grams        int64
	GiftCard     bool
	Properties   map[string]string
}

// Customer is a customer of the shop.
type Customer struct {
	ID        int64
	FirstName string
	LastName  string
	Email     string
	Phone     string
	Note      string
	Address   *Address
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Address is a postal address.
type Address struct {
	FirstName, LastName, Company, Line1, Line2, City, Zip string
	Province, ProvinceCode, Country, CountryCode, Phone   string
}

// storedOrder is an order of the shop, complete.
type storedOrder struct{ Order }

func (o *storedOrder) name() string { return fmt.Sprintf("#%d", o.Number) }

// AddOrder puts an order into the shop and returns its id.
func (s *Sim) AddOrder(o Order) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ID == 0 {
		o.ID = s.nextID()
	}
	if o.Number == 0 {
		o.Number = int64(1001 + len(s.orders))
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = s.config.Now()
	}
	if o.UpdatedAt.IsZero() {
		o.UpdatedAt = o.CreatedAt
	}
	lines := make([]Line, len(o.Lines))
	copy(lines, o.Lines)
	for i := range lines {
		if lines[i].ID == 0 {
			lines[i].ID = s.nextID()
		}
	}
	o.Lines = lines
	s.orders[o.ID] = &storedOrder{o}
	return o.ID
}

// ChangeOrder changes an order of the shop; it counts as updated now.
func (s *Sim) ChangeOrder(id int64, change func(*Order)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return fmt.Errorf("the simulated shop has no order %d", id)
	}
	o.UpdatedAt = s.config.Now()
	change(&o.Order)
	return nil
}

func (s *Sim) nextID() int64 {
	s.lastID++
	return s.lastID
}

// OrderBody returns the body of a webhook of the topics orders/… that carry an order, as it is now.
func (s *Sim) OrderBody(id int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return nil, fmt.Errorf("the simulated shop has no order %d", id)
	}
	return encode(s.order(o))
}

// encode writes JSON as Shopify does, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a webhook: %w", err)
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

func gid(kind string, id int64) string { return fmt.Sprintf("gid://shopify/%s/%d", kind, id) }

// orNull is a text, or null where there is none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// timeOrNull is a time, or null where there is none.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
