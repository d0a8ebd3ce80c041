package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// trimEvery gathers what is to be removed, so that a quiet shop costs no commit for each event.
	trimEvery = 500 * time.Millisecond
	// trimAtOnce is how many shops are trimmed at a time; the log commits them together.
	trimAtOnce = 32
)

// trimmer removes from the log what was consumed. It runs beside the pump, which need not wait: what was not
// removed when the host stops is removed after its next start.
type trimmer struct {
	log    Log
	after  func(time.Duration) <-chan time.Time
	logger *slog.Logger
	wake   chan struct{}

	mu   sync.Mutex
	upTo map[string]uint64 // by shop
}

func newTrimmer(log Log, after func(time.Duration) <-chan time.Time, logger *slog.Logger) *trimmer {
	return &trimmer{log: log, after: after, logger: logger, wake: make(chan struct{}, 1), upTo: map[string]uint64{}}
}

// add asks for the removal of a shop's entries up to and including seq.
func (t *trimmer) add(shop string, seq uint64) {
	t.mu.Lock()
	t.upTo[shop] = max(t.upTo[shop], seq)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run trims until ctx ends.
func (t *trimmer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
		wait := trimEvery
		for again := true; again; {
			select {
			case <-ctx.Done():
				return
			case <-t.after(wait):
			}
			again = t.trim(ctx)
			wait = backoffMost
		}
	}
}

// trim removes what was asked for and tells whether some of it is to be tried again.
func (t *trimmer) trim(ctx context.Context) (again bool) {
	t.mu.Lock()
	upTo := t.upTo
	t.upTo = map[string]uint64{}
	t.mu.Unlock()
	free := make(chan struct{}, trimAtOnce)
	failed := make(chan string, len(upTo))
	var wg sync.WaitGroup
	for shop, seq := range upTo {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			err := t.log.Trim(ctx, shop, seq)
			if err == nil || ctx.Err() != nil || errors.Is(err, ErrClosed) {
				return
			}
			t.logger.Error("the intake could not be trimmed", "shop", shop, "error", err)
			t.add(shop, seq)
			failed <- shop
		})
	}
	wg.Wait()
	return len(failed) > 0
}
