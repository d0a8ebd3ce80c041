package expr

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestProblems holds what people are told of their mistakes, in testdata/problems.golden.
func TestProblems(t *testing.T) {
	t.Parallel()
	groups := []struct {
		name     string
		template bool
		sources  []string
	}{
		{"names", false, []string{
			`order.totl > 100`,
			`order.price > 100`,
			`order.customer.emial == "x"`,
			`order.city == "Köln"`,
			`product.title == "Oolong"`,
			`event.product.title == "Oolong"`,
			`return.status == "open"`,
			`odrer.total > 100`,
			`total > 100`,
			`item.sku == "x"`,
			`award.balance > 100`,
			`steps.late.x`,
			`has(steps.branch.x)`,
			`steps.awrd.balance > 1`,
			`steps.nothing`,
			`steps.award.blance > 1`,
			`steps.award.rewards[0].nme`,
			`steps.shipped.event.product.id`,
			`shop.time_zone`,
			`event.data.x`,
			`order.?nam`,
			`True`,
			`order.total.foor()`,
			`len(order.line_items)`,
			`order.name.toLowerCase()`,
			`now() > order.created_at`,
			`type(order)`,
			`frobnicate(order.id)`,
		}},
		{"types", false, []string{
			`order.total > "x"`,
			`order.id == 5001`,
			`order.total == 0.3`,
			`0.3 == order.total`,
			`order.total != 100`,
			`order.total == "100"`,
			`100 < order.total`,
			`1.5 >= order.total`,
			`int(order.total)`,
			`double(order.total)`,
			`order.total / 2`,
			`order.total % 2`,
			`2 * order.total`,
			`2 - order.total`,
			`0.1 + 0.2`,
			`order.line_items.size() > 2.5`,
			`order.name + order.total`,
			`order.name + 1`,
			`order.total && order.test`,
			`order.line_items || order.test`,
			`!order.note`,
			`order.customer ? 1 : 2`,
			`order.customer && true`,
			`order.test ? order.total : 0`,
			`order.test ? "a" : 1`,
			`order.tags == "vip"`,
			`order.tags > 3`,
			`order.tags.contains("vip")`,
			`order.tags.length > 2`,
			`order.line_items.sku == "x"`,
			`order.total.amount`,
			`order.total.exists(x, x > 1)`,
			`"vip" in order.note`,
			`5 in order.tags`,
			`"x" in order.total`,
			`order["total"]`,
			`order.tags["x"]`,
			`order.created_at > "2026-01-01"`,
			`now - 5`,
			`order.note == null`,
			`order.customer == customer`,
			`customer in [customer]`,
			`order.name.startsWith(5)`,
			`-order.note`,
			`{1: 2}`,
			`steps`,
		}},
		{"values that may be missing", false, []string{
			`customer.orders_count > 3`,
			`3 < customer.orders_count`,
			`customer.total_spent * 2 > 100`,
			`order.paid_at < now`,
			`customer.accepts_email_marketing && order.total > 1`,
			`!customer.accepts_email_marketing`,
			`string(customer.orders_count)`,
			`customer.total_spent.orValue(0) > 5`,
			`order.note.orValue("x")`,
			`steps.award.bonus > 1`,
		}},
		{"syntax", false, []string{
			``,
			`   `,
			`order.total >`,
			`(order.total > 100`,
			`order.total > 100)`,
			`order.total = 100`,
			`order.total > 100 and order.test`,
			`order.total > 100 & order.test`,
			`order.total <> 100`,
			`order.note == “x”`,
			`order.note == "x`,
			"order.test &&\n  order.totl > 5",
			`order.note == 'Grüße' && order.totl > 5`,
			`if order.test`,
			`order.tags[0`,
			`Order{id: "5"}`,
			`5u > 3`,
			`b"x"`,
			`order.total > 0.12345678901234567890123`,
			`decimal("abc")`,
			`duration("2d")`,
			`timestamp("2026-01-31")`,
			`order.name.matches("[")`,
			`1 / 0`,
			strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100),
			strings.Repeat("order.total > 100 && ", 500) + "true",
			"order.note == \"\xff\"",
		}},
		{"several at once", false, []string{
			`order.totl > 100 && custmer.id == "" && "x" in order.note`,
			`order.total == 0.3 || customer.orders_count > 3`,
		}},
		{"templates", true, []string{
			`Order ${order.nam} for ${custmer.email}`,
			`Hello ${`,
			`Hello ${order.name`,
			`Hello ${"} and so on`,
			`${}`,
			`Hello ${ }`,
			`Items: ${order.line_items}`,
			`Tags: ${order.tags}`,
			`Customer: ${customer}`,
			`Paid at ${order.paid_at}`,
			`Count ${customer.orders_count}`,
			"Line one\nLine ${order.totl}",
			`Ünïcode ${order.totl}`,
			`${order.total > } text`,
		}},
	}
	s := testScope(t)
	e := newEnv(t, s)
	var out strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&out, "=== %s\n\n", g.name)
		for _, src := range g.sources {
			compile := e.Compile
			if g.template {
				compile = e.CompileTemplate
			}
			p, problems := compile(src)
			if len(problems) == 0 {
				t.Errorf("%s: no problem was found", src)
			}
			if p != nil && len(problems) > 0 {
				t.Errorf("%s: a program in spite of problems", src)
			}
			fmt.Fprintf(&out, "%s\n", strings.ReplaceAll(shorten(src, 120), "\n", "⏎\n"))
			for _, p := range problems {
				if p.Offset < 0 || p.Offset > len(src) || p.Line < 1 || p.Column < 1 {
					t.Errorf("%s: position of %+v", src, p)
				}
				fmt.Fprintf(&out, "    %d:%d: %s\n", p.Line, p.Column, p.Message)
				if p.Fix != "" {
					fmt.Fprintf(&out, "        → %s\n", p.Fix)
				}
			}
			out.WriteByte('\n')
		}
	}
	golden(t, "testdata/problems.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		gl, wl := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(gl), len(wl)) {
			if gl[i] != wl[i] {
				t.Fatalf("%s:%d:\n got %s\nwant %s\n(go test -update rewrites it)", name, i+1, gl[i], wl[i])
			}
		}
		t.Fatalf("%s: got %d lines, want %d (go test -update rewrites it)", name, len(gl), len(wl))
	}
}
