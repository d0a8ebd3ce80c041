package ingest

import (
	"context"
	"errors"

	"github.com/shophand/shophand/sdk/event"
)

// The errors that Log's methods wrap.
var (
	// ErrFull means that the intake can take no more now: the quota of the shop or of the whole is used up,
	// or too much waits to be written.
	ErrFull = errors.New("the intake is full")
	// ErrClosed means that the log was closed.
	ErrClosed = errors.New("the intake is closed")
)

// Entry is a delivery in the log.
type Entry struct {
	Shop string
	// Seq grows from entry to entry of a shop, with gaps, and is never given twice, not even by a log that was
	// made anew or restored from a backup. It says nothing about the order between shops.
	Seq      uint64
	Delivery event.Delivery
}

// Backlog says which entries of one shop the log holds.
type Backlog struct {
	Shop        string
	First, Last uint64 // the lowest and the highest Seq there
	Bytes       int64  // that they count against the quotas
}

// Log holds deliveries on disk until they are consumed. It is safe for concurrent use.
type Log interface {
	// Append keeps a delivery under the shop that it names and returns when it is on disk (fsync). Where it
	// returns an error nothing is promised: with ctx's error the delivery may be kept all the same.
	Append(ctx context.Context, d event.Delivery) error
	// Read returns the oldest entries of a shop whose Seq is above after: at most max, and at most maxBytes of
	// them by the size of their bodies, but always one where there is one.
	Read(shop string, after uint64, max, maxBytes int) ([]Entry, error)
	// Shops lists the shops that have entries, by name. It reads memory only.
	Shops() []Backlog
	// Arrived is signalled after appends. Signals are not counted: one may stand for many.
	Arrived() <-chan struct{}
	// Trim removes a shop's entries up to and including upTo.
	Trim(ctx context.Context, shop string, upTo uint64) error
	// Close writes what was accepted and closes the log; later calls give ErrClosed.
	Close() error
}
