package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// disputeJSON is what is read of a dispute.
type disputeJSON struct {
	ID            id     `json:"id"`
	OrderID       id     `json:"order_id"`
	Type          string `json:"type"`
	Status        string `json:"status"`
	Reason        string `json:"reason"`
	Currency      string `json:"currency"`
	Amount        amount `json:"amount"`
	EvidenceDueBy moment `json:"evidence_due_by"`
	InitiatedAt   moment `json:"initiated_at"`
}

// dispute translates a webhook that carries a dispute. Its amount may be in another currency than the order's.
func (m message) dispute() (event.Event, error) {
	const typ = "dispute.created"
	var w disputeJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	data := commerce.Data{
		Dispute: &commerce.Dispute{
			Exists: true, ID: string(w.ID), OrderID: string(w.OrderID), Kind: w.Type, Status: w.Status, Reason: w.Reason,
			Currency: w.Currency, Amount: w.Amount.Decimal, EvidenceDueBy: w.EvidenceDueBy.pointer(),
		},
		Order: orderRef(w.OrderID),
	}
	return m.event(typ, string(w.ID), event.Once(typ, string(w.ID)), data, w.InitiatedAt), nil
}
