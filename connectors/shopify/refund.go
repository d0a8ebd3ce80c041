package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// refundJSON is what is read of a refund.
type refundJSON struct {
	ID           id               `json:"id"`
	GID          id               `json:"admin_graphql_api_id"`
	OrderID      id               `json:"order_id"`
	Note         string           `json:"note"`
	Restock      bool             `json:"restock"`
	Lines        []refundLineJSON `json:"refund_line_items"`
	Transactions []struct {
		Kind     string `json:"kind"`
		Status   string `json:"status"`
		Amount   amount `json:"amount"`
		Currency string `json:"currency"`
	} `json:"transactions"`
	Adjustments []struct {
		Amount    amount   `json:"amount"`
		Tax       amount   `json:"tax_amount"`
		AmountSet moneySet `json:"amount_set"`
		TaxSet    moneySet `json:"tax_amount_set"`
	} `json:"order_adjustments"`
	TotalDuties moneySet `json:"total_duties_set"`
	CreatedAt   moment   `json:"created_at"`
	ProcessedAt moment   `json:"processed_at"`
}

type refundLineJSON struct {
	Quantity    int64    `json:"quantity"`
	LineItemID  id       `json:"line_item_id"`
	LineItem    lineJSON `json:"line_item"`
	RestockType string   `json:"restock_type"`
	Subtotal    amount   `json:"subtotal"`
	SubtotalSet moneySet `json:"subtotal_set"`
	TotalTax    amount   `json:"total_tax"`
	TotalTaxSet moneySet `json:"total_tax_set"`
}

// noRestock is the restock_type of a line that stays out of stock.
const noRestock = "no_restock"

// refund translates a refund of the order of that id and shop currency; both may be "" where the refund itself
// names them.
func (w *refundJSON) refund(order, currency string) *commerce.Refund {
	r := &commerce.Refund{
		Exists: true, ID: string(first(w.ID, w.GID)), OrderID: first(string(w.OrderID), order), Reason: w.Note, Restock: w.Restock,
		LineItems: make([]commerce.LineItem, len(w.Lines)), CreatedAt: w.CreatedAt.pointer(), Currency: currency,
	}
	for i := range w.Lines {
		line := &w.Lines[i]
		l := line.LineItem.line()
		l.ID, l.Quantity = first(string(line.LineItemID), l.ID), line.Quantity
		l.Total = line.SubtotalSet.Shop.Amount.orElse(line.Subtotal.Decimal)
		l.TotalTax = line.TotalTaxSet.Shop.Amount.orElse(line.TotalTax.Decimal)
		r.LineItems[i] = l
		r.Restock = r.Restock || line.RestockType != "" && line.RestockType != noRestock
		r.Currency = first(r.Currency, line.SubtotalSet.Shop.Currency)
	}
	r.Currency = first(r.Currency, w.TotalDuties.Shop.Currency)
	r.Amount = w.amount(r)
	return r
}

// amount is the money that went back, in the shop's currency: what the transactions moved. Those of an order in
// another currency than the shop's are in that other one; then it is what the lines and adjustments come to
// (an adjustment is negative where more went back than for the lines, as for shipping). Transactions that failed
// moved nothing; one that is pending is on its way.
func (w *refundJSON) amount(r *commerce.Refund) commerce.Decimal {
	var moved, counted commerce.Decimal
	foreign := false
	for _, t := range w.Transactions {
		if t.Kind != "refund" || t.Status == "failure" || t.Status == "error" {
			continue
		}
		r.Currency = first(r.Currency, t.Currency)
		foreign = foreign || t.Currency != "" && t.Currency != r.Currency
		moved = moved.Add(t.Amount.Decimal)
	}
	if !foreign {
		return moved
	}
	for _, l := range r.LineItems {
		counted = counted.Add(l.Total).Add(l.TotalTax)
	}
	for _, a := range w.Adjustments {
		counted = counted.Sub(a.AmountSet.Shop.Amount.orElse(a.Amount.Decimal)).Sub(a.TaxSet.Shop.Amount.orElse(a.Tax.Decimal))
	}
	return counted
}

// refund translates a webhook that carries a refund.
func (m message) refund() (event.Event, error) {
	const typ = "refund.created"
	var w refundJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	r := w.refund("", "")
	data := commerce.Data{Refund: r, Order: orderRef(w.OrderID)}
	return m.event(typ, r.ID, event.Once(typ, r.ID), data, w.ProcessedAt, w.CreatedAt), nil
}
