package bolt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/engine/bolt"
	"github.com/shophand/shophand/core/engine/enginetest"
	"github.com/shophand/shophand/sdk/event"
)

const benchShops = 16

// benchFlow is a flow on paid orders with a condition and one action.
const benchFlow = `
flow: thank
on: order.paid
if: order.total > 100 && "vip" in customer.tags
steps:
  - do: http/request
    with: {order: "${order.name}", total: "${order.total}"}
`

// bench is an engine under measurement, and what the intake would have for it.
type bench struct {
	b    *testing.B
	seq  [benchShops]uint64
	made int
	e    *bolt.Engine
}

func newBench(b *testing.B, invoker engine.Invoker, passive bool, flows ...string) *bench {
	shops := enginetest.Shops{}
	for i := range benchShops {
		shops[benchShop(i)] = time.Now().Add(-time.Hour)
	}
	c := config(enginetest.Options{Dir: b.TempDir(), Flows: enginetest.NewFlows(b, flows...), Shops: shops, Invoker: invoker})
	c.Passive = passive
	e, err := bolt.Open(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close(context.Background()) })
	return &bench{b: b, e: e}
}

func benchShop(i int) string { return fmt.Sprintf("shop-%d.myshopify.com", i) }

// arrivals makes deliveries of paid orders of a usual size, of all shops in turn.
func (n *bench) arrivals(count int) []engine.Arrival {
	list := make([]engine.Arrival, count)
	for i := range list {
		s := n.made % benchShops
		n.seq[s]++
		now := time.Now()
		e := enginetest.Order(benchShop(s), "order.paid", fmt.Sprint(n.made), now, enginetest.Lines(3))
		n.made++
		list[i] = engine.Arrival{
			Shop: benchShop(s), Seq: n.seq[s], Events: []event.Event{e},
			Delivery: event.Delivery{Platform: "shopify", Shop: benchShop(s), Body: e.Raw, ReceivedAt: now},
		}
	}
	return list
}

func (n *bench) batches(count, size int) (batches [][]engine.Arrival) {
	for left := count; left > 0; left -= size {
		batches = append(batches, n.arrivals(min(size, left)))
	}
	return batches
}

func (n *bench) accept(batches [][]engine.Arrival) {
	for _, batch := range batches {
		if err := n.e.Accept(n.b.Context(), batch); err != nil {
			n.b.Fatal(err)
		}
	}
}

// BenchmarkAccept measures how fast the engine takes in what the pump gives it, in batches, without performing.
func BenchmarkAccept(b *testing.B) {
	for name, sources := range map[string][]string{"no flow": nil, "a flow": {benchFlow}} {
		for _, size := range []int{1, 128} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, size), func(b *testing.B) {
				n := newBench(b, &enginetest.Invoker{}, true, sources...)
				batches := n.batches(b.N, size)
				b.ReportAllocs()
				b.ResetTimer()
				n.accept(batches)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "arrivals/s")
			})
		}
	}
}

// BenchmarkRunOneAction measures from an event to its finished run, with an action that returns at once: how many
// runs in a second when there is always more to do, and how long one takes for clients that each wait for theirs.
func BenchmarkRunOneAction(b *testing.B) {
	b.Run("flood", func(b *testing.B) {
		var invoked sync.WaitGroup
		invoked.Add(b.N)
		n := newBench(b, answering(func(engine.Invocation) { invoked.Done() }), false, benchFlow)
		batches := n.batches(b.N, 128)
		b.ReportAllocs()
		b.ResetTimer()
		n.accept(batches)
		invoked.Wait()
		if err := n.e.Close(b.Context()); err != nil { // writes the last outcomes
			b.Fatal(err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	})
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchmarkLatency(b, clients) })
	}
}

// benchmarkLatency takes the begin of a second action for the sign that the first one's outcome is on disk.
func benchmarkLatency(b *testing.B, clients int) {
	var mu sync.Mutex
	waiting := map[string]chan time.Time{}
	invoker := answering(func(inv engine.Invocation) {
		if inv.Path != "sign" {
			return
		}
		var input struct{ Order string }
		if err := json.Unmarshal(inv.Input, &input); err != nil {
			b.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		waiting[input.Order] <- time.Now()
	})
	n := newBench(b, invoker, false, benchFlow+`  - {do: shop/tag_order, id: sign, with: {order: "${order.id}"}}`)
	arrivals := n.arrivals(b.N)
	for _, a := range arrivals {
		waiting[a.Events[0].Subject] = make(chan time.Time, 1)
	}
	next := make(chan engine.Arrival)
	took := make([][]time.Duration, clients)
	var group sync.WaitGroup
	b.ResetTimer()
	for c := range clients {
		group.Go(func() {
			for a := range next {
				begin := time.Now()
				if err := n.e.Accept(b.Context(), []engine.Arrival{a}); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				done := waiting[a.Events[0].Subject]
				mu.Unlock()
				took[c] = append(took[c], (<-done).Sub(begin))
			}
		})
	}
	for _, a := range eachItsShop(arrivals) {
		next <- a
	}
	close(next)
	group.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// eachItsShop gives every arrival a shop of its own, so that clients may deliver them in any order: positions only
// go up within a shop.
func eachItsShop(arrivals []engine.Arrival) []engine.Arrival {
	for i := range arrivals {
		arrivals[i].Seq = 1
		arrivals[i].Shop = fmt.Sprintf("shop-%d.example.com", i)
	}
	return arrivals
}

// answering is an invoker whose actions return at once.
type answering func(engine.Invocation)

// Invoke implements engine.Invoker.
func (a answering) Invoke(_ context.Context, inv engine.Invocation) engine.Result {
	a(inv)
	return engine.Result{Output: json.RawMessage(`{"status": 200}`)}
}
