package shopifysim

import (
	"fmt"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Product is a product of the shop.
type Product struct {
	ID        int64
	Title     string
	Handle    string
	Status    string // "": active
	Type      string
	Vendor    string
	Tags      []string
	Variants  []Variant
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Variant is one form of a product.
type Variant struct {
	ID              int64
	InventoryItemID int64
	Title           string
	SKU             string
	Price           commerce.Decimal
	Stock           int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// ProductBody returns the body of a webhook of the topics products/create and products/update.
func (s *Sim) ProductBody(p Product) ([]byte, error) {
	if p.Status == "" {
		p.Status = "active"
	}
	variants, gids := make([]object, 0, len(p.Variants)), make([]object, 0, len(p.Variants))
	for i, v := range p.Variants {
		body := s.variant(p.ID, i, v)
		body["inventory_item_id"] = numberOrNull(v.InventoryItemID)
		variants = append(variants, body)
		gids = append(gids, object{"admin_graphql_api_id": gid("ProductVariant", v.ID), "updated_at": timeOrNull(v.UpdatedAt)})
	}
	return encode(object{
		"admin_graphql_api_id": gid("Product", p.ID), "body_html": "", "created_at": timeOrNull(p.CreatedAt), "handle": p.Handle,
		"id": p.ID, "product_type": p.Type, "published_at": timeOrNull(p.CreatedAt), "template_suffix": nil, "title": p.Title,
		"updated_at": timeOrNull(p.UpdatedAt), "vendor": p.Vendor, "status": p.Status, "published_scope": "web",
		"tags": strings.Join(p.Tags, ", "), "variants": variants, "options": []object{}, "images": []object{}, "image": nil,
		"media": []object{}, "variant_gids": gids, "has_variants_that_requires_components": false, "category": nil,
	})
}

// VariantBody returns the body of a webhook of the topics variants/in_stock and variants/out_of_stock.
func (s *Sim) VariantBody(product int64, v Variant) ([]byte, error) {
	return encode(s.variant(product, 0, v))
}

func (s *Sim) variant(product int64, i int, v Variant) object {
	return object{
		"admin_graphql_api_id": gid("ProductVariant", v.ID), "barcode": nil, "compare_at_price": nil,
		"created_at": timeOrNull(v.CreatedAt), "id": v.ID, "inventory_policy": "deny", "position": i + 1,
		"price": s.till(Presentment{}).text(v.Price), "product_id": product, "sku": orNull(v.SKU), "taxable": true, "title": v.Title,
		"updated_at": timeOrNull(v.UpdatedAt), "option1": v.Title, "option2": nil, "option3": nil, "image_id": nil,
		"inventory_quantity": v.Stock, "old_inventory_quantity": v.Stock,
	}
}

// InventoryBody returns the body of a webhook of the topic inventory_levels/update.
func (s *Sim) InventoryBody(item, location, available int64) ([]byte, error) {
	return encode(object{
		"inventory_item_id": item, "location_id": location, "available": available, "updated_at": stamp(s.config.Now()),
		"admin_graphql_api_id": fmt.Sprintf("gid://shopify/InventoryLevel/%d?inventory_item_id=%d", location, item),
	})
}

// DeletedBody returns the body of a webhook of the topics orders/delete and products/delete.
func (s *Sim) DeletedBody(id int64) ([]byte, error) {
	return encode(object{"id": id})
}
