package shopify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/connectortest"
	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// published returns a file of the published payloads and contracts, which the project does not carry.
func published(t *testing.T, path string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the working directory")
		}
	}
	data := filepath.Join(filepath.Dir(root), "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	return filepath.Join(data, path)
}

func publishedPayloads(t *testing.T) map[string][]byte {
	t.Helper()
	paths, _ := filepath.Glob(published(t, "shopify/webhooks/*.json"))
	if len(paths) < 80 {
		t.Fatalf("%d published payloads, expected at least 80", len(paths))
	}
	out := map[string][]byte{}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".json")] = body
	}
	return out
}

// catalogue are Shopify's topics by the names of their published payloads.
func catalogue(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(published(t, "shopify/webhook_topics_2026-04.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Name string }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, topic := range all {
		out[strings.ReplaceAll(topic.Name, "/", "_")] = topic.Name
	}
	return out
}

// withoutEvent are the published payloads that come to no event: their topics have none, but for the last one,
// an example in which Shopify left out what every assessment has.
func withoutEvent() []string {
	return []string{
		"app_scopes_update", "app_subscriptions_update", "bulk_operations_finish", "checkouts_delete", "collections_create",
		"collections_delete", "collections_update", "customer.joined_segment", "customer.tags_added", "customer.tags_removed",
		"customers_data_request", "customers_email_marketing_consent_update", "customers_marketing_consent_update",
		"customers_merge", "customers_purchasing_summary", "customers_redact", "disputes_update", "draft_orders_create",
		"draft_orders_delete", "draft_orders_update", "fulfillment_events_delete", "fulfillment_holds_added",
		"fulfillment_orders_cancelled", "fulfillment_orders_fulfillment_request_submitted", "fulfillment_orders_hold_released",
		"fulfillment_orders_moved", "fulfillment_orders_order_routing_complete", "fulfillment_orders_placed_on_hold",
		"inventory_items_create", "inventory_items_delete", "inventory_items_update", "locations_create",
		"order_transactions_create", "orders_edited", "payment_terms_create", "returns_cancel", "returns_reopen",
		"returns_update", "reverse_deliveries_attach_deliverable", "reverse_fulfillment_orders_dispose", "segments_create",
		"selling_plan_groups_create", "shop_redact", "shop_update", "subscription_billing_attempts_failure",
		"subscription_billing_attempts_success", "subscription_contracts_cancel", "subscription_contracts_create",
		"subscription_contracts_pause", "subscription_contracts_update", "tender_transactions_create", "themes_publish",
		"orders_risk_assessment_changed",
	}
}

// Every published payload is translated, and says what it said before; or its topic has no event.
func TestPublishedPayloads(t *testing.T) {
	t.Parallel()
	c, topics := newConnector(t), catalogue(t)
	for name, body := range publishedPayloads(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic, ok := topics[name]
			if !ok {
				t.Fatalf("no topic of the catalogue has that name")
			}
			h := c.KeepHeaders(headers(topic))
			delete(h, "X-Shopify-Triggered-At")
			events, err := connectortest.Translate(t, c, event.Delivery{Platform: "shopify", Shop: shop, Header: h, Body: body, ReceivedAt: time.Unix(1, 0)})
			var unsupported *shopify.Unsupported
			switch {
			case slices.Contains(withoutEvent(), name):
				if !errors.As(err, &unsupported) && name != "orders_risk_assessment_changed" {
					t.Errorf("got %d events and %v, want none and *Unsupported", len(events), err)
				}
				return
			case err != nil:
				t.Fatal(err)
			case len(events) != 1:
				t.Fatalf("%d events", len(events))
			}
			sameFacts(t, events[0], decoded(t, body))
		})
	}
}

// Every topic of the catalogue is translated or known to have no event.
func TestCatalogueIsKnown(t *testing.T) {
	t.Parallel()
	c := newConnector(t)
	for _, topic := range catalogue(t) {
		_, err := c.Translate(event.Delivery{Shop: shop, Header: map[string]string{"X-Shopify-Topic": topic}, Body: []byte(`{}`)})
		if err == nil || strings.Contains(err.Error(), "shopify has no topic") {
			t.Errorf("%s: %v", topic, err)
		}
	}
}

func decoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameFacts compares what an event says with what the payload does: ids digit for digit, amounts, counts, times.
func sameFacts(t *testing.T, e event.Event, raw map[string]any) {
	t.Helper()
	same := func(what, got string, want any) {
		t.Helper()
		if w := fmt.Sprint(want); want != nil && got != w && w != "" {
			t.Errorf("%s is %s, published %s", what, got, w)
		}
	}
	instant := func(what string, got time.Time, want any) {
		t.Helper()
		if s, ok := want.(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, s); err != nil || !got.Equal(at) {
				t.Errorf("%s is %s, published %s", what, got, s)
			}
		}
	}
	switch {
	case e.Data.Order != nil && e.Data.Order.Exists:
		o := e.Data.Order
		same("id", o.ID, raw["id"])
		same("name", o.Name, raw["name"])
		same("number", o.Number, raw["order_number"])
		same("total", o.Total.String(), raw["total_price"])
		same("subtotal", o.Subtotal.String(), raw["subtotal_price"])
		same("tax", o.TotalTax.String(), raw["total_tax"])
		same("discounts", o.TotalDiscounts.String(), raw["total_discounts"])
		same("tags", strings.Join(o.Tags, ", "), raw["tags"])
		same("customer", o.Customer.ID, raw["customer"].(map[string]any)["id"])
		instant("created_at", o.CreatedAt, raw["created_at"])
		instant("updated_at", o.UpdatedAt, raw["updated_at"])
		sameLines(t, same, o.LineItems, raw["line_items"])
	case e.Data.Fulfillment != nil && e.Data.Fulfillment.Exists:
		f := e.Data.Fulfillment
		same("id", f.ID, raw["id"])
		same("order", f.OrderID, raw["order_id"])
		same("order", e.Data.Order.ID, raw["order_id"])
		same("tracking", f.TrackingNumbers[0], raw["tracking_number"])
		sameLines(t, same, f.LineItems, raw["line_items"])
	case e.Data.Refund != nil:
		r := e.Data.Refund
		same("id", r.ID, raw["id"])
		same("order", r.OrderID, raw["order_id"])
		same("amount", r.Amount.String(), "85.00") // 75.00 and 10.00
		if want := raw["refund_line_items"].([]any); len(want) != len(r.LineItems) {
			t.Errorf("%d lines, published %d", len(r.LineItems), len(want))
		}
	case e.Data.Product != nil && e.Data.Product.Exists:
		same("id", e.Data.Product.ID, raw["id"])
		for i, v := range raw["variants"].([]any) {
			w := v.(map[string]any)
			same("variant", e.Data.Product.Variants[i].ID, w["id"])
			same("price", e.Data.Product.Variants[i].Price.String(), w["price"])
			same("stock", fmt.Sprint(*e.Data.Product.Variants[i].Stock), w["inventory_quantity"])
		}
	case e.Data.Customer != nil && e.Data.Customer.Exists:
		same("id", e.Data.Customer.ID, raw["id"])
		same("email", e.Data.Customer.Email, raw["email"])
	case e.Data.Checkout != nil:
		same("token", e.Data.Checkout.ID, raw["token"])
		same("total", e.Data.Checkout.Total.String(), raw["total_price"])
		sameLines(t, same, e.Data.Checkout.LineItems, raw["line_items"])
	case e.Data.Inventory != nil:
		same("item", e.Data.Inventory.InventoryItemID, raw["inventory_item_id"])
		same("location", e.Data.Inventory.LocationID, raw["location_id"])
		if e.Data.Variant != nil {
			same("variant", e.Data.Variant.ID, raw["id"])
			same("stock", fmt.Sprint(*e.Data.Inventory.Available), raw["inventory_quantity"])
		}
	case e.Data.Dispute != nil:
		same("id", e.Data.Dispute.ID, raw["id"])
		same("amount", e.Data.Dispute.Amount.String(), raw["amount"])
	case e.Data.Coupon != nil:
		same("title", e.Data.Coupon.Title, raw["title"])
	case e.Type == "app.uninstalled":
	default:
		same("subject", e.Subject, raw["id"])
	}
}

func sameLines(t *testing.T, same func(string, string, any), got []commerce.LineItem, raw any) {
	t.Helper()
	want := raw.([]any)
	if len(got) != len(want) {
		t.Fatalf("%d lines, published %d", len(got), len(want))
	}
	for i, l := range got {
		w := want[i].(map[string]any)
		same("line", l.ID, w["id"])
		same("product of a line", l.ProductID, w["product_id"])
		same("price of a line", l.Price.String(), w["price"])
		same("quantity of a line", fmt.Sprint(l.Quantity), w["quantity"])
	}
}

// Our own fixtures and the simulator's bodies have the keys of the published payload of their topic, wherever
// both have an object.
func TestKeysAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	payloads := publishedPayloads(t)
	for name, body := range fixtures(t) {
		if _, hard := hardShapes()[name]; hard || name == "discounts_delete" { // has no published payload
			continue
		}
		of := name
		if strings.HasPrefix(name, "fulfillment_events_create_") {
			of = "fulfillment_events_create"
		}
		sameKeys(t, "fixture "+name, decoded(t, body), decoded(t, payloads[of]))
	}
	for name, body := range simulated(t) {
		sameKeys(t, "simulated "+name, decoded(t, body), decoded(t, payloads[name]))
	}
}

func sameKeys(t *testing.T, path string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return
		}
		gk, wk := slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w))
		if !slices.Equal(gk, wk) {
			t.Errorf("%s has the keys\n%v, published\n%v", path, gk, wk)
		}
		for k := range w {
			sameKeys(t, path+"."+k, g[k], w[k])
		}
	case []any:
		g, _ := got.([]any)
		if len(w) > 0 && len(g) > 0 {
			sameKeys(t, path+"[]", g[0], w[0])
		}
	}
}

// simulated are bodies of the simulator by the names of the published payloads.
func simulated(t *testing.T) map[string][]byte {
	t.Helper()
	sim, order := newShop(t)
	at := time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)
	out := map[string][]byte{}
	add := func(name string, body []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = body
	}
	body, err := sim.OrderBody(order)
	add("orders_create", body, err)
	body, err = sim.FulfillmentBody(order, 0)
	add("fulfillments_create", body, err)
	body, err = sim.RefundBody(order, 0)
	add("refunds_create", body, err)
	body, err = sim.ShipmentBody(order, 81, 91, "delivered", "At the door")
	add("fulfillment_events_create", body, err)
	body, err = sim.CustomerBody(shopifysim.Customer{ID: 5, FirstName: "Ole", Address: &shopifysim.Address{City: "Bergen"}, CreatedAt: at, UpdatedAt: at})
	add("customers_create", body, err)
	variant := shopifysim.Variant{ID: 61, InventoryItemID: 71, Title: "Oak", Price: commerce.MustDecimal("189"), Stock: 0, UpdatedAt: at}
	body, err = sim.ProductBody(shopifysim.Product{ID: 51, Title: "Table", Variants: []shopifysim.Variant{variant}, CreatedAt: at, UpdatedAt: at})
	add("products_create", body, err)
	body, err = sim.VariantBody(51, variant)
	add("variants_out_of_stock", body, err)
	body, err = sim.InventoryBody(71, 72, 4)
	add("inventory_levels_update", body, err)
	body, err = sim.DeletedBody(order)
	add("orders_delete", body, err)
	return out
}
