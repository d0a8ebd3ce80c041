package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// returnJSON is what is read of a return. Some topics name the order by an object, others by its id.
type returnJSON struct {
	ID            id               `json:"id"`
	GID           id               `json:"admin_graphql_api_id"`
	Order         idJSON           `json:"order"`
	OrderID       id               `json:"order_id"`
	Name          string           `json:"name"`
	Status        string           `json:"status"`
	TotalQuantity int64            `json:"total_return_line_items"`
	Lines         []returnLineJSON `json:"return_line_items"`
	Decline       struct {
		Reason string `json:"reason"`
		Note   string `json:"note"`
	} `json:"decline"`
}

type returnLineJSON struct {
	ID                  id     `json:"id"`
	GID                 id     `json:"admin_graphql_api_id"`
	Quantity            int64  `json:"quantity"`
	Reason              string `json:"return_reason"`
	FulfillmentLineItem struct {
		LineItem lineJSON `json:"line_item"`
	} `json:"fulfillment_line_item"`
}

// returned translates a webhook that carries a return. A return is requested, and approved or declined, once;
// one that was closed can be opened again and closed again.
func (m message) returned(typ string) (event.Event, error) {
	var w returnJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	order := first(w.OrderID, w.Order.ID, w.Order.GID)
	r := &commerce.Return{
		Exists: true, ID: string(w.ID), OrderID: string(order), Name: w.Name, Status: w.Status,
		Reason: first(w.Decline.Reason, w.Decline.Note), Quantity: w.TotalQuantity, LineItems: make([]commerce.LineItem, len(w.Lines)),
	}
	for i := range w.Lines {
		l := w.Lines[i].FulfillmentLineItem.LineItem.line()
		l.ID, l.Quantity = first(l.ID, string(w.Lines[i].ID), string(w.Lines[i].GID)), w.Lines[i].Quantity
		r.LineItems[i] = l
		r.Reason = first(r.Reason, w.Lines[i].Reason)
	}
	identity := event.Once(typ, r.ID)
	if typ == "return.closed" {
		identity = m.again(typ, r.ID)
	}
	return m.event(typ, r.ID, identity, commerce.Data{Return: r, Order: orderRef(order)}), nil
}
