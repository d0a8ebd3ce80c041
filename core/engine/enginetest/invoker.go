package enginetest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/shophand/shophand/core/engine"
)

// Attempt is one that an Invoker was asked for.
type Attempt struct {
	engine.Invocation
	At time.Time
}

// Invoker implements engine.Invoker: it records each attempt and answers with Do.
type Invoker struct {
	// Do carries an attempt out; nil succeeds with {}.
	Do func(ctx context.Context, inv engine.Invocation) engine.Result

	mu       sync.Mutex
	attempts []Attempt
}

var _ engine.Invoker = (*Invoker)(nil)

// Invoke implements engine.Invoker.
func (i *Invoker) Invoke(ctx context.Context, inv engine.Invocation) engine.Result {
	i.mu.Lock()
	i.attempts = append(i.attempts, Attempt{inv, time.Now()})
	do := i.Do
	i.mu.Unlock()
	if do == nil {
		return engine.Result{Output: json.RawMessage(`{}`)}
	}
	return do(ctx, inv)
}

// Attempts returns what was asked for so far.
func (i *Invoker) Attempts() []Attempt {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Attempt(nil), i.attempts...)
}

// Of returns the attempts of one step, by its path in any run.
func (i *Invoker) Of(path string) []Attempt {
	var out []Attempt
	for _, a := range i.Attempts() {
		if a.Path == path {
			out = append(out, a)
		}
	}
	return out
}
