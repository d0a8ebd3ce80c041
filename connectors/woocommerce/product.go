package woocommerce

import (
	"errors"
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
)

func (p *product) head() head { return head{p.ID, p.DateCreatedGMT, p.DateModifiedGMT} }

// data translates a product. A simple product has one variant, with its own id. A variation comes as a product
// of its own with a parent, and is its own one variant. A product with variations tells only their ids; stock
// that it keeps for all of them together is in the event's variant. Weights are in the shop's unit, which is not
// told, so no variant has grams.
func (p *product) data() (commerce.Data, error) {
	if p.Name == "" && p.Type == "" && p.Price == "" {
		return commerce.Data{}, errors.New("it has neither name, type nor price, so it is no product")
	}
	var c amounts
	id := p.ID.id()
	out := &commerce.Product{
		Exists: true, ID: id, ParentID: p.ParentID.id(), Title: p.Name.title(), Handle: p.Slug.text(), Status: p.status(),
		Type: p.Type.text(), Tags: names(p.Tags), Categories: names(p.Categories), Variants: []commerce.Variant{},
		Attributes: attributes(p.MetaData), CreatedAt: p.DateCreatedGMT.time(), UpdatedAt: p.DateModifiedGMT.time(),
	}
	if brands := names(p.Brands); len(brands) > 0 {
		out.Vendor = brands[0]
	}
	data := commerce.Data{Product: out}
	item := p.variant(&c)
	for _, v := range p.Variations {
		if v.id() != "" {
			out.Variants = append(out.Variants, commerce.Variant{ID: v.id(), ProductID: id})
		}
	}
	switch {
	case len(out.Variants) == 0 && p.Type != "variable":
		out.Variants = append(out.Variants, item)
		data.Variant = &item
	case item.Stock != nil:
		data.Variant = &item
	}
	return data, c.err
}

func (p *product) variant(c *amounts) commerce.Variant {
	out := commerce.Variant{
		Exists: true, ID: p.ID.id(), ProductID: p.ID.id(), InventoryItemID: p.ID.id(), SKU: p.SKU.text(), Barcode: p.GlobalUniqueID.text(),
		Title: p.choices(), Price: c.read("price", p.Price), LowStockThreshold: p.LowStockAmount.count(),
		InStock: p.StockStatus != "outofstock", CreatedAt: p.DateCreatedGMT.time(), UpdatedAt: p.DateModifiedGMT.time(),
	}
	if parent := p.ParentID.id(); parent != "" && p.Type == "variation" {
		out.ProductID = parent
		if p.ManageStock == "parent" {
			out.InventoryItemID = parent
		}
	}
	if p.ManageStock.yes() {
		out.Stock = p.StockQuantity.count()
	}
	if regular := c.read("regular_price", p.RegularPrice); p.OnSale.yes() && regular.Cmp(out.Price) > 0 {
		out.CompareAtPrice = &regular
	}
	return out
}

// status is the common model's word for that of WordPress.
func (p *product) status() string {
	switch p.Status {
	case "publish":
		return "active"
	case "trash":
		return "archived"
	case "":
		return ""
	}
	return "draft" // draft, pending, private, future, auto-draft: not for sale to everybody
}

// choices is what a variation stands for: "S, red".
func (p *product) choices() string {
	var of []string
	for _, a := range p.Attributes {
		if a.Option != "" {
			of = append(of, a.Option.title())
		}
	}
	return strings.Join(of, ", ")
}

func names(of []term) []string {
	out := make([]string, 0, len(of))
	for _, t := range of {
		if t.Name != "" {
			out = append(out, t.Name.title())
		}
	}
	return out
}

// noProduct is the product of that id of which nothing else is known, or which is gone.
func noProduct(id string) *commerce.Product {
	return &commerce.Product{ID: id, Tags: []string{}, Categories: []string{}, Variants: []commerce.Variant{}, Attributes: map[string]string{}}
}
