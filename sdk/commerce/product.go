package commerce

import "time"

// Product is something that a shop sells, with its variants. A product without choices has one variant.
type Product struct {
	Exists     bool              `json:"exists"`
	ID         string            `json:"id"`
	ParentID   string            `json:"parent_id"` // of a variation that the platform sends as a product of its own
	Title      string            `json:"title"`
	Handle     string            `json:"handle"`
	Status     string            `json:"status"` // active, draft, archived
	Type       string            `json:"type"`
	Vendor     string            `json:"vendor"`
	Tags       []string          `json:"tags"`
	Categories []string          `json:"categories"`
	Variants   []Variant         `json:"variants"`
	Attributes map[string]string `json:"attributes"`
	CreatedAt  *time.Time        `json:"created_at,omitempty"`
	UpdatedAt  *time.Time        `json:"updated_at,omitempty"`
}

// Variant is one sellable form of a product. Stock is nil where the shop does not count it.
type Variant struct {
	Exists            bool       `json:"exists"`
	ID                string     `json:"id"`
	ProductID         string     `json:"product_id"`
	InventoryItemID   string     `json:"inventory_item_id"`
	SKU               string     `json:"sku"`
	Barcode           string     `json:"barcode"`
	Title             string     `json:"title"`
	Price             Decimal    `json:"price"`
	CompareAtPrice    *Decimal   `json:"compare_at_price,omitempty"`
	Stock             *int64     `json:"stock,omitempty"`
	LowStockThreshold *int64     `json:"low_stock_threshold,omitempty"`
	InStock           bool       `json:"in_stock"`
	Grams             int64      `json:"grams"`
	CreatedAt         *time.Time `json:"created_at,omitempty"`
	UpdatedAt         *time.Time `json:"updated_at,omitempty"`
}

// InventoryLevel is the stock of one item at one place. Available is nil where the place does not count it.
type InventoryLevel struct {
	Exists          bool       `json:"exists"`
	InventoryItemID string     `json:"inventory_item_id"`
	LocationID      string     `json:"location_id"`
	ProductID       string     `json:"product_id"`
	VariantID       string     `json:"variant_id"`
	SKU             string     `json:"sku"`
	Available       *int64     `json:"available,omitempty"`
	UpdatedAt       *time.Time `json:"updated_at,omitempty"`
}
