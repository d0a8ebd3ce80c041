package expr

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// TestHostile: expressions that would run for ever or fill the memory end by their limits, quickly and in the
// same way each time.
func TestHostile(t *testing.T) {
	big := testValues()
	big.Event.Data.Order.LineItems = make([]commerce.LineItem, 2000)
	big.Event.Data.Order.Note = strings.Repeat("x", 5<<20)
	big.Event.Raw = []byte(strings.Repeat("y", 5<<20))
	list := `[` + strings.Repeat(`1,`, 200) + `1]`
	tests := []struct{ name, src, want string }{
		{"cubic loop", `order.line_items.all(a, order.line_items.all(b, order.line_items.all(c, a.quantity + b.quantity + c.quantity == 0)))`,
			"too much work"},
		{"cubic map", `order.line_items.map(a, order.line_items.map(b, order.line_items.map(c, c.quantity))).size() > 0`, "too much work"},
		{"doubling a text", `[order.name]` + strings.Repeat(`.map(x, x + x)`, 40) + `[0] == order.name`, "256 KiB"},
		{"doubling a list", `[[order.total]]` + strings.Repeat(`.map(x, x + x)`, 40) + `.exists(x, order.total in x)`, "20000 items"},
		{"doubling by nesting", `[[order.name]]` + strings.Repeat(`.map(x, [x, x])`, 40) + `.exists(x, x == x)`, "too much work"},
		{"doubling a map", `[{"a": order.name}]` + strings.Repeat(`.map(x, {"a": x, "b": x})`, 40) + `.exists(x, x == x)`, "too much work"},
		{"squaring a number", `[order.total]` + strings.Repeat(`.map(x, x * x)`, 40) + `[0] > 1`, "64 digits"},
		{"joining", `order.line_items.map(i, order.raw_note).join("")`, ""},
		{"joining long texts", `order.line_items.map(i, order.note).join(",") == ""`, "256 KiB"},
		{"replacing", `(order.name + "` + strings.Repeat("a", 4000) + `").replace("a", "` + strings.Repeat("b", 4000) + `") == ""`, "256 KiB"},
		{"replacing nothing", `order.note.replace("", order.note) == ""`, "256 KiB"},
		{"splitting a long text", `order.note.split("").size() > 0`, "256 KiB"},
		{"a long text in upper case", `order.note.upper() == ""`, "256 KiB"},
		{"adding to a long text", `event.raw + event.raw == ""`, "256 KiB"},
		{"searching a long text often", `order.line_items.exists(i, order.note.contains("abc"))`, "too much work"},
		{"a costly pattern", `order.note.matches("(x+x+)+y")`, "256 KiB"},
		{"a costly pattern from data", `order.note.matches(order.name)`, "256 KiB"},
		{"a long pattern", `order.name.matches(order.note)`, "8 KiB"},
		{"a large pattern", `order.name.matches("((a{50}){50}){50}")`, ""},
		{"comparing nested values in a loop", `[[order.name]]` + strings.Repeat(`.map(x, [x, x])`, 10) +
			`.exists(x, order.line_items.exists(a, x != x || x in [x, [x]] && false))`, "too much work"},
		{"comparing in a loop", `order.line_items.exists(a, ` + list + ` != ` + list + `)`, "too much work"},
		{"many in a loop", `order.line_items.exists(a, order.line_items.exists(b, a.sku in order.tags && b.sku in ["", "x"] && a.quantity == 1))`, "too much work"},
	}
	e := newEnv(t, testScope(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			p, problems := e.Compile(tt.src)
			if tt.want == "" {
				if problems == nil {
					t.Error("it compiles")
				}
				return
			}
			if problems != nil {
				t.Fatal(problems)
			}
			_, err := p.Eval(big)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error is %v", err)
			}
			_, again := p.Eval(big)
			if again == nil || again.Error() != err.Error() {
				t.Errorf("it ended with %v, and then with %v", err, again)
			}
			// Generous: other tests share the machine. Without the limits these never end.
			if took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
				t.Errorf("it allocated %d MiB", used>>20)
			}
		})
	}
}

// TestHugeJSON: a value that holds another one many times over is not written without end.
func TestHugeJSON(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	p := mustCompile(t, e, `[[order.name]]`+strings.Repeat(`.map(x, [x, x])`, 40))
	v, err := p.Eval(testValues())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(v); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("error is %v", err)
	}
	if s := v.String(); len(s) > 1000 {
		t.Errorf("it prints %d bytes", len(s))
	}
}

func TestDeepJSON(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	v := testValues()
	deep := strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000)
	v.Step = func(string) (json.RawMessage, bool) { return json.RawMessage(`{"json":` + deep + `}`), true }
	for _, src := range []string{`steps.fetch.json == steps.fetch.json`, `steps.fetch.json`, `[steps.fetch.json] + [1]`} {
		got, err := mustCompile(t, e, src).Eval(v)
		if err != nil {
			continue
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		`order.total > 100 && !("wholesale" in customer.tags)`, `return.x`, `order.line_items.map(i, i.total).sum()`,
		`steps.fetch.json.x[0].y == "1"`, `{"a": [1, 2.5, null]}["a"][1] + 1`, `order.?note.orValue("x")`, `"\u00e4\x41"`,
		`steps.award.rewards.exists(r, r.worth.div(3, 2) > 1)`, `now - duration("1h")`, `[1].map(x, x / 0)`, `-(-0.5)`,
		`'''a''' + r"\n"`, `order.name.matches("(")`, `dyn(order).total == dyn(order).id`, `dyn(event).order.x`, `a.b.c(d)`,
		`order.tags[?5].optMap(x, x + "!").orValue("")`, `1u + 2u`, `{1: 2}`, `Order{}`, "//c\n1", `[[1]] + [[2.0]] == dyn([1])`,
		`dyn(customer) == dyn(customer)`, `string(dyn(order.total))`, `size({"a": 1})`, `return`, `x.return`, `[return].size()`,
	} {
		f.Add(src)
	}
	e := newEnv(f, testScope(f))
	v := testValues()
	f.Fuzz(func(t *testing.T, src string) {
		p, problems := e.Compile(src)
		if (p == nil) == (len(problems) == 0) {
			t.Fatalf("%q: program %v and problems %v", src, p, problems)
		}
		for _, problem := range problems {
			if problem.Offset < 0 || problem.Offset > len(src) || problem.Message == "" {
				t.Fatalf("%q: %+v", src, problem)
			}
		}
		check(t, p, v)
	})
}

func FuzzTemplate(f *testing.F) {
	for _, src := range []string{
		"", "plain", "${order.total}", "a ${order.name} b", "$${x}", "${", "${}", `${"}"}`, "${{}}", "$$${1}", "${'''}'''}",
		"${order.tags} x", "${return.x}", "é ${order.totl}", "${// }\n1}", `${r'\'}`, "${now}${steps.fetch.json}",
	} {
		f.Add(src)
	}
	e := newEnv(f, testScope(f))
	v := testValues()
	f.Fuzz(func(t *testing.T, src string) {
		p, problems := e.CompileTemplate(src)
		if (p == nil) == (len(problems) == 0) {
			t.Fatalf("%q: program %v and problems %v", src, p, problems)
		}
		for _, problem := range problems {
			if problem.Offset < 0 || problem.Offset > len(src) {
				t.Fatalf("%q: %+v", src, problem)
			}
		}
		check(t, p, v)
	})
}

// check evaluates a program in every way; none may panic, and the result must be the promised type.
func check(t *testing.T, p *Program, v Values) {
	if p == nil {
		return
	}
	p.Explain(v)
	got, err := p.Eval(v)
	if err != nil {
		_ = err.Error()
		return
	}
	if want := p.Type().Kind(); want != Dyn && want != Optional && !got.Missing() && got.Kind() != want &&
		!(want == Object && got.Kind() == Map) {
		t.Fatalf("%q: a %v was promised, and it is %v", p.Source(), p.Type(), got)
	}
	_ = got.String()
	if b, err := json.Marshal(got); err == nil && !json.Valid(b) {
		t.Fatalf("%q: not JSON: %s", p.Source(), b)
	}
}
