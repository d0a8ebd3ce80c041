package ingest

import (
	"errors"
	"slices"
)

// batchBytes is how many times PumpConfig.MaxBytes a batch may hold of all shops together.
const batchBytes = 4

// draw reads the next batch: every shop with a backlog gets the same share, and where a batch has no room for
// all of them, the next one begins with the shop that follows. The entries of a shop stand together.
func (p *Pump) draw() ([]Entry, error) {
	shops := slices.DeleteFunc(p.cfg.Log.Shops(), func(b Backlog) bool {
		return b.Last <= p.positions[b.Shop] || p.trouble.resting[b.Shop]
	})
	if len(shops) == 0 {
		return nil, nil
	}
	first, _ := slices.BinarySearchFunc(shops, p.turn, func(b Backlog, turn string) int {
		if b.Shop > turn {
			return 1
		}
		return -1
	})
	share := max(1, min(p.cfg.MaxEntries, p.cfg.MaxBatch/len(shops)))
	var entries []Entry
	bytes := 0
	for i := range shops {
		shop := shops[(first+i)%len(shops)].Shop
		limit := min(share, p.cfg.MaxBatch-len(entries))
		if p.trouble.failed[shop] > 0 {
			limit = min(limit, 1) // so that what stands before the one that fails gets through
		}
		if limit == 0 || bytes >= batchBytes*p.cfg.MaxBytes {
			break
		}
		p.turn = shop
		more, err := p.cfg.Log.Read(shop, p.positions[shop], limit, p.cfg.MaxBytes)
		if errors.Is(err, ErrClosed) {
			return nil, err
		}
		if err != nil {
			times := p.trouble.rest(shop)
			p.cfg.Logger.Error("the intake can't be read", "shop", shop, "after", p.positions[shop], "attempt", times, "error", err)
			continue
		}
		for _, e := range more {
			bytes += len(e.Delivery.Body)
			entries = append(entries, e)
		}
	}
	return entries, nil
}
