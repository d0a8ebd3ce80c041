package admit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/core/admit"
	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// catalog knows the common types of events, and no actions.
type catalog struct{}

func (catalog) EventType(name string) (event.Type, bool) { return event.Find(name) }
func (catalog) EventTypes() []string                     { return nil }
func (catalog) Action(string) (flow.Action, bool)        { return flow.Action{}, false }
func (catalog) Actions() []string                        { return nil }

// compiled returns a flow with a condition, "" for none.
func compiled(t testing.TB, compiler *flow.Compiler, condition string) *flow.Flow {
	t.Helper()
	source := "flow: any\non: order.paid\nsteps: [{stop: done}]\n"
	if condition != "" {
		source += "if: |-\n  " + condition + "\n"
	}
	f, findings := compiler.Compile([]byte(source))
	if findings.Wrong() {
		t.Fatal(findings)
	}
	return f
}

func newCompiler(t testing.TB) *flow.Compiler {
	t.Helper()
	language, err := expr.New()
	if err != nil {
		t.Fatal(err)
	}
	return flow.NewCompiler(language, catalog{})
}

var now = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func order() *event.Event {
	return &event.Event{Type: "order.paid", Subject: "1001", Shop: "tea.example", Time: now, Data: commerce.Data{Order: &commerce.Order{
		Exists: true, ID: "1001", Name: "#1001", Total: commerce.MustDecimal("99.50"), CreatedAt: now.Add(-time.Hour),
		Customer: commerce.Customer{Exists: true, ID: "7", Email: "ana@example.com", Tags: []string{"vip"}},
	}}}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	compiler := newCompiler(t)
	for _, test := range []struct {
		name      string
		condition string
		start     bool
		reasons   []string // parts of the reason; none where there must be none
	}{
		{"no condition", "", true, nil},
		{"true", `order.total > 50 && "vip" in customer.tags`, true, nil},
		{"false", "order.total > 100", false, []string{"condition false: order.total > 100", "order.total = 99.5"}},
		{"false, with all that was looked at", `order.total > 100 || customer.email.endsWith(".org")`, false, []string{"order.total = 99.5", `customer.email = "ana@example.com"`}},
		{"false of itself", "1 > 2", false, []string{"condition false: 1 > 2"}},
		{"the shop and the time", `shop.currency == "EUR" && now - order.created_at >= duration("1h")`, true, nil},
		{"another time", `now < order.created_at`, false, []string{"now = 2026-11-27T09:00:00Z"}},
		{"cannot be told", `order.attributes["gift"] == "yes"`, true, []string{"could not be evaluated", "gift"}},
		{"cannot be told, but does not matter", `order.total > 100 && order.attributes["gift"] == "yes"`, false, []string{"order.total = 99.5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := admit.Decide(compiled(t, compiler, test.condition), order(), expr.Shop{Name: "tea.example", Currency: "EUR"}, now)
			if got.Start != test.start || (got.Reason == "") != (test.reasons == nil) {
				t.Fatalf("the decision is %+v", got)
			}
			for _, part := range test.reasons {
				if !strings.Contains(got.Reason, part) {
					t.Errorf("the reason does not tell %s: %s", part, got.Reason)
				}
			}
		})
	}
}

// TestBrokenCondition: a stored flow whose condition no longer compiles starts a run that fails, and is never
// silent.
func TestBrokenCondition(t *testing.T) {
	t.Parallel()
	f, findings := newCompiler(t).Compile([]byte("flow: old\non: order.paid\nif: order.colour == 3\nsteps: [{stop: done}]\n"))
	if f == nil || !findings.Wrong() {
		t.Fatalf("the flow is %+v, the findings are %v", f, findings)
	}
	if got := admit.Decide(f, order(), expr.Shop{}, now); !got.Start || !strings.Contains(got.Reason, "colour") {
		t.Errorf("the decision is %+v", got)
	}
}

func BenchmarkDecide(b *testing.B) {
	compiler := newCompiler(b)
	for _, bench := range []struct{ name, condition string }{
		{"none", ""},
		{"true", `order.total > 50 && "vip" in customer.tags`},
		{"false", `order.total > 100 && "vip" in customer.tags`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f, e := compiled(b, compiler, bench.condition), order()
			b.ReportAllocs()
			for b.Loop() {
				admit.Decide(f, e, expr.Shop{}, now)
			}
		})
	}
}
