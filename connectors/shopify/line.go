package shopify

import "github.com/shophand/shophand/sdk/commerce"

// lineJSON is what is read of a line of an order, fulfillment, refund, checkout or cart. The lines of checkouts
// and carts have no id of their own in some versions, but a key.
type lineJSON struct {
	ID                  id               `json:"id"`
	Key                 string           `json:"key"`
	ProductID           id               `json:"product_id"`
	VariantID           id               `json:"variant_id"`
	SKU                 string           `json:"sku"`
	Title               string           `json:"title"`
	VariantTitle        string           `json:"variant_title"`
	Vendor              string           `json:"vendor"`
	Quantity            int64            `json:"quantity"`
	Price               amount           `json:"price"`
	TotalDiscount       amount           `json:"total_discount"`
	DiscountAllocations []allocationJSON `json:"discount_allocations"`
	TaxLines            []taxLineJSON    `json:"tax_lines"`
	Grams               int64            `json:"grams"`
	RequiresShipping    bool             `json:"requires_shipping"`
	GiftCard            bool             `json:"gift_card"`
	Taxable             bool             `json:"taxable"`
	Properties          pairs            `json:"properties"`
	PriceSet            moneySet         `json:"price_set"`
	OriginalPrice       amount           `json:"original_price"`      // of carts
	OriginalLinePrice   amount           `json:"original_line_price"` // of carts
	LinePrice           amount           `json:"line_price"`          // of carts, after discounts; checkouts mean it otherwise
}

type allocationJSON struct {
	Amount amount `json:"amount"`
}

type taxLineJSON struct {
	Price amount `json:"price"`
}

func lines(all []lineJSON) []commerce.LineItem {
	out := make([]commerce.LineItem, len(all))
	for i := range all {
		out[i] = all[i].line()
	}
	return out
}

// line translates a line. Its discount is what Shopify allocated to it, codes and automatic discounts included;
// total_discount alone lacks those of the whole order.
func (w *lineJSON) line() commerce.LineItem {
	l := commerce.LineItem{
		ID: string(first(w.ID, id(w.Key))), ProductID: string(w.ProductID), VariantID: string(w.VariantID), SKU: w.SKU,
		Title: w.Title, VariantTitle: w.VariantTitle, Vendor: w.Vendor, Quantity: w.Quantity, Price: w.Price.Decimal,
		TotalDiscount: w.TotalDiscount.Decimal, Grams: w.Grams, RequiresShipping: w.RequiresShipping, GiftCard: w.GiftCard,
		Taxable: w.Taxable, Properties: w.Properties.strings(),
	}
	if len(w.DiscountAllocations) > 0 {
		l.TotalDiscount = commerce.Decimal{}
		for _, a := range w.DiscountAllocations {
			l.TotalDiscount = l.TotalDiscount.Add(a.Amount.Decimal)
		}
	}
	l.Total = l.Price.Mul(commerce.DecimalFromInt(l.Quantity)).Sub(l.TotalDiscount)
	if w.OriginalLinePrice.set {
		l.Price, l.Total = w.OriginalPrice.orElse(l.Price), w.LinePrice.orElse(l.Total)
	}
	for _, t := range w.TaxLines {
		l.TotalTax = l.TotalTax.Add(t.Price.Decimal)
	}
	return l
}
