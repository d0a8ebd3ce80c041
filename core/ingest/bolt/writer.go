package bolt

import (
	"context"
	"fmt"
	"runtime"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/ingest"
)

const (
	// maxBatchBytes ends a batch: what comes after waits for the next commit.
	maxBatchBytes = 8 << 20
	// maxTrimmed is how many entries one transaction removes at most.
	maxTrimmed = 1000
	// maxShare of the memory for waiting entries is what one shop gets of it, as a divisor.
	maxShare = 4
	// fillPercent is high because keys only ever come at a bucket's end.
	fillPercent = 0.9
)

// batch is what one transaction writes. All that is in it succeeds or fails together.
type batch struct {
	entries []entry
	trims   []*trim
	bytes   int64
	err     error         // set before done is closed
	done    chan struct{} // closed when the batch is on disk, or will never be
}

type entry struct {
	shop  string
	value []byte
	seq   uint64 // set by the writer
}

// trim removes entries of one shop; the writer sets the rest.
type trim struct {
	shop string
	upTo uint64
	n    int  // how many were removed
	more bool // entries up to upTo are left
}

func (b *batch) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue puts a value into the next batch, if the quotas let it.
func (l *Log) enqueue(shop, platform string, value []byte) (*batch, error) {
	size := sizeOf(value)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ingest.ErrClosed
	}
	b := l.shops.of(shop)
	defer l.shops.forget(shop) // where the entry is refused
	quota := l.opts.MaxBytes
	if len(l.noRetry) > 0 && !l.noRetry[platform] {
		quota -= quota / 8
	}
	switch {
	case b.bytes+b.waiting+size > l.opts.MaxShopBytes:
		return nil, fmt.Errorf("%w: the shop %s has %d bytes there, its quota is %d", ingest.ErrFull, shop, b.bytes+b.waiting, l.opts.MaxShopBytes)
	case l.used+size > quota:
		return nil, fmt.Errorf("%w: it holds %d bytes, the quota is %d", ingest.ErrFull, l.used, quota)
	case l.waiting+size > l.opts.MaxWaitingBytes, b.waiting+size > l.opts.MaxWaitingBytes/maxShare:
		return nil, fmt.Errorf("%w: %d bytes wait for the disk, %d of them of the shop %s", ingest.ErrFull, l.waiting, b.waiting, shop)
	}
	b.waiting += size
	l.waiting += size
	l.used += size
	last := l.lastBatch()
	last.entries = append(last.entries, entry{shop: shop, value: value})
	last.bytes += size
	l.work.Signal()
	return last, nil
}

func (l *Log) enqueueTrim(t *trim) (*batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ingest.ErrClosed
	}
	last := l.lastBatch()
	last.trims = append(last.trims, t)
	l.work.Signal()
	return last, nil
}

// lastBatch returns the batch that still takes more. mu is held.
func (l *Log) lastBatch() *batch {
	if n := len(l.queue); n > 0 && l.queue[n-1].bytes < maxBatchBytes {
		return l.queue[n-1]
	}
	b := &batch{done: make(chan struct{})}
	l.queue = append(l.queue, b)
	return b
}

// write commits batch after batch, each as soon as the one before is on disk, until the log is closed and
// nothing waits any more.
func (l *Log) write() {
	defer close(l.stopped)
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.closed {
			l.work.Wait()
		}
		if len(l.queue) == 0 {
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		// Those who were woken by the last commit, and are about to append again, are let into this one: it
		// costs nothing where nobody is, and more than triples what 64 clients get through.
		runtime.Gosched()
		l.mu.Lock()
		b := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.mu.Unlock()

		err := file(l.path, l.opts.MaxBytes).Guard(func() error {
			return l.db.Update(func(tx *bbolt.Tx) error { return l.apply(tx, b) })
		})
		if err != nil {
			b.err = fmt.Errorf("writing to the intake: %w", err)
		}
		l.settle(b)
		close(b.done)
		if err == nil && len(b.entries) > 0 {
			select {
			case l.arrived <- struct{}{}:
			default:
			}
		}
	}
}

// apply makes a batch's changes.
func (l *Log) apply(tx *bbolt.Tx, b *batch) error {
	deliveries := tx.Bucket(deliveriesBucket)
	deliveries.FillPercent = fillPercent
	if len(b.entries) > 0 {
		// Numbers start at the time in microseconds: above all that a lost file, or one newer than the backup
		// that this one was restored from, can have given. A consumer's position in that one would else hide
		// entries of this one.
		seq := max(deliveries.Sequence(), uint64(max(l.opts.Now().UnixMicro(), 0)))
		for i := range b.entries {
			seq++
			b.entries[i].seq = seq
			if err := deliveries.Put(key(seq), b.entries[i].value); err != nil {
				return err
			}
		}
		if err := deliveries.SetSequence(seq); err != nil {
			return err
		}
	}
	for _, k := range l.trimmed(b.trims) {
		if err := deliveries.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// trimmed returns the keys that the trims of a batch remove, as many as one transaction may.
func (l *Log) trimmed(trims []*trim) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys [][]byte
	taken := map[string]int{} // of a shop, by earlier trims of the batch
	for _, t := range trims {
		b := l.shops[t.shop]
		if b == nil {
			continue
		}
		refs := b.refs[taken[t.shop]:max(b.upTo(t.upTo), taken[t.shop])]
		t.n = min(len(refs), maxTrimmed-len(keys))
		t.more = t.n < len(refs)
		taken[t.shop] += t.n
		for _, r := range refs[:t.n] {
			keys = append(keys, key(r.seq))
		}
	}
	return keys
}

// settle brings what is known in memory in line with what became of a batch.
func (l *Log) settle(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range b.entries {
		s, size := l.shops[e.shop], sizeOf(e.value)
		s.waiting -= size
		l.waiting -= size
		if b.err != nil {
			l.used -= size
			l.shops.forget(e.shop)
			continue
		}
		s.add(e.seq, size)
	}
	if b.err != nil {
		return
	}
	for _, t := range b.trims {
		if s := l.shops[t.shop]; s != nil {
			l.used -= s.drop(t.n)
			l.shops.forget(t.shop)
		}
	}
}
