package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
)

// change is part of a transaction. It must have no effect but on tx, because it runs again if another change
// of the same transaction fails.
type change func(tx *bbolt.Tx) error

// maxGroup bounds how many changes share one transaction.
const maxGroup = 512

// writer commits changes, grouping whatever has gathered without ever waiting for more.
type writer struct {
	db        *bbolt.DB
	committed func() // called with each commit on disk and nobody told yet; may be nil
	queue     chan pendingChange
	ended     chan struct{}

	mu     sync.RWMutex // held for reading while a change is being queued
	closed bool
}

type pendingChange struct {
	change change
	done   chan error
}

func newWriter(db *bbolt.DB, committed func()) *writer {
	w := &writer{db: db, committed: committed, queue: make(chan pendingChange, maxGroup), ended: make(chan struct{})}
	go w.run()
	return w
}

// commit returns when the change is on disk, or an error when it is not. ctx bounds only the wait for a place in
// the queue: what is queued will be made, and whoever asked for it must perform what follows from it.
func (w *writer) commit(ctx context.Context, c change) error {
	p := pendingChange{c, make(chan error, 1)}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return engine.ErrClosed
	}
	select {
	case w.queue <- p:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return ctx.Err()
	}
	return <-p.done
}

// close commits what is queued and ends the goroutine.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	for first := range w.queue {
		group := []pendingChange{first}
	gather:
		for len(group) < maxGroup {
			select {
			case p, ok := <-w.queue:
				if !ok {
					break gather
				}
				group = append(group, p)
			default:
				break gather
			}
		}
		w.commitGroup(group)
	}
}

// commitGroup commits the changes together. One that fails is told so and left out, and the others are made
// again without it: bbolt cannot take a part of a transaction back.
func (w *writer) commitGroup(group []pendingChange) {
	for len(group) > 0 {
		bad := -1
		err := w.db.Update(func(tx *bbolt.Tx) error {
			for i, p := range group {
				if err := protect(p.change, tx); err != nil {
					bad = i
					return err
				}
			}
			return nil
		})
		if bad >= 0 {
			group[bad].done <- err
			group = append(group[:bad:bad], group[bad+1:]...)
			continue
		}
		if err == nil && w.committed != nil {
			w.committed()
		}
		for _, p := range group { // committed, or the disk refused all of it
			p.done <- err
		}
		return
	}
}

// protect turns a panic of a change into an error, so that a bug in one run does not stop all of them.
func protect(c change, tx *bbolt.Tx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.Join(err, fmt.Errorf("bug in the engine: %v", cause))
		}
	}()
	return c(tx)
}
