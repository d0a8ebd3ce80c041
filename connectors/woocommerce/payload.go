package woocommerce

import "encoding/json"

// The payloads, as the REST API's version 3 writes them, with the fields that we read.

type order struct {
	ID               loose        `json:"id"`
	Number           loose        `json:"number"`
	Status           loose        `json:"status"`
	Currency         loose        `json:"currency"`
	DateCreatedGMT   loose        `json:"date_created_gmt"`
	DateModifiedGMT  loose        `json:"date_modified_gmt"`
	DatePaidGMT      loose        `json:"date_paid_gmt"`
	DateCompletedGMT loose        `json:"date_completed_gmt"`
	DiscountTotal    loose        `json:"discount_total"`
	ShippingTotal    loose        `json:"shipping_total"`
	Total            loose        `json:"total"`
	TotalTax         loose        `json:"total_tax"`
	CustomerID       loose        `json:"customer_id"`
	CustomerNote     loose        `json:"customer_note"`
	CustomerIP       loose        `json:"customer_ip_address"`
	PaymentMethod    loose        `json:"payment_method"`
	CreatedVia       loose        `json:"created_via"`
	Billing          address      `json:"billing"`
	Shipping         address      `json:"shipping"`
	LineItems        []lineItem   `json:"line_items"`
	ShippingLines    []shipping   `json:"shipping_lines"`
	CouponLines      []couponLine `json:"coupon_lines"`
	Refunds          []refund     `json:"refunds"`
	MetaData         []meta       `json:"meta_data"`
}

type address struct {
	FirstName loose `json:"first_name"`
	LastName  loose `json:"last_name"`
	Company   loose `json:"company"`
	Address1  loose `json:"address_1"`
	Address2  loose `json:"address_2"`
	City      loose `json:"city"`
	State     loose `json:"state"`
	Postcode  loose `json:"postcode"`
	Country   loose `json:"country"`
	Phone     loose `json:"phone"`
	Email     loose `json:"email"` // of a billing address
}

type lineItem struct {
	ID          loose  `json:"id"`
	Name        loose  `json:"name"`
	ParentName  loose  `json:"parent_name"` // the product's, where the line is of a variation
	ProductID   loose  `json:"product_id"`
	VariationID loose  `json:"variation_id"`
	Quantity    loose  `json:"quantity"`
	SKU         loose  `json:"sku"`
	Price       loose  `json:"price"`    // of one, after discounts: a float divided by PHP
	Subtotal    loose  `json:"subtotal"` // of the line, before discounts, without tax
	Total       loose  `json:"total"`    // of the line, after discounts, without tax
	TotalTax    loose  `json:"total_tax"`
	MetaData    []meta `json:"meta_data"`
}

type shipping struct {
	ID          loose `json:"id"`
	MethodTitle loose `json:"method_title"`
	MethodID    loose `json:"method_id"`
	Total       loose `json:"total"`
}

type couponLine struct {
	Code loose `json:"code"`
}

type refund struct {
	ID     loose `json:"id"`
	Reason loose `json:"reason"`
	Total  loose `json:"total"` // negative
}

type meta struct {
	Key   loose           `json:"key"`
	Value json.RawMessage `json:"value"`
}

type customer struct {
	ID               loose   `json:"id"`
	DateCreatedGMT   loose   `json:"date_created_gmt"`
	DateModifiedGMT  loose   `json:"date_modified_gmt"`
	Email            loose   `json:"email"`
	FirstName        loose   `json:"first_name"`
	LastName         loose   `json:"last_name"`
	Role             loose   `json:"role"`
	Username         loose   `json:"username"`
	IsPayingCustomer loose   `json:"is_paying_customer"`
	OrdersCount      loose   `json:"orders_count"` // only of the API's version 2
	TotalSpent       loose   `json:"total_spent"`  // only of the API's version 2
	Billing          address `json:"billing"`
	Shipping         address `json:"shipping"`
	MetaData         []meta  `json:"meta_data"`
}

type product struct {
	ID              loose              `json:"id"`
	ParentID        loose              `json:"parent_id"`
	Name            loose              `json:"name"`
	Slug            loose              `json:"slug"`
	Type            loose              `json:"type"`
	Status          loose              `json:"status"`
	SKU             loose              `json:"sku"`
	GlobalUniqueID  loose              `json:"global_unique_id"` // GTIN, EAN, ISBN
	Price           loose              `json:"price"`
	RegularPrice    loose              `json:"regular_price"`
	OnSale          loose              `json:"on_sale"`
	ManageStock     loose              `json:"manage_stock"` // true, false, or "parent"
	StockQuantity   loose              `json:"stock_quantity"`
	StockStatus     loose              `json:"stock_status"`
	LowStockAmount  loose              `json:"low_stock_amount"`
	DateCreatedGMT  loose              `json:"date_created_gmt"`
	DateModifiedGMT loose              `json:"date_modified_gmt"`
	Categories      []term             `json:"categories"`
	Tags            []term             `json:"tags"`
	Brands          []term             `json:"brands"`
	Attributes      []productAttribute `json:"attributes"`
	Variations      []loose            `json:"variations"`
	MetaData        []meta             `json:"meta_data"`
}

type term struct {
	Name loose `json:"name"`
}

type productAttribute struct {
	Option loose `json:"option"` // the choice that a variation stands for
}

type coupon struct {
	ID                loose   `json:"id"`
	Code              loose   `json:"code"`
	Amount            loose   `json:"amount"`
	Status            loose   `json:"status"`
	DiscountType      loose   `json:"discount_type"`
	Description       loose   `json:"description"`
	FreeShipping      loose   `json:"free_shipping"`
	UsageCount        loose   `json:"usage_count"`
	UsageLimit        loose   `json:"usage_limit"`
	MinimumAmount     loose   `json:"minimum_amount"`
	EmailRestrictions []loose `json:"email_restrictions"`
	ProductIDs        []loose `json:"product_ids"`
	DateCreatedGMT    loose   `json:"date_created_gmt"`
	DateModifiedGMT   loose   `json:"date_modified_gmt"`
	DateExpiresGMT    loose   `json:"date_expires_gmt"`
	MetaData          []meta  `json:"meta_data"`
}
