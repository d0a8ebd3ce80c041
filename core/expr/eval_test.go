package expr

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk/commerce"
)

func decimalSchemas() map[reflect.Type]*jsonschema.Schema {
	return map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[commerce.Decimal](): commerce.DecimalSchema()}
}

func TestEval(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, typ, want string }{
		// The design's own examples.
		{`order.total > 100 && !("wholesale" in customer.tags)`, "bool", `true`},
		{`customer.id`, "text", `"77"`},
		{`order.total.floor()`, "int", `150`},
		{`steps.award.balance >= 1000`, "bool", `true`},
		{`order.line_items`, "list of line items", ``},

		// Decimals.
		{`order.total`, "decimal", `"150.00"`},
		{`order.total * 3`, "decimal", `"450.00"`},
		{`order.total_tax * 3 >= 0.9`, "bool", `true`},
		{`order.total + 0.1 + 0.2 == decimal("150.3")`, "bool", `true`},
		{`order.total - order.total_shipping`, "decimal", `"140.10"`},
		{`-order.total`, "decimal", `"-150.00"`},
		{`order.total == decimal("150")`, "bool", `true`},
		{`order.total != decimal("150")`, "bool", `false`},
		{`decimal(3) + 1`, "decimal", `"4"`},
		{`decimal(0.30)`, "decimal", `"0.3"`},
		{`order.total_tax.ceil()`, "int", `1`},
		{`(order.total * 0.125).round(2)`, "decimal", `"18.75"`},
		{`order.total.div(7, 2)`, "decimal", `"21.43"`},
		{`order.total.div(-7, 0)`, "decimal", `"-21"`},
		{`(1).div(3, 4)`, "decimal", `"0.3333"`},
		{`(0-1).div(200, 2)`, "decimal", `"-0.01"`},
		{`string(order.total)`, "text", `"150.00"`},
		{`order.line_items.map(i, i.total).sum()`, "decimal", `"140.10"`},
		{`order.line_items.map(i, i.quantity).sum()`, "int", `3`},
		{`order.line_items.filter(i, i.sku == "none").map(i, i.total).sum()`, "decimal", `"0"`},
		{`order.line_items.map(i, i.price * i.quantity).sum() == order.subtotal`, "bool", `true`},
		{`0.5`, "decimal", `"0.5"`},
		{`[0.5, 1]`, "list", `["0.5",1]`},
		{`customer.total_spent.orValue(decimal("0")) > 600`, "bool", `true`},
		{`order.total in [decimal("1"), decimal("150")]`, "bool", `true`},
		{`order.total > 99.99 && order.total <= 150`, "bool", `true`},
		{`order.total > 149.999`, "bool", `true`},

		// Objects, texts, times.
		{`order.exists`, "bool", `true`},
		{`order.customer.email == customer.email`, "bool", `true`},
		{`customer.default_address.city`, "text", `"Köln"`},
		{`has(order.note)`, "bool", `true`},
		{`has(order.billing_address)`, "bool", `false`},
		{`has(order.cancelled_at)`, "bool", `false`},
		{`order.billing_address.city`, "text", `""`},
		{`order.attributes["delivery-date"]`, "text", `"2026-11-09"`},
		{`order.attributes[?"none"].orValue("-")`, "text", `"-"`},
		{`"gift" in order.line_items[0].properties`, "bool", `true`},
		{`order.line_items[1].properties.size()`, "int", `0`},
		{`order.discount_codes`, "list of text", `[]`},
		{`order.paid_at.hasValue() && order.paid_at.value() < now`, "bool", `true`},
		{`order.cancelled_at`, "optional time", `null`},
		{`customer.orders_count`, "optional int", `4`},
		{`customer.orders_count.orValue(0) > 3`, "bool", `true`},
		{`customer.accepts_sms_marketing.orValue(false)`, "bool", `false`},
		{`now - order.created_at > duration("47h")`, "bool", `true`},
		{`now - order.created_at`, "duration", `"172800s"`},
		{`now`, "time", `"2026-11-05T09:30:00Z"`},
		{`now.getHours(shop.timezone)`, "int", `10`},
		{`order.email.lower().endsWith("@example.com")`, "bool", `true`},
		{`customer.default_address.city.upper()`, "text", `"KÖLN"`},
		{`order.tags.join(", ")`, "text", `"vip, gift"`},
		{`order.name.replace("#", "")`, "text", `"1001"`},
		{`order.name.matches("^#[0-9]+$")`, "bool", `true`},
		{`order.line_items.all(i, i.quantity > 0) && order.line_items.exists_one(i, i.title == "Teapot")`, "bool", `true`},
		{`order.line_items.exists(order, order.sku == "POT-9")`, "bool", `true`},
		{`size(order.line_items) == 2 ? "two" : "other"`, "text", `"two"`},
		{`{"id": order.id, "total": order.total}`, "map", `{"id":"5001","total":"150.00"}`},
		{`order.currency in ["EUR", "USD"]`, "bool", `true`},
		{`order.tags.exists(t, t.startsWith("v"))`, "bool", `true`},
		{`customer.default_address`, "address", ``},

		// Event, trigger, shop.
		{`event.type + " " + trigger.subject`, "text", `"order.paid 5001"`},
		{`event.order.id == order.id && event.customer.id == customer.id`, "bool", `true`},
		{`event.raw.contains("total_price") && event.raw_kind == "webhook"`, "bool", `true`},
		{`event.time < now`, "bool", `true`},
		{`shop.currency == order.currency`, "bool", `true`},

		// Typed outputs of steps.
		{`steps.award.rate * 2`, "decimal", `"0.10"`},
		{`steps.award.bonus`, "optional int", `null`},
		{`steps.award.bonus.orValue(7)`, "int", `7`},
		{`steps.award.note`, "text", `""`},
		{`steps.award.rewards.map(r, r.worth).sum()`, "decimal", `"14.40"`},
		{`steps.award.rewards[1].worth > 4`, "bool", `true`},
		{`steps.award.rewards.filter(r, r.worth > 5)[0].name`, "text", `"mug"`},
		{`"A1" in steps.award.codes`, "bool", `true`},
		{`steps.award.headers["content-type"]`, "text", `"text/plain"`},
		{`steps.award.anything.deep[1] > 2`, "bool", `true`},
		{`steps.shipped.event.order.total > 100`, "bool", `true`},
		{`steps.shipped.type == "order.fulfilled" && !steps.shipped.timed_out`, "bool", `true`},
		{`has(steps.award.bonus)`, "bool", `false`},

		// Data of unknown shape.
		{`steps.fetch.status`, "any value", `200`},
		{`steps.fetch.json.price`, "any value", `"12.5"`},
		{`steps.fetch.json.price > 12`, "bool", `true`},
		{`steps.fetch.json.price > 12.4`, "bool", `true`},
		{`steps.fetch.json.count * order.total == decimal("450")`, "bool", `true`},
		{`steps.fetch.json.count > 2.5`, "bool", `true`},
		{`steps.fetch.json.count * 1.5`, "decimal", `"4.5"`},
		{`2 + steps.fetch.json.count`, "int", `5`},
		{`steps.fetch.json.big + 1`, "any value", `9007199254740994`},
		{`steps.fetch.json.huge > 5`, "bool", `true`},
		{`steps.fetch.json.count == 3 && steps.fetch.json.price == 12.5`, "bool", `true`},
		{`order.total > steps.fetch.json.price`, "bool", `true`},
		{`steps.fetch.json.name + "!"`, "text", `"Tea!"`},
		{`steps.fetch.json.name.size()`, "int", `3`},
		{`steps.fetch.json.none == null`, "bool", `true`},
		{`steps.fetch.json.name == null`, "bool", `false`},
		{`steps.fetch.json.none != 5`, "bool", `true`},
		{`has(steps.fetch.json.nothing)`, "bool", `false`},
		{`has(steps.fetch.json.nothing) && steps.fetch.json.nothing.x > 5`, "bool", `false`},
		{`steps.fetch.json.?nothing.orValue(1)`, "any value", `1`},
		{`steps.fetch.json.items.map(i, i.price * i.qty).sum()`, "any value", `"31.00"`},
		{`steps.fetch.json.items.exists(i, i.price < 3)`, "bool", `true`},
		{`steps.fetch.json.nested.x.y`, "any value", `7`},
		{`steps.fetch.json["nested"]["x"]["y"] == 7`, "bool", `true`},
		{`"a" in steps.fetch.json.tags`, "bool", `true`},
		{`steps.fetch.json.tags == ["a", "b"]`, "bool", `true`},
		{`steps.fetch.json.price.round(0)`, "decimal", `"13"`},
		{`decimal(steps.fetch.json.code) + 1`, "decimal", `"6"`},
		{`steps.fetch.json.nested`, "any value", `{"x":{"y":7}}`},
		{`[1, 2.5, 3].sum()`, "any value", `"6.5"`},
		{`order.paid_at.optMap(t, t < now).orValue(false)`, "bool", `true`},
		{`dyn(order).total > 100 && dyn(order).customer.email == order.email && has(dyn(order).note)`, "bool", `true`},
		{`dyn(event).type`, "any value", `"order.paid"`},
		{`{"a": 1.5, "b": order.total}["b"] > 100`, "bool", `true`},
		{`steps.fetch.json.nested.map(k, k)`, "list", `["x"]`},
		{`order.tags[?5].orValue("none")`, "text", `"none"`},
		{`[] == []`, "bool", `true`},
		{`"x" == "x"`, "bool", `true`},
	}
	e := newEnv(t, testScope(t))
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, e, tt.src)
			if got := p.Type().String(); got != tt.typ {
				t.Errorf("type is %s, want %s", got, tt.typ)
			}
			v, err := p.Eval(testValues())
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
