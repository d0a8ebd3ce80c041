package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

// succeeded returns the steps of an action that succeeded, by idempotency key.
func (d *demo) succeeded(action string) map[string]engine.Step {
	out := map[string]engine.Step{}
	for _, r := range d.watch.runs {
		for _, s := range r.Steps {
			if s.Action == action && s.Status == run.Succeeded {
				out[s.IdempotencyKey] = s
			}
		}
	}
	return out
}

// labelsBought: each order that can be shipped has one label, bought under its step's key.
func (d *demo) labelsBought() check {
	c := check{}
	steps, sold := d.succeeded("labels/buy"), map[string]int{}
	byOrder := map[string]int{}
	for _, l := range d.world.easypost.Labels() {
		sold[l.Reference]++
		byOrder[l.From.Company+l.InvoiceNumber]++
		if _, known := steps[l.Reference]; !known {
			c.refute("label %s for %s was sold under the key %s, which no step has", l.ID, l.InvoiceNumber, l.Reference)
		}
		if sold[l.Reference] > 1 {
			c.refute("%d labels were sold under the key %s", sold[l.Reference], l.Reference)
		}
	}
	wanted := 0
	for _, o := range d.orders {
		want := 0
		if o.labelled() {
			want = 1
		}
		wanted += want
		if has := byOrder[o.shop+o.name]; has != want {
			c.refute("%s of %s has %s, not %d", o.name, o.shop, plural(has, "label"), want)
		}
	}
	c.claim = fmt.Sprintf("EasyPost sold %s for %s that can be shipped, each once, for %s USD", plural(len(sold), "label"), plural(wanted, "order"), d.world.easypost.Spent())
	return c
}

// tagsSet: the platforms have the tags that the flows set.
func (d *demo) tagsSet() check {
	c := check{}
	count := map[string]int{}
	for _, o := range d.orders {
		var want []string
		switch {
		case o.labelled():
			want = []string{"label-bought"}
		case len(o.shipped) > 0:
			want = []string{"needs-a-label"}
		}
		if has := d.world.tags(o); !slices.Equal(has, want) {
			c.refute("%s of %s has the tags %q, not %q", o.name, o.shop, has, want)
		}
		for _, tag := range want {
			count[tag]++
		}
	}
	c.claim = fmt.Sprintf("on the platforms %s, %d is tagged needs-a-label", are(count["label-bought"], "tagged label-bought"), count["needs-a-label"])
	return c
}

func are(n int, what string) string {
	if n == 1 {
		return "1 order is " + what
	}
	return fmt.Sprintf("%d orders are %s", n, what)
}

// klaviyoHasAll: every event is recorded once, under its step's key, although an answer was lost.
func (d *demo) klaviyoHasAll() check {
	c := check{}
	steps, recorded, earned := d.succeeded("klaviyo/create_event"), map[string]int{}, 0
	for _, e := range d.world.klaviyo.Events() {
		if recorded[e.UniqueID]++; recorded[e.UniqueID] > 1 {
			c.refute("the event %s of the key %s is recorded %d times", e.Metric, e.UniqueID, recorded[e.UniqueID])
		}
		if _, known := steps[e.UniqueID]; !known {
			c.refute("the event %s has the key %s, which no step has", e.Metric, e.UniqueID)
		}
		if e.Metric == "Earned Points" {
			earned++
		}
	}
	for key := range steps {
		if recorded[key] == 0 {
			c.refute("the step of the key %s succeeded, and Klaviyo has no event of it", key)
		}
	}
	big := 0
	for _, o := range d.orders {
		if o.big() {
			big++
		}
	}
	if earned != big {
		c.refute("%d orders earned points, and Klaviyo was told of %d", big, earned)
	}
	requests, lost := 0, 0
	for _, call := range d.world.klaviyo.Calls() {
		if strings.HasSuffix(strings.TrimSuffix(call.Path, "/"), "/events") {
			requests++
		}
		if call.Lost {
			lost++
		}
	}
	if lost != 1 {
		c.refute("%d of its answers were lost; one was to be", lost)
	}
	c.claim = fmt.Sprintf("Klaviyo recorded %s, each once, in %s, of which %d lost its answer", plural(len(recorded), "event"), plural(requests, "request"), lost)
	return c
}

// profilesAreThere: whoever signed up is known by the shop's id.
func (d *demo) profilesAreThere() check {
	c := check{}
	byID := map[string]string{}
	for _, p := range d.world.klaviyo.Profiles() {
		byID[p.Text("external_id")] = p.Text("email") + ", " + p.Text("first_name") + " " + p.Text("last_name")
	}
	for _, p := range d.customers {
		if has, want := byID[p.customer()], p.email+", "+p.name(); has != want {
			c.refute("the profile of %s says %q, not %q", p.customer(), has, want)
		}
	}
	c.claim = fmt.Sprintf("Klaviyo knows both who signed up, by name: %s", d.signedUp())
	return c
}

func (d *demo) signedUp() string {
	var names []string
	for _, p := range d.customers {
		names = append(names, p.name())
	}
	return list(names)
}

// warehousePicks: each line that is shipped is picked once.
func (d *demo) warehousePicks() check {
	c := check{}
	balance := map[string]int64{}
	lines := 0
	for _, o := range d.orders {
		for _, i := range o.shipped {
			balance[strings.Join([]string{o.shop, o.name, i.sku, i.title}, " ")] += i.quantity
			lines++
		}
	}
	picks, requests := d.world.warehouse.taken()
	for _, p := range picks {
		balance[strings.Join([]string{p.Shop, p.Order, p.SKU, p.Title}, " ")] -= int64(p.Quantity)
	}
	for _, what := range slices.Sorted(maps.Keys(balance)) {
		if n := balance[what]; n != 0 {
			c.refute("%s: ordered less picked makes %d", what, n)
		}
	}
	if len(picks) != lines {
		c.refute("there are %d picks for %d lines", len(picks), lines)
	}
	c.claim = fmt.Sprintf("the warehouse picked %s, each once, in %s, each with an Idempotency-Key", plural(len(picks), "line"), plural(requests, "request"))
	return c
}
