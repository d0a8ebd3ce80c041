package woocommerce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// published is the folder of WooCommerce's payloads, which are not part of the project.
func published(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
	data := filepath.Join(dir, "..", "shared", "data", "woocommerce")
	if _, err := os.Stat(data); err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	return data
}

// captured is one request that a running store sent.
type captured struct {
	N            int    `json:"n"`
	Kind         string `json:"kind"`
	Topic        string `json:"topic"`
	Secret       string `json:"secret"`
	HeadersFile  string `json:"headers_file"`
	BodyFile     string `json:"body_file"`
	ErrorPayload bool   `json:"error_payload"`

	name   string
	header http.Header
	body   []byte
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// capturedIn reads all requests of one folder.
func capturedIn(t testing.TB, dir string) []captured {
	t.Helper()
	var all []captured
	readJSON(t, filepath.Join(dir, "index.json"), &all)
	for i := range all {
		c := &all[i]
		var h struct {
			Headers [][2]string `json:"headers"`
		}
		readJSON(t, filepath.Join(dir, c.HeadersFile), &h)
		c.header = http.Header{}
		for _, pair := range h.Headers {
			c.header.Add(pair[0], pair[1])
		}
		var err error
		if c.body, err = os.ReadFile(filepath.Join(dir, c.BodyFile)); err != nil {
			t.Fatal(err)
		}
		c.name = filepath.Join(filepath.Base(filepath.Dir(dir)), c.BodyFile)
	}
	return all
}

// Every request that running stores of three versions sent.
func TestPublishedDeliveries(t *testing.T) {
	t.Parallel()
	dirs, _ := filepath.Glob(filepath.Join(published(t), "captured", "other-versions", "*", "deliveries"))
	dirs = append(dirs, filepath.Join(published(t), "captured", "deliveries"))
	c := woocommerce.New(woocommerce.Config{})
	for _, dir := range dirs {
		seen := map[string]int{}
		for _, r := range capturedIn(t, dir) {
			seen[r.Kind]++
			if got := c.IsPing(r.header, r.body); got != (r.Kind == "ping") {
				t.Errorf("%s: ping %v, but it is a %s", r.name, got, r.Kind)
			}
			if r.Kind != "delivery" {
				if err := c.Verify(r.header, r.body, []sdk.Secret{"x"}); err == nil {
					t.Errorf("%s: a %s verifies", r.name, r.Kind)
				}
				continue
			}
			checkDelivery(t, c, r)
		}
		if seen["delivery"] == 0 || seen["ping"] == 0 {
			t.Errorf("%s: %v", dir, seen)
		}
		t.Log(dir, seen)
	}
}

func checkDelivery(t *testing.T, c *woocommerce.Connector, r captured) {
	t.Helper()
	if err := c.Verify(r.header, r.body, []sdk.Secret{"another", sdk.Secret(r.Secret)}); err != nil {
		t.Errorf("%s: with the secret %q: %v", r.name, r.Secret, err)
	}
	if err := c.Verify(r.header, r.body, []sdk.Secret{sdk.Secret(r.Secret + "x")}); err == nil {
		t.Errorf("%s: verifies with another secret", r.name)
	}
	kept := c.KeepHeaders(r.header)
	if len(kept) != 6 || kept["X-Wc-Webhook-Topic"] != r.Topic {
		t.Errorf("%s: kept %v", r.name, kept)
	}
	events, err := translate(t, r.Topic, r.body)
	var unsupported *woocommerce.Unsupported
	switch {
	case strings.HasPrefix(r.Topic, "action."):
		if !errors.As(err, &unsupported) || unsupported.Topic != r.Topic {
			t.Errorf("%s %s: %v", r.name, r.Topic, err)
		}
	case bytes.HasPrefix(r.body, []byte(`{"code":"woocommerce_rest`)):
		if err == nil || !strings.Contains(err.Error(), "WooCommerce sent an error in the place of the") {
			t.Errorf("%s %s: an error body: %v", r.name, r.Topic, err)
		}
	case r.ErrorPayload:
		t.Errorf("%s: an error payload that is none: %s", r.name, r.body)
	case err != nil:
		t.Errorf("%s %s: %v", r.name, r.Topic, err)
	default:
		checkAgainstRaw(t, r.name, events)
	}
}

// checkAgainstRaw holds the ids, amounts and times of an event against its raw body.
func checkAgainstRaw(t *testing.T, name string, events []event.Event) {
	t.Helper()
	if len(events) != 1 {
		t.Errorf("%s: %d events", name, len(events))
		return
	}
	e := events[0]
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(e.Raw))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	want := func(what, got string, v any) {
		t.Helper()
		text := ""
		switch v := v.(type) {
		case json.Number:
			text = v.String()
		case string:
			text = v
		}
		if text == "0" && got == "" || text == "" && got == "0" { // no id; no amount
			return
		}
		if got != text {
			t.Errorf("%s: %s is %q, not %q", name, what, got, text)
		}
	}
	at := func(what string, got *time.Time, v any) {
		t.Helper()
		text := ""
		if got != nil && !got.IsZero() {
			text = got.Format("2006-01-02T15:04:05")
		}
		want(what, text, v)
	}
	want("id", e.Subject, raw["id"])
	if strings.HasSuffix(e.Type, ".deleted") {
		return
	}
	switch {
	case e.Data.Order != nil:
		o := e.Data.Order
		want("total", o.Total.String(), raw["total"])
		want("total_tax", o.TotalTax.String(), raw["total_tax"])
		want("shipping_total", o.TotalShipping.String(), raw["shipping_total"])
		want("discount_total", o.TotalDiscounts.String(), raw["discount_total"])
		want("number", o.Number, raw["number"])
		want("customer_id", o.Customer.ID, raw["customer_id"])
		want("status", o.PlatformStatus, raw["status"])
		at("date_paid_gmt", o.PaidAt, raw["date_paid_gmt"])
		at("date_completed_gmt", o.FulfilledAt, raw["date_completed_gmt"])
		at("date_created_gmt", &o.CreatedAt, raw["date_created_gmt"])
		at("date_modified_gmt", &o.UpdatedAt, raw["date_modified_gmt"])
		lines, _ := raw["line_items"].([]any)
		if len(lines) != len(o.LineItems) {
			t.Errorf("%s: %d lines, not %d", name, len(o.LineItems), len(lines))
			return
		}
		for i, l := range lines {
			line, got := l.(map[string]any), o.LineItems[i]
			want("line id", got.ID, line["id"])
			want("line product", got.ProductID, line["product_id"])
			want("line variation", got.VariantID, line["variation_id"])
			want("line total", got.Total.String(), line["total"])
			want("line tax", got.TotalTax.String(), line["total_tax"])
			want("line sku", got.SKU, line["sku"])
			if subtotal := got.Price.Mul(commerce.DecimalFromInt(got.Quantity)).Round(2).String(); got.Quantity > 0 {
				want("line subtotal", subtotal, line["subtotal"])
			}
		}
		refunds, _ := raw["refunds"].([]any)
		if len(refunds) != len(o.Refunds) {
			t.Errorf("%s: %d refunds, not %d", name, len(o.Refunds), len(refunds))
			return
		}
		for i, r := range refunds {
			refund := r.(map[string]any)
			want("refund id", o.Refunds[i].ID, refund["id"])
			want("refund total", o.Refunds[i].Amount.Neg().String(), refund["total"])
		}
	case e.Data.Product != nil:
		p := e.Data.Product
		want("parent_id", p.ParentID, raw["parent_id"])
		if len(p.Variants) == 1 && p.Variants[0].Exists {
			want("price", p.Variants[0].Price.String(), raw["price"])
			want("sku", p.Variants[0].SKU, raw["sku"])
			if counted := raw["manage_stock"] == true; counted != (p.Variants[0].Stock != nil) {
				t.Errorf("%s: stock is counted: %v, but manage_stock is %v", name, !counted, raw["manage_stock"])
			}
		}
	case e.Data.Coupon != nil:
		want("amount", e.Data.Coupon.Amount.String(), raw["amount"])
		want("code", e.Data.Coupon.Code, raw["code"])
	case e.Data.Customer != nil:
		want("email", e.Data.Customer.Email, raw["email"])
	}
}

// What the REST API answers is what webhooks carry: every resource in its answers and in its documentation.
func TestPublishedResources(t *testing.T) {
	t.Parallel()
	data := published(t)
	count := 0
	for _, pattern := range []string{"rest/*.json", "webhooks/*.json", "captured/rest/*.body", "captured/other-versions/*/rest/*.body"} {
		files, _ := filepath.Glob(filepath.Join(data, filepath.FromSlash(pattern)))
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range resourcesIn(raw) {
				count++
				events, err := translate(t, found.topic, found.body)
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(file), err)
					continue
				}
				checkAgainstRaw(t, filepath.Base(file), events)
			}
		}
	}
	if count < 150 {
		t.Errorf("only %d resources found", count)
	}
}

type resource struct {
	topic string
	body  []byte
}

// resourcesIn finds orders, products, customers and coupons in a document, however deep.
func resourcesIn(raw []byte) []resource {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		has := func(keys ...string) bool {
			if id := object["id"]; len(id) == 0 || id[0] < '0' || id[0] > '9' { // the description of a field
				return false
			}
			return !slices.ContainsFunc(keys, func(k string) bool { _, ok := object[k]; return !ok })
		}
		switch {
		case has("line_items", "order_key"):
			return []resource{{"order.updated", raw}}
		case has("catalog_visibility", "permalink"):
			return []resource{{"product.updated", raw}}
		case has("discount_type", "code", "usage_limit"):
			return []resource{{"coupon.updated", raw}}
		case has("is_paying_customer", "email"):
			return []resource{{"customer.updated", raw}}
		}
		var out []resource
		for _, key := range slices.Sorted(maps.Keys(object)) {
			out = append(out, resourcesIn(object[key])...)
		}
		return out
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []resource
	for _, element := range list {
		out = append(out, resourcesIn(element)...)
	}
	return out
}

// keySets tells for each object of a document, by its path, the keys that it has; what plugins put into meta
// data is no part of it.
type keySets struct {
	always, ever map[string]map[string]bool
}

func (k *keySets) add(path string, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			k.add(path+"[]", e)
		}
	case map[string]any:
		if k.ever[path] == nil {
			k.ever[path], k.always[path] = map[string]bool{}, map[string]bool{}
			for key := range v {
				k.always[path][key] = true
			}
		}
		maps.DeleteFunc(k.always[path], func(key string, _ bool) bool { _, ok := v[key]; return !ok })
		for key, e := range v {
			k.ever[path][key] = true
			if key != "value" && key != "display_value" {
				k.add(path+"."+key, e)
			}
		}
	}
}

// Our own fixtures, and the simulator, have the keys that a real store's payloads have: none less and none more.
func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	real := map[string]*keySets{}
	for _, r := range capturedIn(t, filepath.Join(published(t), "captured", "deliveries")) {
		kind, happened, _ := strings.Cut(r.Topic, ".")
		if r.Kind != "delivery" || kind == "action" || bytes.HasPrefix(r.body, []byte(`{"code":"woocommerce_rest`)) || bytes.Contains(r.body, []byte(`/wc\/v2\/`)) {
			continue
		}
		if happened == "deleted" {
			kind += ".deleted"
		}
		if real[kind] == nil {
			real[kind] = &keySets{map[string]map[string]bool{}, map[string]map[string]bool{}}
		}
		var v any
		if err := json.Unmarshal(r.body, &v); err != nil {
			t.Fatal(err)
		}
		real[kind].add("", v)
	}
	compare := func(name, kind string, body []byte) {
		t.Helper()
		ours := keySets{map[string]map[string]bool{}, map[string]map[string]bool{}}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		ours.add("", v)
		for path, keys := range ours.ever {
			kind := kind
			if path == ".meta_data[]" && real[kind].ever[path] == nil { // the store had no customer with meta data
				kind = "product"
			}
			for key := range keys {
				if !real[kind].ever[path][key] {
					t.Errorf("%s: a real %s has no %s.%s", name, kind, path, key)
				}
			}
			for key := range real[kind].always[path] {
				if !ours.always[path][key] {
					t.Errorf("%s: a real %s always has %s.%s", name, kind, path, key)
				}
			}
		}
	}
	odd := []string{"order.sparse", "order.unknown_keys", "order.php_quirks", "product.php_quirks", "customer.restored"}
	for _, name := range fixtures(t) {
		kind, happened, _ := strings.Cut(name, ".")
		switch {
		case slices.Contains(odd, name), kind == "action", strings.HasPrefix(happened, "error"):
			continue
		case happened == "deleted":
			kind = name
		}
		compare(name, kind, fixture(t, name))
	}
	s := woosim.New(woosim.Config{})
	for name, order := range simulated() {
		id, err := s.Add(order)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Refund(id, commerce.MustDecimal("1.00"), "late"); err != nil {
			t.Fatal(err)
		}
		compare("simulated: "+name, "order", s.Payload(id))
	}
	delivery := capturedIn(t, filepath.Join(published(t), "captured", "deliveries"))
	for _, r := range delivery {
		if r.Kind != "delivery" {
			continue
		}
		want := slices.Sorted(maps.Keys(r.header))
		want = slices.DeleteFunc(want, func(k string) bool { // set by the client that sends
			return slices.Contains([]string{"Host", "Accept-Encoding", "Connection", "Content-Length"}, k)
		})
		if got := slices.Sorted(maps.Keys(s.Header(r.Topic, r.body))); !slices.Equal(got, want) {
			t.Errorf("the simulator's headers are %v, a real store's %v", got, want)
		}
		break
	}
}

// simulated are orders of the simulator with all that it knows, and with nothing.
func simulated() map[string]woosim.Order {
	money := commerce.MustDecimal
	return map[string]woosim.Order{
		"empty": {},
		"full": {
			CustomerID: 31, Note: "ring\ntwice", Coupon: "herbst", TaxPercent: money("19"), ShippingCost: money("4.90"),
			Billing:  woosim.Address{FirstName: "Zoë", LastName: "Müller", Country: "DE", Email: "zoe@example.com"},
			Shipping: woosim.Address{FirstName: "Zoë", LastName: "Müller", Country: "DE"},
			Fees:     []woosim.Fee{{Name: "Gift wrap", Amount: money("2.50")}},
			Meta:     map[string]string{"_gift_wish": "Für dich 🎁"},
			Lines: []woosim.Line{
				{ProductID: 11, Name: "Tasse / groß ☕", SKU: "MUG-1", Quantity: 2, Price: money("13.00"), Discount: money("3.90")},
				{ProductID: 16, VariationID: 17, Name: "T-Shirt - S, red", ParentName: "T-Shirt", SKU: "SHIRT", Price: money("19.90"), Discount: money("2.98")},
			},
		},
	}
}
