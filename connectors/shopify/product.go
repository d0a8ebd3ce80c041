package shopify

import (
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// productJSON is what is read of a product.
type productJSON struct {
	ID          id            `json:"id"`
	GID         id            `json:"admin_graphql_api_id"`
	Title       string        `json:"title"`
	Handle      string        `json:"handle"`
	Status      string        `json:"status"`
	ProductType string        `json:"product_type"`
	Vendor      string        `json:"vendor"`
	Tags        list          `json:"tags"`
	Category    *categoryJSON `json:"category"`
	Variants    []variantJSON `json:"variants"`
	CreatedAt   moment        `json:"created_at"`
	UpdatedAt   moment        `json:"updated_at"`
}

type categoryJSON struct {
	Name     string `json:"name"`
	FullName string `json:"full_name"`
}

type variantJSON struct {
	ID                id     `json:"id"`
	GID               id     `json:"admin_graphql_api_id"`
	ProductID         id     `json:"product_id"`
	InventoryItemID   id     `json:"inventory_item_id"`
	SKU               string `json:"sku"`
	Barcode           string `json:"barcode"`
	Title             string `json:"title"`
	Price             amount `json:"price"`
	CompareAtPrice    amount `json:"compare_at_price"`
	InventoryPolicy   string `json:"inventory_policy"`
	InventoryQuantity *int64 `json:"inventory_quantity"`
	Grams             int64  `json:"grams"`
	CreatedAt         moment `json:"created_at"`
	UpdatedAt         moment `json:"updated_at"`
}

// noProduct is a product that does not exist.
func noProduct() commerce.Product {
	return commerce.Product{Tags: []string{}, Categories: []string{}, Variants: []commerce.Variant{}, Attributes: map[string]string{}}
}

func (w *productJSON) product() *commerce.Product {
	p := &commerce.Product{
		Exists: true, ID: string(w.ID), Title: w.Title, Handle: w.Handle, Status: w.Status, Type: w.ProductType,
		Vendor: w.Vendor, Tags: w.Tags.strings(), Categories: []string{}, Variants: make([]commerce.Variant, len(w.Variants)),
		Attributes: map[string]string{}, CreatedAt: w.CreatedAt.pointer(), UpdatedAt: w.UpdatedAt.pointer(),
	}
	if w.Category != nil {
		if name := first(w.Category.FullName, w.Category.Name); name != "" {
			p.Categories = []string{name}
		}
	}
	for i := range w.Variants {
		p.Variants[i] = *w.Variants[i].variant()
		if p.Variants[i].ProductID == "" {
			p.Variants[i].ProductID = p.ID
		}
	}
	return p
}

// variant translates a variant. It is in stock where its stock is not counted, some is left, or it sells on
// without.
func (w *variantJSON) variant() *commerce.Variant {
	v := &commerce.Variant{
		Exists: true, ID: string(first(w.ID, w.GID)), ProductID: string(w.ProductID), InventoryItemID: string(w.InventoryItemID),
		SKU: w.SKU, Barcode: w.Barcode, Title: w.Title, Price: w.Price.Decimal, CompareAtPrice: w.CompareAtPrice.pointer(),
		Stock: w.InventoryQuantity, Grams: w.Grams, CreatedAt: w.CreatedAt.pointer(), UpdatedAt: w.UpdatedAt.pointer(),
	}
	v.InStock = v.Stock == nil || *v.Stock > 0 || w.InventoryPolicy == "continue"
	return v
}

// product translates a webhook that carries a product.
func (m message) product(typ string) (event.Event, error) {
	var w productJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	p := w.product()
	data := commerce.Data{Product: p}
	if typ == "product.created" {
		return m.event(typ, p.ID, event.Once(typ, p.ID), data, w.CreatedAt), nil
	}
	return m.event(typ, p.ID, event.Version(typ, p.ID, w.UpdatedAt.version(), data), data, w.UpdatedAt), nil
}
