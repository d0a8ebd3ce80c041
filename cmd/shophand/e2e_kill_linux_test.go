package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shophand/shophand/core/engine"
)

// atWork is how many attempts the host has at work at one plugin: no more can be sent again after a kill.
const atWork = 32

// order that the load sends. Those up to 100 do not meet the flow's condition.
type sentOrder struct {
	id    string
	shop  string
	total int // whole
}

// load sends orders from both platforms until it is told to stop, each until it is acknowledged.
type load struct {
	house *house
	stop  atomic.Bool
	acked atomic.Int64

	mu   sync.Mutex
	sent []sentOrder
	url  string // changes with each start
}

func (l *load) address() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.url
}

func (l *load) moved(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.url = url
}

func (l *load) send(t *testing.T, worker, n int) {
	id := int64(1_000_000*(worker+1) + n)
	total := 50 + (n*37+worker)%200
	text := fmt.Sprintf("%d.25", total)
	o := sentOrder{id: strconv.FormatInt(id, 10), total: total}
	var d delivery
	if worker%2 == 0 {
		d, o.shop = fromShopify("orders/create", shopifyOrder(id, "#"+o.id, text).json(t)), shopifyShop
	} else {
		d, o.shop = fromWoo("order.created", wooOrder(id, o.id, text).json(t)), wooShop
	}
	l.mu.Lock()
	l.sent = append(l.sent, o)
	l.mu.Unlock()
	if !within(patience, func() bool { // a host that is down, or was killed over the answer, is asked again
		status, _, err := d.send(l.address())
		return err == nil && status == http.StatusOK
	}) {
		t.Errorf("order %s was never acknowledged", o.id)
	}
	l.acked.Add(1)
}

// TestKill9 kills the host again and again while orders of both platforms come in and flows run. Every
// acknowledged order gets its run, every effect happens once under one key, the points are exact, and no process
// outlives the host.
func TestKill9(t *testing.T) {
	t.Parallel()
	kills := 8
	if full() {
		kills = 50
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d kills, seed %d", kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))

	sink := newSink(t)
	h := newHouse(t)
	h.serve()
	h.shops()
	h.flow(`flow: pay
on: order.created
if: order.total > 100 && customer.exists
steps:
  - do: http/request
    with: {method: POST, url: "` + sink.URL() + `/pay", json: {id: "${order.id}", total: "${order.total}"}}
  - do: loyalty/award
    with: {customer: "${customer.id}", points: "${order.total.floor()}"}
`)
	l := &load{house: h, url: h.url}
	var workers sync.WaitGroup
	for w := range 6 {
		workers.Go(func() {
			for n := 0; !l.stop.Load(); n++ {
				l.send(t, w, n)
			}
		})
	}
	had := 0
	for range kills {
		next := l.acked.Load() + 5 + random.Int64N(60)
		if !within(patience, func() bool { return l.acked.Load() >= next }) {
			t.Fatalf("only %d orders were acknowledged", l.acked.Load())
		}
		children := descendants(h.cmd.Process.Pid)
		had += len(children)
		h.kill()
		if !within(3*time.Second, func() bool {
			for _, pid := range children {
				if alive(pid) {
					return false
				}
			}
			return true
		}) {
			t.Errorf("of the host's processes %v some are alive 3 s after its end", children)
		}
		h.serve()
		l.moved(h.url)
	}
	l.stop.Store(true)
	workers.Wait()
	if had == 0 {
		t.Error("the host never had a plugin process when it was killed")
	}
	l.check(t, sink, kills)
}

// check compares what was acknowledged with what there is.
func (l *load) check(t *testing.T, sink *sink, kills int) {
	h := l.house
	matching := map[string]sentOrder{}
	points, entries := map[string]int{}, map[string]int{}
	for _, o := range l.sent {
		if o.total >= 100 { // and 25 cents
			matching[o.id] = o
			points[o.shop] += o.total
			entries[o.shop]++
		}
	}
	if !within(patience, func() bool {
		return len(listed[engine.Run](h, "run", "list", "--flow", "pay", "--limit", "10000", "--status", "succeeded")) >= len(matching)
	}) {
		t.Errorf("not all of %d runs have succeeded", len(matching))
	}
	for _, r := range h.finished("pay", len(matching)) {
		if r.Status != "succeeded" {
			t.Errorf("run %s is %s: %s", r.ID, r.Status, r.Reason)
		}
	}

	processed := map[string]int{}
	for _, e := range listed[engine.Event](h, "event", "list", "--type", "order.created", "--status", "processed", "--limit", "10000") {
		processed[e.Subject]++
		if _, matches := matching[e.Subject]; matches != (len(e.Runs) == 1) || matches == (len(e.Skipped) == 1) {
			t.Errorf("the event of order %s has the runs %v and passed over %v", e.Subject, e.Runs, e.Skipped)
		}
	}
	for _, o := range l.sent {
		if processed[o.id] != 1 {
			t.Errorf("order %s was processed %d times", o.id, processed[o.id])
		}
	}

	again, keys := 0, map[string]string{}
	seen := sink.byID()
	for id, o := range matching {
		if len(seen[id]) == 0 {
			t.Errorf("order %s never reached the sink", id)
			continue
		}
		again += len(seen[id]) - 1
		for _, r := range seen[id] {
			if r.Key == "" || r.Key != seen[id][0].Key {
				t.Errorf("order %s came under the keys %q and %q", id, seen[id][0].Key, r.Key)
			}
			if want := fmt.Sprintf(`"total":"%d.25"`, o.total); !strings.Contains(string(r.Body), want) {
				t.Errorf("order %s came as %s, want %s", id, r.Body, want)
			}
		}
		if other := keys[seen[id][0].Key]; other != "" {
			t.Errorf("the orders %s and %s have one key", id, other)
		}
		keys[seen[id][0].Key] = id
	}
	if len(seen) != len(matching) {
		t.Errorf("%d orders reached the sink, %d should", len(seen), len(matching))
	}
	if again > atWork*kills {
		t.Errorf("%d requests were sent again over %d kills: more than was at work", again, kills)
	}

	h.flow("flow: points\non: manual\nsteps:\n  - do: loyalty/balance\n    id: shopify\n    with: {customer: \"7\"}\n  - do: loyalty/balance\n    id: woo\n    with: {customer: \"31\"}\n")
	for shop, step := range map[string]int{shopifyShop: 0, wooShop: 1} { // each shop's customer has its own step
		h.run("flow", "run", "points", "--shop", shop)
		runs := listed[engine.Run](h, "run", "list", "--flow", "points", "--shop", shop)
		if len(runs) != 1 || !within(patience, func() bool { return shown[engine.Run](h, "run", "show", runs[0].ID).Status.Over() }) {
			t.Fatalf("the points of %s are not read: %+v", shop, runs)
		}
		var got struct{ Balance, Entries int }
		if err := json.Unmarshal(shown[engine.Run](h, "run", "show", runs[0].ID).Steps[step].Output, &got); err != nil || got.Balance != points[shop] || got.Entries != entries[shop] {
			t.Errorf("the ledger of %s says %+v, want %d points in %d entries: %v", shop, got, points[shop], entries[shop], err)
		}
	}
	t.Logf("%d orders, %d of them matched; %d sent again under the same key", len(l.sent), len(matching), again)
}
