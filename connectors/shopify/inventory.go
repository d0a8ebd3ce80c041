package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// levelJSON is the stock of one item at one location.
type levelJSON struct {
	InventoryItemID id     `json:"inventory_item_id"`
	LocationID      id     `json:"location_id"`
	Available       *int64 `json:"available"`
	UpdatedAt       moment `json:"updated_at"`
}

// inventoryLevel translates a webhook about the stock of one item at one location. An item is "connected" to a
// location that begins to stock it and "disconnected" from one that ends to, which then counts nothing; the
// latter message has no version.
func (m message) inventoryLevel() (event.Event, error) {
	const typ = "inventory.changed"
	var w levelJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	switch {
	case w.InventoryItemID == "":
		return event.Event{}, m.missing("inventory_item_id")
	case w.LocationID == "":
		return event.Event{}, m.missing("location_id")
	}
	item := string(w.InventoryItemID)
	data := commerce.Data{Inventory: &commerce.InventoryLevel{
		Exists: true, InventoryItemID: item, LocationID: string(w.LocationID), Available: w.Available, UpdatedAt: w.UpdatedAt.pointer(),
	}}
	identity := m.again(typ, item+"/"+string(w.LocationID))
	if !w.UpdatedAt.IsZero() {
		identity = event.Version(typ, item+"/"+string(w.LocationID), w.UpdatedAt.version(), data)
	}
	return m.event(typ, item, identity, data, w.UpdatedAt), nil
}

// variantStock translates a webhook about a variant that ran out, or is there again, over all locations. Its
// updated_at does not tell when: stock is no part of the variant.
func (m message) variantStock(typ string) (event.Event, error) {
	var w variantJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	v := w.variant()
	data := commerce.Data{
		Variant: v,
		Inventory: &commerce.InventoryLevel{
			Exists: true, InventoryItemID: v.InventoryItemID, ProductID: v.ProductID, VariantID: v.ID, SKU: v.SKU, Available: v.Stock,
		},
	}
	if v.ProductID != "" {
		p := noProduct()
		p.ID = v.ProductID
		data.Product = &p
	}
	return m.event(typ, first(v.InventoryItemID, v.ID), m.again(typ, v.ID), data, w.UpdatedAt), nil
}
