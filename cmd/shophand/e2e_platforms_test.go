package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/plugins/labels/labelssim"
)

// TestPlatformsAgree runs one flow file on an order of each platform: the points and the labels are the same.
func TestPlatformsAgree(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{APIKey: "EZTK_the-key"})
	vendor := httptest.NewServer(sim)
	defer vendor.Close()
	h := newHouse(t)
	h.serve()
	h.shops()
	for _, shop := range []string{shopifyShop, wooShop} {
		h.run("connection", "set", "labels", "--shop", shop, "api_key=EZTK_the-key", "base_url="+vendor.URL+"/v2",
			"from.company=Sender Shop", "from.line1=2 Quay", "from.city=Springfield", "from.province=IL", "from.zip=62701", "from.country=US")
		h.run("connection", "set", "loyalty", "--shop", shop, "points_per_unit=1.5", `tiers=[{"name":"gold","from_points":100}]`)
	}
	h.flow(`flow: paid
on: order.paid
if: order.total > 100 && customer.exists
steps:
  - do: loyalty/award
    with: {customer: "${customer.id}", amount: "${order.total}", note: "Order ${order.name}"}
  - if: steps.award.tier == "gold"
    then:
      - do: labels/buy
        with: {to: "${order.shipping_address}", parcel: {weight_grams: 750}, service: USPS/Priority, max_rate: 25, reference: "${order.name}"}
`)
	h.accepted(fromShopify("orders/create", shopifyOrder(501, "#501", "120.50").json(t)))
	h.accepted(fromShopify("orders/paid", shopifyOrder(501, "#501", "120.50").json(t)))
	h.accepted(fromWoo("order.created", wooOrder(501, "501", "120.50").json(t))) // WooCommerce has no order.paid: it is derived

	type outcome struct {
		Status        string
		Points        float64
		Tier, Reached string
		Carrier       string
		Service       string
		Rate          string
	}
	outcomes := map[string]outcome{}
	for _, r := range h.finished("paid", 2) {
		full := shown[engine.Run](h, "run", "show", r.ID)
		o := outcome{Status: string(full.Status)}
		for _, step := range full.Steps {
			var out map[string]any
			_ = json.Unmarshal(step.Output, &out)
			switch step.Action {
			case "loyalty/award":
				o.Points, _ = out["awarded"].(float64)
				o.Tier, o.Reached = fmt.Sprint(out["tier"]), fmt.Sprint(out["reached"])
			case "labels/buy":
				o.Carrier, o.Service, o.Rate = fmt.Sprint(out["carrier"]), fmt.Sprint(out["service"]), fmt.Sprint(out["rate"])
			}
		}
		outcomes[r.Shop] = o
	}
	want := outcome{Status: "succeeded", Points: 180, Tier: "gold", Reached: "gold", Carrier: "USPS", Service: "Priority", Rate: "11.97"}
	for _, shop := range []string{shopifyShop, wooShop} {
		if outcomes[shop] != want {
			t.Errorf("on %s it came to %+v, want %+v", shop, outcomes[shop], want)
		}
	}

	bought := sim.Shipments()
	if len(bought) != 2 || !bought[0].Bought || !bought[1].Bought {
		t.Fatalf("the vendor sold %+v, want two labels", bought)
	}
	if bought[0].Reference == bought[1].Reference {
		t.Errorf("both labels have the key %s", bought[0].Reference)
	}
	for i := range bought { // WooCommerce has a phone with the billing address
		bought[i].To.Phone = ""
	}
	if !reflect.DeepEqual(bought[0].To, bought[1].To) || !reflect.DeepEqual(bought[0].Parcel, bought[1].Parcel) {
		t.Errorf("the labels differ: %+v, %+v", bought[0], bought[1])
	}
}
