package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/sdk/event"
)

// Log is an intake in one file.
type Log struct {
	db      *bbolt.DB
	path    string
	opts    Options
	noRetry map[string]bool
	arrived chan struct{}
	stopped chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	work    *sync.Cond // signalled when queue or closed changes
	queue   []*batch
	closed  bool
	shops   index
	used    int64 // bytes of all entries, waiting ones included
	waiting int64 // bytes of those that are not on disk yet
}

var _ ingest.Log = (*Log)(nil)

// Open opens the intake in the file at path, which it makes where there is none. The folder must exist and
// must not be on a network file system: bbolt's lock and its mapped memory don't work there.
func Open(path string, o Options) (*Log, error) {
	o = o.withDefaults()
	db, shops, err := openFile(path, o)
	if err != nil {
		return nil, err
	}
	l := &Log{
		db: db, path: path, opts: o, noRetry: map[string]bool{}, shops: shops, used: shops.bytes(),
		arrived: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	l.work = sync.NewCond(&l.mu)
	for _, platform := range o.NoRetry {
		l.noRetry[platform] = true
	}
	if len(shops) > 0 {
		l.arrived <- struct{}{}
	}
	go l.write()
	return l, nil
}

// Append keeps a delivery and returns when it is on disk.
func (l *Log) Append(ctx context.Context, d event.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.Shop == "" || len(d.Shop) > 255 {
		return fmt.Errorf("the intake takes no shop's name of %d bytes: 1 to 255", len(d.Shop))
	}
	b, err := l.enqueue(d.Shop, d.Platform, encode(d))
	if err != nil {
		return err
	}
	return b.wait(ctx)
}

// Trim removes a shop's entries up to and including upTo, in slices, so that appends never wait long.
func (l *Log) Trim(ctx context.Context, shop string, upTo uint64) error {
	for {
		t := &trim{shop: shop, upTo: upTo}
		b, err := l.enqueueTrim(t)
		if err != nil {
			return err
		}
		if err := b.wait(ctx); err != nil {
			return err
		}
		if !t.more {
			return nil
		}
	}
}

// Read returns the oldest entries of a shop after a number.
func (l *Log) Read(shop string, after uint64, max, maxBytes int) ([]ingest.Entry, error) {
	l.mu.Lock()
	closed, seqs := l.closed, l.shops.after(shop, after, max)
	l.mu.Unlock()
	if closed {
		return nil, ingest.ErrClosed
	}
	if len(seqs) == 0 {
		return nil, nil
	}
	var entries []ingest.Entry
	err := file(l.path, l.opts.MaxBytes).Guard(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			deliveries, bytes := tx.Bucket(deliveriesBucket), 0
			for _, seq := range seqs {
				v := deliveries.Get(key(seq))
				if v == nil { // trimmed since
					continue
				}
				d, err := decode(v)
				if err != nil {
					if len(entries) > 0 {
						return nil // those before it first
					}
					return fmt.Errorf("reading entry %d, of the shop %s, from the intake: %w", seq, shop, err)
				}
				if bytes += len(d.Body); bytes > maxBytes && len(entries) > 0 {
					return nil
				}
				entries = append(entries, ingest.Entry{Shop: shop, Seq: seq, Delivery: d})
			}
			return nil
		})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ingest.ErrClosed
	}
	return entries, err
}

// Shops lists the shops with entries.
func (l *Log) Shops() []ingest.Backlog {
	l.mu.Lock()
	out := make([]ingest.Backlog, 0, len(l.shops))
	for name, b := range l.shops {
		if n := len(b.refs); n > 0 {
			out = append(out, ingest.Backlog{Shop: name, First: b.refs[0].seq, Last: b.refs[n-1].seq, Bytes: b.bytes})
		}
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b ingest.Backlog) int { return cmp.Compare(a.Shop, b.Shop) })
	return out
}

// Arrived is signalled after appends, and at once where the file held entries when it was opened.
func (l *Log) Arrived() <-chan struct{} { return l.arrived }

// Backup writes a copy of the file as it is now; it opens as a log of its own. Appends go on meanwhile, but
// the file grows by what they write: give a w that is fast, a local file.
func (l *Log) Backup(w io.Writer) error {
	return l.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

// Close waits until all that was accepted is on disk.
func (l *Log) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.work.Signal()
	l.mu.Unlock()
	<-l.stopped
	if !first {
		return nil
	}
	return l.db.Close()
}
