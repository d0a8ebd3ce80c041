package shopify

import (
	"encoding/json"
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// couponJSON is what a webhook says of a discount: not its value, nor its codes.
type couponJSON struct {
	GID       json.RawMessage `json:"admin_graphql_api_id"`
	Title     string          `json:"title"`
	Status    string          `json:"status"`
	CreatedAt moment          `json:"created_at"`
	UpdatedAt moment          `json:"updated_at"`
}

// noCoupon is a coupon that does not exist.
func noCoupon() commerce.Coupon {
	return commerce.Coupon{EmailRestriction: []string{}, ProductIDs: []string{}, Attributes: map[string]string{}}
}

// coupon translates a webhook that carries a discount. Its kind is "automatic" or "code".
func (m message) coupon(typ string) (event.Event, error) {
	var w couponJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	c := noCoupon()
	var own id
	gid, _ := unquote(w.GID)
	if err := own.UnmarshalJSON(w.GID); err != nil || own == "" {
		return event.Event{}, m.missing("admin_graphql_api_id")
	}
	c.Exists, c.ID, c.Title, c.Status = true, string(own), w.Title, strings.ToLower(w.Status)
	c.CreatedAt, c.UpdatedAt = w.CreatedAt.pointer(), w.UpdatedAt.pointer()
	switch {
	case strings.Contains(gid, "/DiscountAutomatic"):
		c.Kind = "automatic"
	case strings.Contains(gid, "/DiscountCode"):
		c.Kind = "code"
	}
	data := commerce.Data{Coupon: &c}
	if typ == "coupon.created" {
		return m.event(typ, c.ID, event.Once(typ, c.ID), data, w.CreatedAt), nil
	}
	return m.event(typ, c.ID, event.Version(typ, c.ID, w.UpdatedAt.version(), data), data, w.UpdatedAt), nil
}
