package woocommerce_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/connectortest"
	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

// topicOf is the topic of a fixture: its name, or what its name stands for.
func topicOf(name string) string {
	resource, rest, _ := strings.Cut(name, ".")
	switch rest {
	case "created", "updated", "deleted", "restored":
		return name
	}
	if resource == "action" {
		return "action.woocommerce_" + rest
	}
	return resource + ".updated"
}

// rejections are the fixtures that are no event, by a part of the reason.
func rejections() map[string]string {
	return map[string]string{
		"order.error.gone":              `an error in the place of the order: "Invalid ID." (woocommerce_rest_shop_order_invalid_id); it was deleted`,
		"order.error.rights":            "give that user the role of a shop manager",
		"order.error.api_v1":            "make it anew over v3",
		"order.error.number":            "Something broke.",
		"action.low_stock":              "topic action.woocommerce_low_stock has no event in Shophand: WooCommerce does not say which product it is about; use product.updated",
		"action.product_on_backorder":   "does not say which product",
		"action.updated_product_stock":  "nothing of its stock; use product.updated",
		"action.order_status_completed": "it holds the id of order 4711 and nothing else of it",
		"action.payment_complete":       "use order.created and order.updated",
		"action.new_customer_note":      "has no event in Shophand",
		"action.add_to_cart":            "has no event in Shophand",
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func fixtures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	return files
}

func store(secret string) *woosim.Store {
	return woosim.New(woosim.Config{WebhookSecret: secret, Now: func() time.Time { return time.Unix(1_795_000_000, 0) }})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s := connectortest.Subject{
		Connector: woocommerce.New(woocommerce.Config{}),
		Shop:      "tea",
		Sign:      func(body []byte, secret string) http.Header { return store(secret).Header("order.created", body) },
		Redeliver: func(h http.Header) http.Header {
			h = h.Clone()
			h.Set("X-WC-Webhook-ID", "99")
			h.Set("X-WC-Webhook-Delivery-ID", "0123456789abcdef0123456789abcdef")
			return h
		},
		Update: *update,
	}
	for _, name := range fixtures(t) {
		body := fixture(t, name)
		s.Cases = append(s.Cases, connectortest.Case{
			Name: name, Header: store("x").Header(topicOf(name), body), Body: body, Error: rejections()[name],
		})
	}
	s.Cases = append(s.Cases, connectortest.Case{
		Name: "order.260_lines", Header: store("x").Header("order.created", nil), Body: manyLines(t, 260), NoGolden: true,
		Check: func(t *testing.T, events []event.Event) {
			o := events[0].Data.Order
			if len(o.LineItems) != 260 || o.Subtotal.String() != "3380.00" || o.LineItems[259].ID != "10259" {
				t.Errorf("%d lines, subtotal %s, last line %s", len(o.LineItems), o.Subtotal, o.LineItems[259].ID)
			}
		},
	})
	connectortest.Run(t, s)
}

// manyLines is an order of n lines of 13.00 each.
func manyLines(t testing.TB, n int) []byte {
	t.Helper()
	var o map[string]any
	d := json.NewDecoder(bytes.NewReader(fixture(t, "order.guest")))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	line := o["line_items"].([]any)[0].(map[string]any)
	var lines []any
	for i := range n {
		l := maps.Clone(line)
		l["id"] = 10000 + i
		lines = append(lines, l)
	}
	o["line_items"] = lines
	o["total"] = fmt.Sprintf("%d.00", 13*n)
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func translate(t testing.TB, topic string, body []byte) ([]event.Event, error) {
	t.Helper()
	return connectortest.Translate(t, woocommerce.New(woocommerce.Config{}), event.Delivery{
		Platform: "woocommerce", Shop: "tea", Header: map[string]string{"X-Wc-Webhook-Topic": topic}, Body: body,
		ReceivedAt: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC),
	})
}

// What WooCommerce's status, dates and refunds make of an order's statuses.
func TestStatus(t *testing.T) {
	t.Parallel()
	const paid, sent = `"date_paid_gmt":"2026-10-05T08:00:00"`, `"date_completed_gmt":"2026-10-06T08:00:00"`
	for _, c := range []struct{ status, more, want string }{
		{"pending", "", "pending unfulfilled"},
		{"pending", paid, "pending unfulfilled"},
		{"failed", "", "pending unfulfilled"},
		{"on-hold", "", "pending unfulfilled"},
		{"on-hold", paid, "paid unfulfilled"},
		{"processing", paid, "paid unfulfilled"},
		{"processing", "", "paid unfulfilled"},
		{"processing", `"payment_method":"cod"`, "pending unfulfilled"},
		{"processing", paid + "," + sent, "paid unfulfilled"},
		{"completed", "", "paid fulfilled"},
		{"completed", paid + "," + sent, "paid fulfilled"},
		{"completed", `"refunds":[{"id":5,"total":"-1.00"}]`, "partially_refunded fulfilled"},
		{"completed", `"refunds":[{"id":5,"total":"-1.00"},{"id":6,"total":"-9.00"}]`, "refunded fulfilled"},
		{"cancelled", "", "voided unfulfilled cancelled"},
		{"cancelled", paid, "paid unfulfilled cancelled"},
		{"cancelled", paid + "," + sent, "paid fulfilled cancelled"},
		{"refunded", paid, "refunded unfulfilled"},
		{"refunded", paid + "," + sent, "refunded fulfilled"},
		{"checkout-draft", "", "pending unfulfilled"},
		{"auto-draft", paid, "pending unfulfilled"},
		{"trash", paid, "paid unfulfilled"},
		{"wc-shipped", paid, "paid unfulfilled"},
		{"delivered", paid + "," + sent, "paid fulfilled"},
		{"awaiting-x", "", "pending unfulfilled"},
	} {
		body := `{"id":7,"total":"10.00","date_modified_gmt":"2026-10-07T08:00:00","status":"` + c.status + `"`
		if c.more != "" {
			body += "," + c.more
		}
		events, err := translate(t, "order.updated", []byte(body+"}"))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		o := events[0].Data.Order
		got := o.FinancialStatus + " " + o.FulfillmentStatus
		if o.Cancelled {
			got += " cancelled"
		}
		if got != c.want || o.Cancelled != (o.CancelledAt != nil) || strings.Contains(c.more, "paid") != (o.PaidAt != nil) {
			t.Errorf("%s %s: got %s, want %s; cancelled at %v, paid at %v", c.status, c.more, got, c.want, o.CancelledAt, o.PaidAt)
		}
	}
}

// The price of one comes from the subtotal; the field price only counts where there is none.
func TestUnitPrice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{`"subtotal":"26.00","total":"22.10","quantity":2,"price":11.05`, "13.00"},
		{`"subtotal":"11.97","total":"11.97","quantity":3,"price":3.9900000000000002`, "3.99"},
		{`"subtotal":"10.00","total":"10.00","quantity":3,"price":3.3333333333333335`, "3.333333"},
		{`"subtotal":"1000","total":"1000","quantity":3`, "333.3333"},
		{`"subtotal":"10.125","total":"10.125","quantity":3`, "3.375"},
		{`"subtotal":"5.00","total":"5.00","quantity":2.5`, "2.00"},
		{`"subtotal":"5.00","total":"5.00","quantity":0`, "5.00"},
		{`"subtotal":"-3.00","total":"-3.00","quantity":1`, "-3.00"},
		{`"total":"5.00","quantity":1,"price":9.9900000000000002`, "9.99"},
		{`"total":"5.00","quantity":1,"price":"4.50"`, "4.50"},
		{`"total":"5.00","quantity":1`, "0"},
	} {
		events, err := translate(t, "order.created", []byte(`{"id":7,"total":"10.00","line_items":[{"id":1,`+c.line+`}]}`))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
		} else if got := events[0].Data.Order.LineItems[0].Price.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.line, got, c.want)
		}
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, topic, body, want string }{
		{"no topic", "", `{"id":1}`, "no topic"},
		{"unknown resource", "llama.shorn", `{"id":1}`, "topic llama.shorn has no event"},
		{"unknown verb", "order.paid", `{"id":1,"total":"1"}`, "topic order.paid has no event"},
		{"no verb", "order", `{"id":1,"total":"1"}`, "topic order has no event"},
		{"id 0", "order.deleted", `{"id":0}`, `"0" is not an id`},
		{"id with a fraction", "order.deleted", `{"id":1.5}`, `"1.5" is not an id`},
		{"negative id", "order.updated", `{"id":-1,"total":"1"}`, `"-1" is not an id`},
		{"id too long", "order.updated", `{"id":123456789012345678901,"total":"1"}`, "is not an id"},
		{"only an id", "order.created", `{"id":5}`, "order 5: it has no total"},
		{"a product for an order", "order.updated", `{"id":5,"name":"x","type":"simple","status":"publish","price":"1"}`, "it has no total"},
		{"an order for a product", "product.updated", `{"id":5,"status":"processing","total":"5.00","billing":{}}`, "so it is no product"},
		{"an order for a customer", "customer.updated", `{"id":5,"status":"processing","total":"5.00","billing":{"email":"a@example.com"}}`, "so it is no customer"},
		{"an order for a coupon", "coupon.updated", `{"id":5,"total":"5.00"}`, "so it is no coupon"},
		{"total in words", "order.updated", `{"id":5,"total":"ten"}`, `order 5: total: "ten" is not an amount`},
		{"total with a comma", "order.updated", `{"id":5,"total":"1.234,50"}`, "is not an amount"},
		{"line total broken", "order.updated", `{"id":5,"total":"1","line_items":[{"id":1,"total":"x"}]}`, "line_items total"},
		{"wrapped, as the oldest API does", "order.updated", `{"order":{"id":5}}`, "the body has no id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := translate(t, c.topic, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// What makes two deliveries one event, and what does not.
func TestIdentity(t *testing.T) {
	t.Parallel()
	identity := func(topic, body string) event.Identity {
		t.Helper()
		events, err := translate(t, topic, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return events[0].Identity
	}
	const order = `{"id":5,"total":"1.00","status":"pending","date_modified_gmt":"2026-10-05T08:00:00"}`
	later := strings.Replace(order, "08:00:00", "08:00:01", 1)
	changed := strings.Replace(order, "pending", "processing", 1)
	unread := strings.Replace(order, "}", `,"price_html":"<b>"}`, 1)
	for _, c := range []struct {
		name string
		a, b event.Identity
		same bool
	}{
		{"created, with a later state", identity("order.created", order), identity("order.created", changed), true},
		{"created and updated", identity("order.created", order), identity("order.updated", order), false},
		{"updated twice with one state", identity("order.updated", order), identity("order.updated", unread), true},
		{"updated and restored", identity("order.updated", order), identity("order.restored", order), true},
		{"updated a second later", identity("order.updated", order), identity("order.updated", later), false},
		{"updated within one second", identity("order.updated", order), identity("order.updated", changed), false},
		{"deleted twice", identity("order.deleted", `{"id":5}`), identity("order.deleted", `{"id":5}`), true},
		{"deleted, restored, deleted", identity("order.deleted", `{"id":5}`).WithRestores("0"), identity("order.deleted", `{"id":5}`).WithRestores("1"), false},
		{"another order", identity("order.deleted", `{"id":5}`), identity("order.deleted", `{"id":6}`), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: %s and %s; want the same: %v", c.name, c.a, c.b, c.same)
		}
	}
}

// Attributes are bounded: what is too much is left out whole.
func TestAttributesAreBounded(t *testing.T) {
	t.Parallel()
	var metas []map[string]any
	for i := range 400 {
		metas = append(metas, map[string]any{"id": i, "key": "k" + strconv.Itoa(i), "value": i})
	}
	metas[0]["value"], metas[1]["key"] = strings.Repeat("x", 9000), strings.Repeat("k", 9000)
	body, _ := json.Marshal(map[string]any{"id": 5, "total": "1.00", "meta_data": metas})
	events, err := translate(t, "order.updated", body)
	if err != nil {
		t.Fatal(err)
	}
	a := events[0].Data.Order.Attributes
	if _, ok := a["k0"]; ok || len(a) != 250 || a["k2"] != "2" {
		t.Errorf("%d attributes, the long one: %v", len(a), ok)
	}
}

func TestValidShopName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"tea": true, "0": true, "tea-shop_2.example": true, strings.Repeat("a", 63): true,
		"": false, "-tea": false, ".tea": false, "Tea": false, "tee/haus": false, "tea shop": false, "tëa": false, "tea\n": false,
		strings.Repeat("a", 64): false,
	} {
		if err := woocommerce.ValidShopName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func BenchmarkTranslate(b *testing.B) {
	c := woocommerce.New(woocommerce.Config{})
	for name, body := range map[string][]byte{"order": fixture(b, "order.created"), "260 lines": manyLines(b, 260), "product": fixture(b, "product.updated")} {
		b.Run(name, func(b *testing.B) {
			topic := "order.updated"
			if name == "product" {
				topic = "product.updated"
			}
			d := event.Delivery{Platform: "woocommerce", Shop: "tea", Header: map[string]string{"X-Wc-Webhook-Topic": topic}, Body: body}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Translate(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestCheckShop(t *testing.T) {
	t.Parallel()
	full := map[string]sdk.Secret{"key": "ck_x", "secret": "cs_x"}
	for _, c := range []struct {
		name, url   string
		credentials map[string]sdk.Secret
		want        string
	}{
		{"tea", "https://tea.example.com", full, ""},
		{"Tea", "https://tea.example.com", full, "not a name for a shop"},
		{"tea", "", full, "give --url, --key and --secret"},
		{"tea", "https://tea.example.com", map[string]sdk.Secret{"key": "ck_x"}, "give --url, --key and --secret"},
		{"tea", "http://tea.example.com", full, "use https"},
	} {
		err := woocommerce.New(woocommerce.Config{}).CheckShop(c.name, c.url, c.credentials)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %q", c.name, c.url, err, c.want)
		}
	}
}
