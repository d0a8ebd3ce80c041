package ingest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// perWorker is how many entries make another worker worth its start.
const perWorker = 16

// translate has the connectors say what the entries mean, several at a time; the order stays.
func (p *Pump) translate(entries []Entry) []Consumed {
	out := make([]Consumed, len(entries))
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(entries); i = int(next.Add(1)) - 1 {
			out[i] = p.translateOne(entries[i])
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0)-1, len(entries)/perWorker) {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return out
}

// translateOne never fails: what can't be translated is rejected with the reason.
func (p *Pump) translateOne(e Entry) (c Consumed) {
	c.Entry = e
	platform := e.Delivery.Platform
	if _, ok := p.cfg.Shops.Shop(e.Shop); !ok {
		c.Rejected = fmt.Sprintf("unknown shop %s: add it with `shophand shop add %s %s` and replay the event", e.Shop, platform, e.Shop)
		return c
	}
	connector := p.cfg.Connectors[platform]
	if connector == nil {
		c.Rejected = fmt.Sprintf("there is no connector for the platform %q", platform)
		return c
	}
	defer func() {
		if r := recover(); r != nil {
			c.Events, c.Rejected = nil, fmt.Sprintf("the %s connector broke on it: %v", platform, r)
			p.cfg.Logger.Error("a connector panicked; the delivery is rejected", "platform", platform, "shop", e.Shop,
				"seq", e.Seq, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	events, err := connector.Translate(e.Delivery)
	if err != nil {
		c.Rejected = err.Error()
		return c
	}
	c.Events = events
	return c
}
