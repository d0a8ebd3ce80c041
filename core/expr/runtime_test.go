package expr

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// TestEvalErrors holds what is told of an expression that cannot be evaluated.
func TestEvalErrors(t *testing.T) {
	t.Parallel()
	const prefix = " could not be evaluated: "
	tests := []struct{ src, want string }{
		{`steps.fetch.json.code == 5`, `text and number cannot be compared (steps.fetch.json.code = "5")`},
		{`5 != steps.fetch.json.code`, `number and text cannot be compared (steps.fetch.json.code = "5")`},
		{`steps.fetch.json.count == order.name`, `number and text cannot be compared (steps.fetch.json.count = 3, order.name = "#1001")`},
		{`steps.fetch.json.code > 4`, `text and number cannot be ordered (steps.fetch.json.code = "5")`},
		{`steps.fetch.json.ok == "true"`, `bool and text cannot be compared (steps.fetch.json.ok = true)`},
		{`"1" in steps.fetch.json.mixed`, `text and number cannot be compared (steps.fetch.json.mixed = [1, "1", 2.5])`},
		{`["1", "2"] == steps.fetch.json.mixed || steps.fetch.json.tags == [1, 2]`,
			`text and number cannot be compared (steps.fetch.json.mixed = [1, "1", 2.5], steps.fetch.json.tags = ["a", "b"])`},
		{`steps.fetch.json.nothing > 5`, `steps.fetch.json.nothing is missing (steps.fetch.json.nothing = missing)`},
		{`steps.fetch.json.nothing.deeper > 5 || order.total > 1000`,
			`steps.fetch.json.nothing is missing (steps.fetch.json.nothing.deeper = missing, order.total = 150.00)`},
		{`steps.fetch.json.tags[7] == "x"`, `steps.fetch.json.tags[7] is missing (steps.fetch.json.tags[7] = missing)`},
		{`order.line_items[5].sku == "x"`, `order.line_items[5] is missing (order.line_items[5].sku = missing)`},
		{`order.attributes["none"] == "x"`, `order.attributes.none is missing (order.attributes.none = missing)`},
		{`steps.fetch.json.name + 1`, `text and number cannot be added (steps.fetch.json.name = "Tea")`},
		{`steps.fetch.json.price / 2`, `decimals are divided with .div(divisor, places), not with / (steps.fetch.json.price = 12.5)`},
		{`1 + steps.fetch.json.price`, `1 is an int and what follows it is a decimal: write the decimal on the left (steps.fetch.json.price = 12.5)`},
		{`steps.fetch.json.none > 1`, `null and number cannot be ordered (steps.fetch.json.none = null)`},
		{`order.cancelled_at.value() < now`, `a value that may be missing is missing: use .orValue(…) (order.cancelled_at = missing, now = 2026-11-05T09:30:00Z)`},
		{`1 / (customer.orders_count.orValue(0) - 4) == 1`, `division by zero (customer.orders_count = 4)`},
		{`order.total.div(order.total - 150, 2) > 1`, `division by zero (order.total = 150.00)`},
		{`order.total.round(30) > 1`, `a number of decimal places must be from 0 to 20, not 30 (order.total = 150.00)`},
		{`decimal(order.name) > 1`, `"#1001" is not a decimal number (order.name = "#1001")`},
		{`steps.fetch.json.tags.sum() > 1`, `a value is of another kind than the expression needs (steps.fetch.json.tags = ["a", "b"])`},
		{`steps.wrong.balance > 1`, `steps.wrong.balance: it is the text "many" where a whole number is promised (steps.wrong.balance = not readable)`},
		{`steps.wrong.level == "gold"`, `steps.wrong.level: it is missing (steps.wrong.level = not readable)`},
		{`steps.gone.balance > 1`, `steps.gone: step "gone" has no output (steps.gone.balance = not readable)`},
		{`steps.broken.x > 1`, `steps.broken: it is not JSON: unexpected EOF (steps.broken.x = not readable)`},
	}
	s := testScope(t)
	s.Steps["wrong"] = StepScope{Output: schemaFor[awardOutput](t)}
	s.Steps["gone"] = StepScope{Output: schemaFor[awardOutput](t)}
	s.Steps["broken"] = StepScope{}
	e := newEnv(t, s)
	v := testValues()
	inner := v.Step
	v.Step = func(id string) (json.RawMessage, bool) {
		switch id {
		case "wrong":
			return json.RawMessage(`{"balance": "many"}`), true
		case "broken":
			return json.RawMessage(`{"x":`), true
		}
		return inner(id)
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			got, err := mustCompile(t, e, tt.src).Eval(v)
			if err == nil {
				t.Fatalf("got %v, want an error", got)
			}
			var failed *EvalError
			if !errors.As(err, &failed) || failed.Source != tt.src {
				t.Errorf("error is %#v", err)
			}
			if want := tt.src + prefix + tt.want; err.Error() != want {
				t.Errorf("\n got %s\nwant %s", err, want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	tests := []struct{ src, want string }{
		{`order.total > 100 && !("wholesale" in customer.tags)`, `order.total=150.00 customer.tags=["retail"]`},
		{`order.line_items.exists(i, i.total > customer.total_spent.orValue(decimal("0")))`,
			`order.line_items=a list of 2 items customer.total_spent=612.40`},
		{`steps.award.balance >= 1000 || steps["fetch"] == 1`, ``},
		{`steps.fetch.json["price"] > 1 && has(steps.fetch.json.none2)`, `steps.fetch.json.price=12.5 steps.fetch.json.none2=missing`},
		{`order.cancelled_at.hasValue() || order.paid_at.hasValue()`, `order.cancelled_at=missing order.paid_at=2026-11-05T09:29:00Z`},
		{`order.note.size() > 3 && order.note != ""`, `order.note="Bitte klingeln"`},
		{`event.raw.contains("x")`, `event.raw="{\"id\":5001,\"total_price\":\"150.00\"}"`},
		{`now > order.created_at`, `now=2026-11-05T09:30:00Z order.created_at=2026-11-03T09:30:00Z`},
		{`order.customer.exists`, `order.customer.exists=true`},
		{`[order.customer].size() > 1`, `order.customer=customer 77`},
		{`steps.award.rewards[0].worth > 1`, `steps.award.rewards[0].worth=9.90`},
	}
	for _, tt := range tests {
		p, problems := e.Compile(tt.src)
		if problems != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.src, problems)
			}
			continue
		}
		var got []string
		for _, r := range p.Explain(testValues()) {
			got = append(got, r.Path+"="+r.Value)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.src, s, tt.want)
		}
	}
	long := orderPaid()
	long.Data.Order.Note = strings.Repeat("ü", 300)
	v := testValues()
	v.Event = long
	got := mustCompile(t, e, `order.note == "x"`).Explain(v)[0].Value
	if want := `"` + strings.Repeat("ü", 80) + `…"`; got != want {
		t.Errorf("a long text is shown as %s", got)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	tests := []struct{ src, typ, want string }{
		{"", "text", `""`},
		{"plain", "text", `"plain"`},
		{"${order.total}", "decimal", `"150.00"`},
		{"${customer.tags}", "list of text", `["retail"]`},
		{"${order.paid_at}", "optional time", `"2026-11-05T09:29:00Z"`},
		{"${order.total.floor()}", "int", `150`},
		{" ${order.total}", "text", `" 150.00"`},
		{"Order ${order.name}", "text", `"Order #1001"`},
		{"${order.name}${order.number}", "text", `"#10011001"`},
		{"cost: $${order.total} $5 ${1}", "text", `"cost: ${order.total} $5 1"`},
		{"$$${order.number}", "text", `"$${order.number}"`},
		{`${{"a": {"b": 1}}["a"]["b"]} }`, "text", `"1 }"`},
		{`${"}"}${'}'}${r"\}"}`, "text", `"}}\\}"`},
		{`${"""a"}b"""}`, "text", `"a\"}b"`},
		{"${order.total // the } total\n}", "decimal", `"150.00"`},
		{"${order.test} ${order.created_at} ${now - order.created_at} ${0.50}", "text", `"false 2026-11-03T09:30:00Z 172800s 0.5"`},
		{"${steps.fetch.json.none}|${steps.fetch.json.price}|${steps.fetch.json.name}", "text", `"|12.5|Tea"`},
		{"${steps.fetch.json.items}", "any value", ""},
		{"Grüße, ${customer.first_name}!", "text", `"Grüße, Mina!"`},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			p, problems := e.CompileTemplate(tt.src)
			if problems != nil {
				t.Fatal(problems)
			}
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
	if _, err := mustTemplate(t, e, "list: ${steps.fetch.json.items}").Eval(testValues()); err == nil ||
		!strings.Contains(err.Error(), "it is a list, which has no text inside of other text") {
		t.Errorf("a list inside of text: %v", err)
	}
	if c, ok := mustTemplate(t, e, "no expression $${x}").Constant(); !ok || c.String() != "no expression ${x}" {
		t.Errorf("constant is %v, %v", c, ok)
	}
	if _, ok := mustTemplate(t, e, "${order.name}").Constant(); ok {
		t.Error("an expression that reads the order is no constant")
	}
}

func mustTemplate(t testing.TB, e *Env, src string) *Program {
	t.Helper()
	p, problems := e.CompileTemplate(src)
	if problems != nil {
		t.Fatalf("%s: %v", src, problems)
	}
	return p
}

// TestAbsentObjects: what an event does not carry is empty, and has its id where the event refers to it.
func TestAbsentObjects(t *testing.T) {
	t.Parallel()
	all := []event.Object{event.Order, event.Customer, event.Checkout, event.Product, event.Variant, event.Inventory,
		event.Fulfillment, event.Shipment, event.Refund, event.Return, event.Dispute, event.Risk, event.Coupon}
	e := newEnv(t, Scope{Objects: all, Types: []string{"shipment.delivered"}})
	v := Values{Event: &event.Event{Data: commerce.Data{
		Shipment:  &commerce.Shipment{Exists: true, ID: "s1", OrderID: "o1", FulfillmentID: "f1"},
		Inventory: &commerce.InventoryLevel{Exists: true, VariantID: "v1", ProductID: "p1"},
	}}}
	for src, want := range map[string]string{
		`order.id`: `"o1"`, `order.exists`: `false`, `order.total`: `"0"`, `order.line_items.size()`: `0`,
		`fulfillment.id`: `"f1"`, `product.id`: `"p1"`, `variant.id`: `"v1"`, `variant.exists`: `false`,
		`customer.id`: `""`, `customer.exists`: `false`, `customer.tags`: `[]`, `customer.orders_count`: `null`,
		`return.id`: `""`, `return.exists ? return.reason : event.return.status`: `""`, `dispute.amount > 0`: `false`,
		`risk.level`: `""`, `coupon.attributes.size()`: `0`, `checkout.line_items`: `[]`,
		`order.customer.default_address.exists || has(event.order)`: `false`, `shipment.id`: `"s1"`,
		`"return.id" == "return" + "." + "id"`: `true`, `[1].map(returned, returned)[0]`: `1`,
	} {
		got, err := mustCompile(t, e, src).Eval(v)
		if err != nil {
			t.Error(err)
			continue
		}
		if b, _ := json.Marshal(got); string(b) != want {
			t.Errorf("%s is %s, want %s", src, b, want)
		}
	}
	// Nothing at all is as good as an empty event.
	if _, err := mustCompile(t, e, `order.total > 1 || event.time > now || event.id != ""`).Eval(Values{}); err != nil {
		t.Error(err)
	}
}

// TestAwaited: inside the `if` of a wait, event is the one that came and trigger the run's own.
func TestAwaited(t *testing.T) {
	t.Parallel()
	s := testScope(t)
	s.Awaited = &EventScope{Types: []string{"refund.created"}, Objects: []event.Object{event.Refund, event.Order}}
	e := newEnv(t, s)
	v := testValues()
	v.Awaited = &event.Event{Type: "refund.created", Data: commerce.Data{
		Refund: &commerce.Refund{Exists: true, ID: "r1", OrderID: "5001", Amount: commerce.MustDecimal("150.00")}}}
	src := `event.refund.amount >= order.total && event.order.id == trigger.order.id && event.type != trigger.type`
	got, err := mustCompile(t, e, src).Eval(v)
	if b, ok := got.Bool(); err != nil || !ok || !b {
		t.Errorf("got %v, %v", got, err)
	}
	if _, problems := e.Compile(`event.customer.id == "1"`); len(problems) != 1 ||
		problems[0].Message != "refund.created does not carry customer" {
		t.Errorf("problems are %v", problems)
	}
	if _, problems := e.Compile(`refund.amount > 1`); len(problems) != 1 {
		t.Errorf("problems are %v", problems)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	s := testScope(t)
	s.Awaited = &EventScope{Types: []string{"order.fulfilled"}, Objects: []event.Object{event.Order, event.Customer}}
	e := newEnv(t, s)
	matches, problems := e.CompileMatch(`event.order.id == order.id && steps.award.level + "!" == event.customer.note`)
	if problems != nil {
		t.Fatal(problems)
	}
	v := testValues()
	v.Awaited = &event.Event{Data: commerce.Data{Order: &commerce.Order{ID: "9", Customer: commerce.Customer{Note: "n"}}}}
	want := []struct{ path, event, run string }{
		{"event.order.id", "9", "5001"},
		{"event.customer.note", "n", "gold!"},
	}
	if len(matches) != len(want) {
		t.Fatalf("got %d matches", len(matches))
	}
	for i, m := range matches {
		came, err := m.Event.Eval(Values{Awaited: v.Awaited})
		if err != nil {
			t.Fatal(err)
		}
		v.Awaited = nil
		run, err := m.Run.Eval(v)
		if err != nil {
			t.Fatal(err)
		}
		v.Awaited = &event.Event{Data: commerce.Data{Order: &commerce.Order{ID: "9", Customer: commerce.Customer{Note: "n"}}}}
		if m.Path != want[i].path || came.String() != want[i].event || run.String() != want[i].run {
			t.Errorf("match %d is %s: %s == %s", i, m.Path, came, run)
		}
	}
	for src, message := range map[string]string{
		`event.order.total > 5`:                 `a wait finds its event by equality, and event.order.total > 5 is none`,
		`order.id == "5"`:                       `no side of order.id == "5" is a field of the event that comes`,
		`event.order.id == event.subject`:       `event.subject reads the event that comes, which is not known when the wait begins`,
		`event.order.total == order.total`:      `event.order.total is a decimal, by which no event is found`,
		`event.order.idd == order.id`:           `event.order has no field "idd"`,
		`event.order.id == order.id || true`:    `a wait finds its event by equality, and event.order.id == order.id || true is none`,
		`event.order.id.lower() == order.email`: `no side of event.order.id.lower() == order.email is a field of the event that comes`,
	} {
		_, problems := e.CompileMatch(src)
		if len(problems) != 1 || problems[0].Message != message {
			t.Errorf("%s: %v", src, problems)
		}
	}
}

func TestTimedOutWait(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	v := testValues()
	v.Step = func(string) (json.RawMessage, bool) {
		return json.RawMessage(`{"event": null, "type": "", "timed_out": true}`), true
	}
	src := `steps.shipped.timed_out && steps.shipped.event.order.id == "" && !steps.shipped.event.order.exists`
	got, err := mustCompile(t, e, src).Eval(v)
	if b, _ := got.Bool(); err != nil || !b {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCustomEvent(t *testing.T) {
	t.Parallel()
	e := newEnv(t, Scope{Types: []string{"custom.quiz"}})
	v := Values{Event: &event.Event{Type: "custom.quiz", Data: commerce.Data{
		Custom: json.RawMessage(`{"score": 7.5, "id": 9007199254740993, "tags": ["x"]}`)}}}
	for src, want := range map[string]string{
		`event.data.score * 2`: `"15.0"`, `event.data.id`: `9007199254740993`, `"x" in event.data.tags`: `true`,
		`event.data`: `{"id":9007199254740993,"score":7.5,"tags":["x"]}`, `has(event.data.none)`: `false`,
	} {
		got, err := mustCompile(t, e, src).Eval(v)
		if err != nil {
			t.Error(err)
			continue
		}
		if b, _ := json.Marshal(got); string(b) != want {
			t.Errorf("%s is %s, want %s", src, b, want)
		}
	}
}

// TestLocals: an item of a loop is stored as JSON and given back to the expressions of the loop.
func TestLocals(t *testing.T) {
	t.Parallel()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	outer, err := l.Env(testScope(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ list, inside, want string }{
		{`order.line_items`, `item.total * item.quantity > 100 ? item.sku : item.properties.size() == 0 ? "none" : "some"`, `["OOL-1","none"]`},
		{`steps.award.rewards`, `item.worth + 1`, `["10.90","5.5"]`},
		{`steps.award.codes`, `item.lower()`, `["a1","b2"]`},
		{`steps.fetch.json.items`, `item.price * item.qty`, `[20,"11.00"]`},
		{`[order.total, order.subtotal]`, `item > 145`, `[true,false]`},
		{`[order.paid_at, order.cancelled_at]`, `item.hasValue()`, `[true,false]`},
		{`[now]`, `item == now`, `[true]`},
		{`[duration("90s")]`, `item == duration("90s")`, `[true]`},
		{`[{"a": order.total}]`, `item["a"] == order.total`, `[true]`},
	}
	for _, tt := range tests {
		t.Run(tt.list, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, outer, tt.list)
			elem, _ := p.Type().Elem()
			// The steps are hidden from the loop; the item's type is known all the same.
			inner, err := l.Env(Scope{Objects: []event.Object{event.Order}, Locals: map[string]Type{"item": elem}})
			if err != nil {
				t.Fatal(err)
			}
			body := mustCompile(t, inner, tt.inside)
			v := testValues()
			list, err := p.Eval(v)
			if err != nil {
				t.Fatal(err)
			}
			n, ok := list.Len()
			if !ok {
				t.Fatalf("%v is no list", list)
			}
			var direct, stored []Value
			for i := range n {
				item, err := list.Index(i)
				if err != nil {
					t.Fatal(err)
				}
				v.Locals = map[string]Value{"item": item}
				got, err := body.Eval(v)
				if err != nil {
					t.Fatal(err)
				}
				direct = append(direct, got)
				raw, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				back, err := l.Decode(elem, raw)
				if err != nil {
					t.Fatal(err)
				}
				v.Locals = map[string]Value{"item": back}
				if got, err = body.Eval(v); err != nil {
					t.Fatal(err)
				}
				stored = append(stored, got)
			}
			for name, vals := range map[string][]Value{"direct": direct, "stored": stored} {
				if b, _ := json.Marshal(vals); string(b) != tt.want {
					t.Errorf("%s: got %s, want %s", name, b, tt.want)
				}
			}
		})
	}
	for _, name := range []string{"order", "product", "now", "steps", "return", "for", "a-b", "", "1x"} {
		if _, err := l.Env(Scope{Locals: map[string]Type{name: {}}, Objects: []event.Object{event.Order}}); err == nil {
			t.Errorf("a loop variable may be called %q", name)
		}
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	p := mustCompile(t, e, `order.line_items.map(i, order.line_items.map(j, order.line_items.map(k, k.quantity))).size() > 0`)
	ctx, cancel := context.WithCancel(t.Context())
	if v, err := p.EvalContext(ctx, testValues()); err != nil || v.String() != "true" {
		t.Errorf("got %v, %v", v, err)
	}
	cancel()
	v := testValues()
	v.Event.Data.Order.LineItems = make([]commerce.LineItem, 500)
	if _, err := p.EvalContext(ctx, v); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	s := testScope(t)
	e, err := l.Env(s)
	if err != nil {
		t.Fatal(err)
	}
	shared := mustCompile(t, e, `order.total > 100 && steps.fetch.json.items.exists(i, i.price < 3)`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if v, err := shared.Eval(testValues()); err != nil || v.String() != "true" {
					t.Errorf("got %v, %v", v, err)
				}
				own, err := l.Env(s)
				if err != nil {
					t.Error(err)
					return
				}
				if _, problems := own.Compile(`order.totl > 1`); len(problems) != 1 {
					t.Errorf("problems are %v", problems)
				}
				if _, problems := e.CompileTemplate(`${order.total} ${steps.award.balance}`); problems != nil {
					t.Errorf("problems are %v", problems)
				}
			}
		})
	}
	wg.Wait()
}

func TestValue(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	eval := func(src string) Value {
		v, err := mustCompile(t, e, src).Eval(testValues())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if d, ok := eval(`duration("90s")`).Duration(); !ok || d != 90*time.Second {
		t.Errorf("duration is %v, %v", d, ok)
	}
	if d := eval(`duration("-0.5s")`).String(); d != "-0.5s" {
		t.Errorf("duration is %v", d)
	}
	if at, ok := eval(`order.paid_at`).Time(); !ok || !at.Equal(testNow.Add(-time.Minute)) {
		t.Errorf("time is %v, %v", at, ok)
	}
	if v := eval(`order.cancelled_at`); !v.Missing() || v.Kind() != Null {
		t.Errorf("%v is not missing", v)
	}
	if d, ok := eval(`order.total`).Decimal(); !ok || d.String() != "150.00" {
		t.Errorf("decimal is %v, %v", d, ok)
	}
	if _, ok := eval(`order.name`).Bool(); ok {
		t.Error("a text is true or false")
	}
	if _, err := eval(`order.tags`).Index(2); err == nil {
		t.Error("a list of two has an item 2")
	}
	var customer commerce.Customer
	b, err := json.Marshal(eval(`customer`))
	if err != nil || json.Unmarshal(b, &customer) != nil || customer.ID != "77" {
		t.Errorf("customer is %s, %v", b, err)
	}
	var zero Value
	if b, err := json.Marshal(zero); err != nil || string(b) != "null" {
		t.Errorf("the zero value is %s, %v", b, err)
	}
}
