package shopify_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shophand/shophand/connectors/connectortest"
	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk/event"
)

var update = flag.Bool("update", false, "write golden files anew")

const shop = "nordlicht.myshopify.com"

func newConnector(t testing.TB) *shopify.Connector {
	t.Helper()
	c, err := shopify.New(shopify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// headers are those that Shopify sends with a webhook, without a signature.
func headers(topic string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": shop,
		"X-Shopify-Api-Version": "2026-10", "X-Shopify-Webhook-Id": "5d1c5a52-0b7c-4f0e-9d55-0c6c8c1f7a10",
		"X-Shopify-Event-Id": "0f1de3a4-6a55-4d1c-8f6e-2f8f3c1f0b11", "X-Shopify-Triggered-At": "2026-03-14T09:27:01.123456789Z",
	} {
		h.Set(name, value)
	}
	return h
}

// hardShapes are the fixtures that are not named for their topic.
func hardShapes() map[string]string {
	return map[string]string{
		"order_jpy": "orders/create", "order_kwd": "orders/create", "order_presentment": "orders/updated",
		"order_big_ids": "orders/create", "order_guest": "orders/create", "order_pos_without_anybody": "orders/create",
		"order_gift_card": "orders/create", "order_unicode": "orders/create", "order_sparse": "orders/create",
		"order_nulls": "orders/create", "order_unknown_keys": "orders/create", "order_expired_restocked": "orders/cancelled",
		"order_new_statuses": "orders/create", "orders_updated_refunded": "orders/updated",
		"customers_update_older_version": "customers/update",
	}
}

// topicOf is the topic of a fixture: its name up to the verb, with the slash in its place.
func topicOf(t testing.TB, name string) string {
	t.Helper()
	if topic, ok := hardShapes()[name]; ok {
		return topic
	}
	if strings.HasPrefix(name, "fulfillment_events_create_") {
		return "fulfillment_events/create"
	}
	for _, two := range []string{"_partially_fulfilled", "_in_stock", "_out_of_stock", "_risk_assessment_changed"} {
		if before, ok := strings.CutSuffix(name, two); ok {
			return before + "/" + two[1:]
		}
	}
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		t.Fatalf("the fixture %s is not named for a topic", name)
	}
	return name[:i] + "/" + name[i+1:]
}

// fixtures are the bodies in testdata, by name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) < 50 {
		t.Fatalf("%d fixtures in testdata: %v", len(paths), err)
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

func TestConformance(t *testing.T) {
	t.Parallel()
	order := fixtures(t)["orders_create"]
	cases := []connectortest.Case{
		{Name: "no topic", Header: http.Header{}, Body: order, Error: "X-Shopify-Topic is missing"},
		{Name: "unknown topic", Header: headers("llamas/shorn"), Body: order, Error: `no topic "llamas/shorn"`},
		{Name: "topic of no event", Header: headers("themes/publish"), Body: []byte(`{"id":1}`), Error: "themes/publish has no event in Shophand yet"},
		{Name: "compliance topic", Header: headers("shop/redact"), Body: []byte(`{"shop_id":1}`), Error: "shop/redact has no event"},
		{Name: "edit", Header: headers("orders/edited"), Body: []byte(`{"order_edit":{"id":1}}`), Error: "orders/updated"},
		{Name: "array", Header: headers("orders/create"), Body: []byte(`[{"id":1}]`), Error: "orders/create: the body is array, not an object"},
		{Name: "no id", Header: headers("orders/create"), Body: []byte(`{"total_price":"1.00"}`), Error: "orders/create: the body has no id"},
		{Name: "fraction as id", Header: headers("orders/create"), Body: []byte(`{"id":1.5}`), Error: "the field id holds 1.5, which is not an id"},
		{Name: "path as id", Header: headers("orders/create"), Body: []byte(`{"id":"../1"}`), Error: "which is not an id"},
		{Name: "amount that is none", Header: headers("orders/create"), Body: []byte(`{"id":1,"total_price":"12,00"}`), Error: `the field total_price holds "12,00", which is not an amount`},
		{Name: "time that is none", Header: headers("orders/create"), Body: []byte(`{"id":1,"created_at":"yesterday"}`), Error: `the field created_at holds "yesterday", which is not a time`},
		{Name: "deep in a list", Header: headers("orders/create"), Body: []byte(`{"id":1,"line_items":[{"quantity":"2"}]}`), Error: "the field line_items.quantity holds string, which is not a whole number"},
		{Name: "cut short", Header: headers("orders/create"), Body: order[:len(order)/2], Error: "the body is not JSON"},
		{Name: "risk without order", Header: headers("orders/risk_assessment_changed"), Body: []byte(`{"risk_level":"medium","order_id":null}`), Error: "no order_id"},
		{Name: "260 lines", Header: headers("orders/create"), Body: manyLines(t, order, 260), NoGolden: true, Check: checkManyLines},
	}
	for name, body := range fixtures(t) {
		c := connectortest.Case{Name: name, Header: headers(topicOf(t, name)), Body: body}
		if name == "fulfillment_events_create_label_printed" {
			c.Error = `nothing moved yet at the status "label_printed"`
		}
		cases = append(cases, c)
	}
	connectortest.Run(t, connectortest.Subject{
		Connector: newConnector(t), Shop: shop, Cases: cases, Update: *update,
		Sign: func(body []byte, secret string) http.Header {
			h := headers("orders/create")
			h.Set("X-Shopify-Hmac-Sha256", shopifysim.Sign(body, secret))
			return h
		},
		Redeliver: func(h http.Header) http.Header { // another subscription of the app gets the same event
			h = h.Clone()
			h.Set("X-Shopify-Webhook-Id", "another-delivery")
			h.Set("X-Shopify-Triggered-At", "2026-03-14T09:27:02Z")
			return h
		},
	})
}

// manyLines is an order with its first line n times, each with an id of its own.
func manyLines(t testing.TB, body []byte, n int) []byte {
	t.Helper()
	var order map[string]any
	if err := json.Unmarshal(body, &order); err != nil {
		t.Fatal(err)
	}
	first := order["line_items"].([]any)[1].(map[string]any)
	lines := make([]map[string]any, n)
	for i := range lines {
		line := map[string]any{}
		for k, v := range first {
			line[k] = v
		}
		line["id"], line["quantity"] = 7000000+i, i+1
		lines[i] = line
	}
	order["line_items"], order["id"] = lines, 5578231000001
	out, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkManyLines(t *testing.T, events []event.Event) {
	lines := events[0].Data.Order.LineItems
	if len(lines) != 260 || lines[259].ID != "7000259" || lines[259].Quantity != 260 || lines[259].Total.String() != "6370.00" {
		t.Errorf("got %d lines, the last one %+v", len(lines), lines[len(lines)-1])
	}
}

// What happens once has one identity whatever else the order says; what changes has another one each time.
func TestIdentity(t *testing.T) {
	t.Parallel()
	c, all := newConnector(t), fixtures(t)
	identity := func(topic string, body string, change ...string) event.Identity {
		t.Helper()
		h := headers(topic)
		for i := 0; i+1 < len(change); i += 2 {
			if name, ok := strings.CutPrefix(change[i], "header "); ok {
				h.Set(name, change[i+1])
				continue
			}
			if !strings.Contains(body, change[i]) {
				t.Fatalf("%s does not contain %s", topic, change[i])
			}
			body = strings.Replace(body, change[i], change[i+1], 1)
		}
		events, err := c.Translate(event.Delivery{Platform: "shopify", Shop: shop, Header: c.KeepHeaders(h), Body: []byte(body)})
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %d events, %v", topic, len(events), err)
		}
		return events[0].Identity
	}
	const other = "header X-Shopify-Event-Id"
	for _, c := range []struct {
		fixture string
		same    []string // changes that leave the identity
		differ  []string // changes that make another one
	}{
		{"orders_create", []string{`"#1042"`, `"#1"`, other, "2"}, []string{`"id": `, `"id": 9`}},
		{"orders_paid", []string{`"updated_at": "2026-03-14T10:05:00+01:00"`, `"updated_at": "2027-03-14T10:05:00+01:00"`, other, "2"}, []string{`"id": `, `"id": 9`}},
		{"orders_updated", []string{`10:05:00+01:00`, `09:05:00Z`, other, "2"}, []string{`10:05:00+01:00`, `10:05:01+01:00`}},
		{"orders_updated", []string{`"landing_site": "/"`, `"landing_site": "/a"`}, []string{`wholesale, vip`, `wholesale`}},
		{"orders_partially_fulfilled", []string{`"updated_at": "2026-03-15T15:00:01`, `"updated_at": "2026-03-15T16:00:01`, other, "2"}, []string{`"fulfillments": [
  {
   "id": `, `"fulfillments": [
  {
   "id": 9`}},
		{"refunds_create", []string{`scratched`, `bent`, other, "2"}, []string{`"id": `, `"id": 9`}},
		{"inventory_levels_update", []string{other, "2"}, []string{`"available": 3`, `"available": 4`}},
		{"inventory_levels_update", []string{other, "2"}, []string{`"location_id": `, `"location_id": 9`}},
		{"inventory_levels_disconnect", nil, []string{other, "2"}},
		{"variants_out_of_stock", nil, []string{other, "2"}},
		{"returns_request", []string{other, "2"}, []string{`"id": `, `"id": 9`}},
		{"returns_close", nil, []string{other, "2"}},
		{"app_uninstalled", nil, []string{other, "2"}},
		{"fulfillment_events_create_delivered", []string{`"id": `, `"id": 9`, other, "2"}, []string{`"fulfillment_id": `, `"fulfillment_id": 9`}},
		{"fulfillment_events_create_out_for_delivery", []string{other, "2"}, []string{`"id": `, `"id": 9`}},
		{"products_delete", []string{other, "2"}, []string{`"id": `, `"id": 9`}},
		{"customers_update", []string{other, "2"}, []string{`nora@example.com`, `n@example.com`}},
		{"orders_risk_assessment_changed", []string{other, "2"}, []string{`Riskwise`, `Fraudless`}},
	} {
		topic, body := topicOf(t, c.fixture), string(all[c.fixture])
		base := identity(topic, body)
		if got := identity(topic, body, c.same...); got != base {
			t.Errorf("%s: %q makes the identity %s, not %s", c.fixture, c.same, got, base)
		}
		if got := identity(topic, body, c.differ...); got == base {
			t.Errorf("%s: %q leaves the identity %s", c.fixture, c.differ, got)
		}
	}
}

// Without an event id, the delivery's own counts; without any, the body.
func TestOccurrenceWithoutEventID(t *testing.T) {
	t.Parallel()
	c := newConnector(t)
	seen := map[event.Identity]string{}
	for _, header := range []map[string]string{
		{"X-Shopify-Event-Id": "e", "X-Shopify-Webhook-Id": "w"}, {"X-Shopify-Webhook-Id": "w"}, {"X-Shopify-Webhook-Id": "w2"}, {},
	} {
		header["X-Shopify-Topic"] = "app/uninstalled"
		events, err := c.Translate(event.Delivery{Shop: shop, Header: header, Body: []byte(`{"id":1}`)})
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[events[0].Identity]; ok {
			t.Errorf("%v and %s have the identity %s", header, before, events[0].Identity)
		}
		seen[events[0].Identity] = fmt.Sprint(header)
	}
}

func BenchmarkTranslateOrder(b *testing.B) {
	c := newConnector(b)
	for name, size := range map[string]int{"orders_create": 0, "orders_updated": 0} {
		body := fixtures(b)[name]
		var compact []byte
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
		compact, _ = json.Marshal(v)
		size = len(compact)
		d := event.Delivery{Platform: "shopify", Shop: shop, Header: c.KeepHeaders(headers(topicOf(b, name))), Body: compact}
		b.Run(fmt.Sprintf("%s/%d bytes", name, size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Translate(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
