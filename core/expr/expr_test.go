package expr

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

var testNow = time.Date(2026, 11, 5, 9, 30, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// orderPaid is an event of a shop that sells tea.
func orderPaid() *event.Event {
	return &event.Event{
		ID: "01J", Source: "shopify/leaf.example.com", Type: "order.paid", Subject: "5001",
		Time: testNow.Add(-time.Minute), Shop: "leaf", Platform: "shopify", Topic: "orders/paid",
		Raw: []byte(`{"id":5001,"total_price":"150.00"}`), RawKind: "webhook",
		Data: commerce.Data{Order: &commerce.Order{
			Exists: true, ID: "5001", Name: "#1001", Number: "1001", Currency: "EUR",
			FinancialStatus: commerce.FinancialPaid, Email: "mina@example.com",
			Total: commerce.MustDecimal("150.00"), Subtotal: commerce.MustDecimal("140.10"),
			TotalTax: commerce.MustDecimal("0.30"), TotalShipping: commerce.MustDecimal("9.90"),
			Tags: []string{"vip", "gift"}, Note: "Bitte klingeln",
			Customer: commerce.Customer{
				Exists: true, ID: "77", Email: "mina@example.com", FirstName: "Mina", Tags: []string{"retail"},
				OrdersCount: ptr(int64(4)), TotalSpent: ptr(commerce.MustDecimal("612.40")),
				DefaultAddress: commerce.Address{Exists: true, Country: "DE", City: "Köln"},
			},
			ShippingAddress: commerce.Address{Exists: true, Country: "DE"},
			LineItems: []commerce.LineItem{
				{ID: "1", SKU: "OOL-1", Title: "Oolong", Quantity: 2, Price: commerce.MustDecimal("40.05"),
					Total: commerce.MustDecimal("80.10"), Properties: map[string]string{"gift": "yes"}},
				{ID: "2", SKU: "POT-9", Title: "Teapot", Quantity: 1, Price: commerce.MustDecimal("60.00"),
					Total: commerce.MustDecimal("60.00")},
			},
			Attributes: map[string]string{"delivery-date": "2026-11-09"},
			CreatedAt:  testNow.Add(-48 * time.Hour),
			PaidAt:     ptr(testNow.Add(-time.Minute)),
		}},
	}
}

type awardOutput struct {
	Balance  int64             `json:"balance"`
	Rate     commerce.Decimal  `json:"rate"`
	Level    string            `json:"level"`
	Bonus    *int64            `json:"bonus"`
	Note     string            `json:"note,omitempty"`
	Rewards  []reward          `json:"rewards"`
	Codes    []string          `json:"codes"`
	Headers  map[string]string `json:"headers"`
	Anything any               `json:"anything"`
}

type reward struct {
	Name  string           `json:"name"`
	Worth commerce.Decimal `json:"worth"`
}

func schemaFor[T any](t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: decimalSchemas()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const awardJSON = `{"balance": 1200, "rate": "0.05", "level": "gold", "bonus": null,
	"rewards": [{"name": "mug", "worth": "9.90"}, {"name": "tin", "worth": 4.5}],
	"codes": ["A1", "B2"], "headers": {"content-type": "text/plain"}, "anything": {"deep": [1, 2.5, "x"]}}`

const fetchJSON = `{"status": 200, "json": {"price": 12.5, "count": 3, "name": "Tea", "big": 9007199254740993,
	"code": "5", "none": null, "ok": true, "tags": ["a", "b"], "mixed": [1, "1", 2.5], "nested": {"x": {"y": 7}},
	"items": [{"price": 10, "qty": 2}, {"price": 2.75, "qty": 4}], "huge": 123456789012345678901234567890}}`

// testScope is a place in a flow for paid orders behind four steps.
func testScope(t testing.TB) Scope {
	return Scope{
		Objects: []event.Object{event.Order, event.Customer},
		Types:   []string{"order.paid"},
		Steps: map[string]StepScope{
			"award":   {Output: schemaFor[awardOutput](t)},
			"fetch":   {},
			"shipped": {Event: &EventScope{Types: []string{"order.fulfilled"}, Objects: []event.Object{event.Order, event.Customer}}},
		},
		Hidden: map[string]string{
			"late":   "it runs later",
			"branch": "it is inside a branch that may not run",
		},
	}
}

func testValues() Values {
	shipped, _ := json.Marshal(map[string]any{"event": orderPaid(), "type": "order.fulfilled", "timed_out": false})
	outputs := map[string]string{"award": awardJSON, "fetch": fetchJSON, "shipped": string(shipped)}
	return Values{
		Event: orderPaid(), Now: testNow,
		Shop: Shop{Name: "leaf", Platform: "shopify", Currency: "EUR", Timezone: "Europe/Berlin", URL: "https://leaf.example.com"},
		Step: func(id string) (json.RawMessage, bool) { s, ok := outputs[id]; return json.RawMessage(s), ok },
	}
}

func newEnv(t testing.TB, s Scope) *Env {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Env(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustCompile(t testing.TB, e *Env, src string) *Program {
	t.Helper()
	p, problems := e.Compile(src)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", src, problems)
	}
	return p
}
