package expr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	shopspring "github.com/shopspring/decimal"

	"github.com/shophand/shophand/sdk/commerce"
)

// TestDecimalProperties compares what expressions make of amounts with an independent calculation, over
// currencies without digits (JPY), with two (EUR) and three (KWD), and numbers written in every way.
func TestDecimalProperties(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	programs := map[string]*Program{}
	for _, src := range []string{
		`order.total + order.subtotal`, `order.total - order.subtotal`, `order.total * order.subtotal`, `-order.total`,
		`order.total < order.subtotal`, `order.total >= order.subtotal`, `order.total == order.subtotal`,
		`order.total.round(1)`, `order.total.floor()`, `order.total.ceil()`, `order.total.div(order.subtotal, 3)`,
		`string(order.total)`, `[order.total, order.subtotal, order.total].sum()`, `decimal(string(order.total)) == order.total`,
		`dyn(order.total) + order.subtotal`, `dyn(order.total) < order.subtotal`, `order.total`,
	} {
		programs[src] = mustCompile(t, e, src)
	}
	r := rand.New(rand.NewPCG(1, 2))
	v := testValues()
	for range 3000 {
		a, b := amount(r), amount(r)
		x, y := shopspring.RequireFromString(a), shopspring.RequireFromString(b)
		v.Event.Data.Order.Total, v.Event.Data.Order.Subtotal = commerce.MustDecimal(a), commerce.MustDecimal(b)
		want := map[string]string{
			`order.total + order.subtotal`:                     x.Add(y).String(),
			`order.total - order.subtotal`:                     x.Sub(y).String(),
			`order.total * order.subtotal`:                     x.Mul(y).String(),
			`-order.total`:                                     x.Neg().String(),
			`order.total < order.subtotal`:                     fmt.Sprint(x.LessThan(y)),
			`order.total >= order.subtotal`:                    fmt.Sprint(x.GreaterThanOrEqual(y)),
			`order.total == order.subtotal`:                    fmt.Sprint(x.Equal(y)),
			`order.total.round(1)`:                             x.Round(1).String(),
			`order.total.floor()`:                              x.Floor().String(),
			`order.total.ceil()`:                               x.Ceil().String(),
			`string(order.total)`:                              a,
			`order.total`:                                      a,
			`dyn(order.total) + order.subtotal`:                x.Add(y).String(),
			`dyn(order.total) < order.subtotal`:                fmt.Sprint(x.LessThan(y)),
			`[order.total, order.subtotal, order.total].sum()`: x.Add(y).Add(x).String(),
			`decimal(string(order.total)) == order.total`:      "true",
		}
		if !y.IsZero() {
			want[`order.total.div(order.subtotal, 3)`] = x.DivRound(y, 3).String()
		}
		for src, want := range want {
			got, err := programs[src].Eval(v)
			if err != nil {
				t.Fatal(err)
			}
			s := got.String()
			if d, ok := got.Decimal(); ok && src != `string(order.total)` && src != `order.total` {
				n, err := shopspring.NewFromString(d.String())
				if err != nil {
					t.Fatal(err)
				}
				s = n.String() // without the digits that only show the scale
				want = shopspring.RequireFromString(want).String()
			}
			if s != want {
				t.Fatalf("%s of %s and %s is %s, want %s", src, a, b, s, want)
			}
		}
	}
}

// TestDecimalLiterals: a number in the source is exactly the number that stands there.
func TestDecimalLiterals(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	r := rand.New(rand.NewPCG(3, 4))
	v := testValues()
	for range 500 {
		a, b := amount(r), amount(r)
		v.Event.Data.Order.Total = commerce.MustDecimal(a)
		x, y := shopspring.RequireFromString(a), shopspring.RequireFromString(b)
		for src, want := range map[string]string{
			"order.total > " + b:                           fmt.Sprint(x.GreaterThan(y)),
			"order.total <= " + b:                          fmt.Sprint(x.LessThanOrEqual(y)),
			"(order.total + " + b + ") - " + b:             x.String(),
			"(order.total * " + b + ")":                    x.Mul(y).String(),
			"order.total == decimal(\"" + b + "\")":        fmt.Sprint(x.Equal(y)),
			"dyn(order.total) == dyn(" + b + ")":           fmt.Sprint(x.Equal(y)),
			"decimal(" + b + ") == decimal(\"" + b + "\")": "true",
		} {
			got, err := mustCompile(t, e, src).Eval(v)
			if err != nil {
				t.Fatal(err)
			}
			s := got.String()
			if d, ok := got.Decimal(); ok {
				s = shopspring.RequireFromString(d.String()).String()
			}
			if s != want {
				t.Fatalf("%s with %s is %s, want %s", src, a, s, want)
			}
		}
	}
}

// TestDigits: an amount keeps the digits of its currency.
func TestDigits(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testScope(t))
	v := testValues()
	for _, tt := range []struct{ total, src, want string }{
		{"1500", `order.total`, "1500"},
		{"1500", `order.total * 2`, "3000"},
		{"1500", `order.total * 1.1`, "1650.0"},
		{"1.500", `order.total`, "1.500"},
		{"1.500", `order.total + 1`, "2.500"},
		{"1.500", `order.total.round(0)`, "2"},
		{"1.500", `order.total * 3`, "4.500"},
		{"150.00", `order.total * 3`, "450.00"},
		{"3", `order.total.round(2)`, "3.00"},
		{"-2.5", `order.total.round(0)`, "-3"},
		{"-2.5", `order.total.floor()`, "-3"},
		{"-2.5", `order.total.ceil()`, "-2"},
		{"0.1", `order.total + 0.2 == decimal("0.3")`, "true"},
		{"10", `order.total.div(3, 0)`, "3"},
		{"-10", `order.total.div(3, 2)`, "-3.33"},
		{"0.05", `order.total.div(100, 3)`, "0.001"},
		{"0.00", `order.total.div(7, 2)`, "0.00"},
	} {
		v.Event.Data.Order.Total = commerce.MustDecimal(tt.total)
		got, err := mustCompile(t, e, tt.src).Eval(v)
		if err != nil {
			t.Error(err)
			continue
		}
		if got.String() != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.src, tt.total, got, tt.want)
		}
	}
}

// amount is a number of up to nine digits before and five behind the point, as its text.
func amount(r *rand.Rand) string {
	whole := r.Int64N([]int64{1, 10, 1000, 1_000_000_000}[r.IntN(4)])
	sign := ""
	if whole > 0 && r.IntN(3) == 0 {
		sign = "-"
	}
	n := r.IntN(6)
	if n == 0 {
		return fmt.Sprintf("%s%d", sign, whole)
	}
	limit := int64(1)
	for range n {
		limit *= 10
	}
	return fmt.Sprintf("%s%d.%0*d", sign, whole, n, r.Int64N(limit))
}
