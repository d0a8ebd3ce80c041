package expr

import "testing"

func BenchmarkCondition(b *testing.B) {
	e := newEnv(b, testScope(b))
	for _, bb := range []struct{ name, src string }{
		{"design", `order.total > 100 && !("wholesale" in customer.tags)`},
		{"total", `order.total > 100`},
		{"literal", `order.total > 99.95`},
		{"tags", `"wholesale" in customer.tags`},
		{"text", `order.financial_status == "paid" && order.currency == "EUR"`},
		{"lines", `order.line_items.exists(i, i.sku == "POT-9" && i.quantity >= 1)`},
		{"sum", `order.line_items.map(i, i.price * i.quantity).sum() > 100`},
		{"step", `steps.award.balance >= 1000`},
		{"dynamic", `steps.fetch.json.price > 12`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p := mustCompile(b, e, bb.src)
			v := testValues()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTemplate(b *testing.B) {
	e := newEnv(b, testScope(b))
	p, problems := e.CompileTemplate("Order ${order.name} of ${customer.first_name}: ${order.total} ${order.currency}")
	if problems != nil {
		b.Fatal(problems)
	}
	v := testValues()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := newEnv(b, testScope(b))
	b.ReportAllocs()
	for b.Loop() {
		mustCompile(b, e, `order.total > 100 && !("wholesale" in customer.tags)`)
	}
}

func BenchmarkEnv(b *testing.B) {
	l, err := New()
	if err != nil {
		b.Fatal(err)
	}
	s := testScope(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Env(s); err != nil {
			b.Fatal(err)
		}
	}
}
