package woocommerce

import (
	"context"
	"sync"
)

// turns lets one at a time at each key. What is read from a store, changed and written back there would
// otherwise lose what another run of this host wrote in between: the API has no precondition on a write.
type turns struct {
	mu      sync.Mutex
	waiting map[string]*turn // by key; absent where nobody has or wants the turn
}

type turn struct {
	free  chan struct{} // holds one token while nobody has the turn
	users int           // who have or want it
}

// take waits for the turn at a key. The caller gives it back by release, once.
func (t *turns) take(ctx context.Context, key string) (release func(), err error) {
	t.mu.Lock()
	at := t.waiting[key]
	if at == nil {
		at = &turn{free: make(chan struct{}, 1)}
		at.free <- struct{}{}
		t.waiting[key] = at
	}
	at.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(t.waiting, key)
		}
	}
	select {
	case <-at.free:
		return func() {
			at.free <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
