package demo

import (
	"strconv"
	"time"

	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/sdk/commerce"
)

// person buys in one of the shops. One without an id is a guest.
type person struct {
	id                int64
	first, last       string
	email             string
	street, city      string
	state, zip        string
	pays              string           // the buyer's own currency, "" where it is the shop's
	rate              commerce.Decimal // how much of it one of the shop's is
	streetIsUnheardOf bool
}

func (p person) name() string { return p.first + " " + p.last }

func (p person) customer() string {
	if p.id == 0 {
		return ""
	}
	return strconv.FormatInt(p.id, 10)
}

// customer is a person in a shop.
type customer struct {
	shop string
	person
}

// The people. The unheard-of street is one that the simulated carrier does not know.
func ada() person {
	return person{id: 7001, first: "Ada", last: "Byron", email: "ada@example.com", street: "12 Engine Row", city: "Portland", state: "OR", zip: "97201"}
}

func hanako() person {
	return person{id: 31, first: "花子", last: "山田", email: "hanako@example.com", street: "88 Cherry Lane", city: "San José", state: "CA", zip: "95110"}
}

func grace() person {
	return person{id: 7002, first: "Grace", last: "Hopper", email: "grace@example.com", street: "1 Cobol Court", city: "Arlington", state: "VA", zip: "22201",
		pays: "JPY", rate: commerce.MustDecimal("151.5")}
}

func zoe() person {
	return person{first: "Zoë", last: "Müller-Østergård", email: "zoe@example.com", street: "3 Unknown Street", city: "Nowhere", state: "KS", zip: "66002", streetIsUnheardOf: true}
}

func sam() person {
	return person{first: "Sam", last: "Rivers", email: "sam@example.com", street: "5 Ferry Road", city: "Boise", state: "ID", zip: "83702"}
}

// item is one line of a purchase.
type item struct {
	sku, title string
	price      string // of one
	quantity   int64
	giftCard   bool // is not shipped
}

func (i item) total() commerce.Decimal {
	return commerce.MustDecimal(i.price).Mul(commerce.DecimalFromInt(i.quantity))
}

// order is an order that was placed, as the one who placed it knows it. What the host says is compared with this.
type order struct {
	shop     string
	id       string
	name     string
	buyer    person
	total    commerce.Decimal
	shipped  []item // lines that go into a parcel
	platform string
}

// big tells whether the order earns points.
func (o *order) big() bool {
	return o.buyer.id != 0 && o.total.Cmp(commerce.DecimalFromInt(100)) > 0
}

// points that the order earns.
func (o *order) points() int64 {
	if !o.big() {
		return 0
	}
	n, _ := o.total.Floor()
	return n
}

// labelled tells whether the order ends with a label.
func (o *order) labelled() bool { return len(o.shipped) > 0 && !o.buyer.streetIsUnheardOf }

// flows are those that run for the order.
func (o *order) flows() []string {
	out := []string{"send-to-warehouse"}
	if o.big() {
		out = append(out, "thank-big-spenders")
	}
	if len(o.shipped) > 0 {
		out = append(out, "buy-label")
	}
	if o.buyer.id != 0 {
		out = append(out, "follow-up")
	}
	return out
}

func newOrder(shop, platform string, buyer person, shipping string, items []item) *order {
	o := &order{shop: shop, platform: platform, buyer: buyer, total: commerce.MustDecimal(shipping)}
	for _, i := range items {
		o.total = o.total.Add(i.total())
		if !i.giftCard {
			o.shipped = append(o.shipped, i)
		}
	}
	return o
}

// placeOnShopify has somebody buy in the Shopify shop. Nothing is delivered yet.
func (w *world) placeOnShopify(buyer person, shipping string, items ...item) *order {
	o := newOrder(shopifyShop, "Shopify", buyer, shipping, items)
	spec := shopifysim.Order{
		Customer: buyer.onShopify(), Email: buyer.email, Address: buyer.shopifyAddress(), Shipping: commerce.MustDecimal(shipping),
		Presentment: shopifysim.Presentment{Currency: buyer.pays, Rate: buyer.rate}, FinancialStatus: "pending",
	}
	for n, i := range items {
		spec.Lines = append(spec.Lines, shopifysim.Line{
			ProductID: 900 + int64(n), VariantID: 9000 + int64(n), Title: i.title, SKU: i.sku, Quantity: i.quantity,
			Price: commerce.MustDecimal(i.price), Grams: 300, GiftCard: i.giftCard,
		})
	}
	id := w.shopify.AddOrder(spec)
	w.shopifyOrders++
	o.id, o.name = strconv.FormatInt(id, 10), "#"+strconv.Itoa(1000+w.shopifyOrders)
	return o
}

// onShopify is the person as Shopify knows customers; nil for a guest.
func (p person) onShopify() *shopifysim.Customer {
	if p.id == 0 {
		return nil
	}
	now := time.Now().Truncate(time.Second)
	return &shopifysim.Customer{
		ID: p.id, FirstName: p.first, LastName: p.last, Email: p.email, Address: p.shopifyAddress(), CreatedAt: now, UpdatedAt: now,
	}
}

func (p person) shopifyAddress() *shopifysim.Address {
	return &shopifysim.Address{
		FirstName: p.first, LastName: p.last, Line1: p.street, City: p.city, Zip: p.zip, ProvinceCode: p.state, Country: "United States", CountryCode: "US",
	}
}

// placeOnWoo has somebody buy in the WooCommerce shop. Nothing is delivered yet.
func (w *world) placeOnWoo(buyer person, shipping string, items ...item) (*order, error) {
	o := newOrder(wooShop, "WooCommerce", buyer, shipping, items)
	address := woosim.Address{
		FirstName: buyer.first, LastName: buyer.last, Address1: buyer.street, City: buyer.city, State: buyer.state, Postcode: buyer.zip,
		Country: "US", Email: buyer.email,
	}
	spec := woosim.Order{
		Currency: currency, CustomerID: buyer.id, Billing: address, Shipping: address, ShippingCost: commerce.MustDecimal(shipping),
		PaymentMethod: "stripe",
	}
	for n, i := range items {
		spec.Lines = append(spec.Lines, woosim.Line{
			ProductID: 700 + int64(n), Name: i.title, SKU: i.sku, Quantity: i.quantity, Price: commerce.MustDecimal(i.price),
		})
	}
	id, err := w.woo.Add(spec)
	o.id, o.name = id, "#"+id
	return o, err
}

// wooCustomer is the body of WooCommerce's customer.created, as its REST API shows a customer.
// (https://woocommerce.github.io/woocommerce-rest-api-docs/#retrieve-a-customer)
func (w *world) wooCustomer(p person) map[string]any {
	now := w.wooClock.now().UTC().Format("2006-01-02T15:04:05")
	address := map[string]string{
		"first_name": p.first, "last_name": p.last, "company": "", "address_1": p.street, "address_2": "", "city": p.city, "state": p.state,
		"postcode": p.zip, "country": "US", "email": p.email, "phone": "",
	}
	self := w.wooURL + "/wp-json/wc/v3/customers"
	return map[string]any{
		"id": p.id, "date_created": now, "date_created_gmt": now, "date_modified": now, "date_modified_gmt": now, "email": p.email,
		"first_name": p.first, "last_name": p.last, "role": "customer", "username": p.email, "billing": address, "shipping": address,
		"is_paying_customer": false, "avatar_url": "", "meta_data": []any{},
		"_links": map[string]any{
			"self":       []map[string]string{{"href": self + "/" + p.customer()}},
			"collection": []map[string]string{{"href": self}},
		},
	}
}
