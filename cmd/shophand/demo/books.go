package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/plugins/loyalty"
)

// check is one line of the books: what is claimed, with figures, and what contradicts it.
type check struct {
	claim string
	wrong []string
}

func (c *check) refute(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// checkTheBooks compares what was done to the host with what it and the vendors say, and shows the result. Its
// error says how much does not agree.
func (d *demo) checkTheBooks(ctx context.Context) error {
	d.screen.title("The books", "Every claim is counted twice: by what was done to the host, and by what it and the vendors have.")
	ledger, err := d.readLedger(ctx)
	if err != nil {
		return err
	}
	checks := []check{
		d.acknowledgedAreKnown(), d.eachFlowOnce(), d.allRunsEnded(), d.labelsBought(), d.tagsSet(),
		d.pointsAgree("Shopify", shopifyShop, ledger), d.pointsAgree("WooCommerce", wooShop, ledger), d.klaviyoHasAll(), d.profilesAreThere(),
		d.warehousePicks(), d.strangersLeftNothing(), d.deadPluginsStep(), d.lastInstant(), d.noOrphans(), d.waitsEndedOnTime(), d.secretsKept(),
	}
	bad := 0
	for _, c := range checks {
		if len(c.wrong) == 0 {
			d.screen.line(done, "%s", c.claim)
			continue
		}
		bad++
		d.screen.line(failed, "%s", c.claim)
		slices.Sort(c.wrong)
		for _, w := range c.wrong[:min(len(c.wrong), 8)] {
			d.screen.plain("        but %s", w)
		}
	}
	if bad > 0 {
		d.screen.plain("the host's last words:\n%s", d.host.tail(12))
		return &disagreement{bad, len(checks)}
	}
	d.screen.line(done, "%s", d.screen.paint("1;32", fmt.Sprintf("The books agree: all %d checks hold.", len(checks))))
	return nil
}

// disagreement is the error of books in which checks do not hold.
type disagreement struct{ wrong, all int }

func (e *disagreement) Error() string {
	return fmt.Sprintf("%d of %d checks of the demo's books do not hold", e.wrong, e.all)
}

// acknowledgedAreKnown: each webhook that was answered 200 is recorded, once.
func (d *demo) acknowledgedAreKnown() check {
	c := check{}
	balance := map[delivery]int{}
	for _, del := range d.acknowledged {
		balance[del]++
	}
	known, again := 0, 0
	for _, e := range d.watch.events {
		switch {
		case strings.HasPrefix(e.Reason, "derived from"), e.Type == "manual":
			continue // no webhook brought it
		case e.Outcome == engine.Processed:
			known++
		case e.Outcome == engine.Duplicate:
			again++
		default:
			c.refute("event %s (%s) was %s: %s", e.ID, e.Topic, e.Outcome, e.Reason)
		}
		balance[delivery{e.Shop, e.Topic, e.Subject}]--
	}
	for del, n := range balance {
		switch {
		case n > 0:
			c.refute("%s of %s for %s was acknowledged and is not recorded", del.topic, del.shop, del.subject)
		case n < 0:
			c.refute("%s of %s for %s is recorded and was never acknowledged", del.topic, del.shop, del.subject)
		}
	}
	c.claim = fmt.Sprintf("%d webhooks were acknowledged: %d are processed, %d were known already, none is lost", len(d.acknowledged), known, again)
	return c
}

// eachFlowOnce: every flow ran once for each order or customer that it is for, and for nothing else.
func (d *demo) eachFlowOnce() check {
	c := check{}
	type pair struct{ resource, flow string }
	balance := map[pair]int{}
	for _, o := range d.orders {
		for _, flow := range o.flows() {
			balance[pair{resourceKey(o.shop, o.id), flow}]++
		}
	}
	for _, p := range d.customers {
		balance[pair{resourceKey(p.shop, p.customer()), "welcome-customer"}]++
	}
	expected, found := len(balance), 0
	for _, id := range slices.Sorted(maps.Keys(d.watch.runs)) { // the oldest first: what is too many came later
		r := d.watch.runs[id]
		if r.Flow == "points" {
			continue // by hand, for these books
		}
		found++
		key := pair{resourceKey(r.Shop, r.Subject), r.Flow}
		if balance[key]--; balance[key] < 0 {
			c.refute("run %s of %s for %s of %s is one too many", r.ID, r.Flow, d.news.name(r.Shop, r.Subject), r.Shop)
		}
	}
	for key, n := range balance {
		if n > 0 {
			shop, subject, _ := strings.Cut(key.resource, "\x00")
			c.refute("%s has not run for %s of %s", key.flow, d.news.name(shop, subject), shop)
		}
	}
	c.claim = fmt.Sprintf("%d orders and %d sign-ups had to start %d runs, and started %d: each flow once", len(d.orders), len(d.customers), expected, found)
	return c
}

// allRunsEnded: no run failed, none is left over.
func (d *demo) allRunsEnded() check {
	c := check{}
	count := map[run.Status]int{}
	for _, r := range d.watch.runs {
		count[r.Status]++
		if r.Status != run.Succeeded && r.Status != run.Stopped {
			c.refute("run %s", describe(r))
		}
	}
	c.claim = fmt.Sprintf("%d runs succeeded, %d stopped where their flow says so, none failed", count[run.Succeeded], count[run.Stopped])
	return c
}

// readLedger asks the ledger itself for each customer's account: by a flow that is started by hand. It returns
// what it says by shop and customer.
func (d *demo) readLedger(ctx context.Context) (map[string]loyalty.BalanceOutput, error) {
	type asked struct{ run, key string }
	var runs []asked
	seen := map[string]bool{}
	for _, o := range d.orders {
		key := resourceKey(o.shop, o.buyer.customer())
		if o.buyer.id == 0 || seen[key] {
			continue
		}
		seen[key] = true
		var out struct {
			Run    string `json:"run"`
			Reason string `json:"reason"`
		}
		in := map[string]string{"shop": o.shop, "subject": o.id}
		if err := d.watch.api.Do(ctx, http.MethodPost, "/flows/points/run", nil, in, &out); err != nil {
			return nil, fmt.Errorf("starting the flow points: %w", err)
		}
		runs = append(runs, asked{out.Run, key})
	}
	err := d.watch.until(ctx, "the flow points reads each customer's account", func() string {
		for _, a := range runs {
			if r := d.watch.runs[a.run]; !r.Status.Over() {
				return "run " + describe(r)
			}
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	ledger := map[string]loyalty.BalanceOutput{}
	for _, a := range runs {
		i := slices.IndexFunc(d.watch.runs[a.run].Steps, func(s engine.Step) bool { return s.Action == "loyalty/balance" })
		if i < 0 {
			return nil, errors.New("run " + describe(d.watch.runs[a.run]) + " has not read the account")
		}
		var out loyalty.BalanceOutput
		if err := json.Unmarshal(d.watch.runs[a.run].Steps[i].Output, &out); err != nil {
			return nil, fmt.Errorf("run %s: what loyalty/balance says: %w", a.run, err)
		}
		ledger[a.key] = out
	}
	return ledger, nil
}

// pointsAgree: the ledger has what the orders' totals say.
func (d *demo) pointsAgree(platform, shop string, ledger map[string]loyalty.BalanceOutput) check {
	c := check{}
	want, entries := map[string]int64{}, map[string]int64{}
	orders, sum := 0, int64(0)
	for _, o := range d.orders {
		if o.shop != shop || !o.big() {
			continue
		}
		key := resourceKey(shop, o.buyer.customer())
		want[key] += o.points()
		entries[key]++
		orders++
	}
	for key, points := range want {
		has := ledger[key]
		sum += has.Balance
		if has.Balance != points || has.Entries != entries[key] {
			c.refute("customer %s has %d points in %d entries; the totals make %d in %d", has.Customer, has.Balance, has.Entries, points, entries[key])
		}
	}
	c.claim = fmt.Sprintf("%s: the ledger holds %d points of %s, as %s over 100 say", platform, sum, plural(len(want), "customer"), plural(orders, "total"))
	return c
}
