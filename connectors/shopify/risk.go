package shopify

import (
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// riskJSON is one assessment of an order's risk, by Shopify (no provider) or by an app.
type riskJSON struct {
	ProviderID    id     `json:"provider_id"`
	ProviderTitle string `json:"provider_title"`
	Level         string `json:"risk_level"`
	OrderID       id     `json:"order_id"`
	OrderGID      id     `json:"admin_graphql_api_order_id"`
	CreatedAt     moment `json:"created_at"`
}

// risk translates a webhook that carries an assessment. An order is assessed several times, by several.
func (m message) risk() (event.Event, error) {
	const typ = "risk.assessed"
	var w riskJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	order := first(w.OrderID, w.OrderGID)
	if order == "" {
		return event.Event{}, m.missing("order_id")
	}
	data := commerce.Data{
		Risk: &commerce.Risk{
			Exists: true, OrderID: string(order), Level: strings.ToLower(w.Level), Provider: first(w.ProviderTitle, string(w.ProviderID)),
		},
		Order: orderRef(order),
	}
	identity := m.again(typ, string(order))
	if !w.CreatedAt.IsZero() {
		identity = event.Version(typ, string(order), w.CreatedAt.version(), data)
	}
	return m.event(typ, string(order), identity, data, w.CreatedAt), nil
}
