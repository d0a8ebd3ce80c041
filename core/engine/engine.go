// Package engine is the contract between the host and the driver that carries runs: what it is handed, what
// it asks for, and what can be read back. A driver (package bolt is the embedded one) feeds the interpreter,
// package run, and promises:
//
//   - what Accept and Start return from without error is on disk;
//   - a transition and its effects are written together or not at all, and performed only after that;
//   - an action is carried out at least once under a key that never changes, and one outcome of it counts;
//   - a timer never fires early, and one that is overdue fires after a restart;
//   - an event starts a flow once, by whichever way it came.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrClosed   = errors.New("the engine is closed")
	// ErrNotReplayable is what Replay and Understood give for an event that cannot be replayed as it is.
	ErrNotReplayable = errors.New("it cannot be replayed")
)

// Engine carries runs. It is safe for concurrent use.
type Engine interface {
	// Accept records arrivals with all that follows from them, in one transaction: positions, events, last-known
	// state, and the runs that they start. An arrival at or before its shop's position is passed over.
	Accept(ctx context.Context, arrivals []Arrival) error
	// Positions returns the last accepted arrival of each shop.
	Positions(ctx context.Context) (map[string]uint64, error)
	// Start starts one flow by hand for an event that has no delivery, and returns the run's id, or "" with the
	// reason why it did not start.
	Start(ctx context.Context, f *flow.Flow, e event.Event) (id, reason string, err error)
	// Replay starts every flow that listens to a processed event again, whatever ran before, and returns the runs.
	Replay(ctx context.Context, eventID string) ([]string, error)
	// Understood replaces a rejected event by what its delivery has been found to mean, and returns the runs
	// that this started.
	Understood(ctx context.Context, rejectedID string, events []event.Event) ([]string, error)

	// Run returns a run with its steps, or ErrNotFound.
	Run(ctx context.Context, id string) (Run, error)
	// Runs lists runs without their steps, the newest first.
	Runs(ctx context.Context, q RunQuery) ([]Run, error)
	// Event returns an event, or ErrNotFound.
	Event(ctx context.Context, id string) (Event, error)
	// Events lists events without their content, the newest first.
	Events(ctx context.Context, q EventQuery) ([]Event, error)

	// Close stops taking work, waits for actions at work until ctx ends, and closes the store. What has not
	// finished goes on when the engine is opened again.
	Close(ctx context.Context) error
}

// Arrival is one delivery from the intake, translated or rejected.
type Arrival struct {
	Shop     string
	Seq      uint64
	Delivery event.Delivery
	Events   []event.Event
	Rejected string // why it means nothing; "" where it does
}

// Flows knows the flows that run now, and every version that ever ran.
type Flows interface {
	// Starting returns the enabled flows of a shop that listen to a type of event.
	Starting(shop, eventType string) []*flow.Flow
	// Version returns one version of a flow.
	Version(id, version string) (*flow.Flow, error)
}

// Shops knows the shops.
type Shops interface {
	Shop(name string) (Shop, bool)
}

// Shop is what the engine needs to know of a shop.
type Shop struct {
	expr.Shop
	// Since is when it was connected; what happened before starts nothing.
	Since time.Time
}

// Invoker carries out one attempt of an action. It returns only when the attempt is over, at the latest
// when ctx is.
type Invoker interface {
	Invoke(ctx context.Context, inv Invocation) Result
}

// Invocation is one attempt to carry out.
type Invocation struct {
	run.InvokeAction
	RunID string
	Flow  string
	Shop  string
	Event json.RawMessage // without what the platform sent
}

// Result is what came of an attempt: Output, or Error with what it means.
type Result struct {
	Output     json.RawMessage
	Error      string
	Permanent  bool
	RetryAfter time.Duration
	Free       bool // it did not reach the action
	Unknown    bool // nobody knows whether it took effect
}

// Run is a run as people see it.
type Run struct {
	ID        string     `json:"id"`
	Flow      string     `json:"flow"`
	Version   string     `json:"version"`
	Shop      string     `json:"shop"`
	EventID   string     `json:"event_id"`
	Subject   string     `json:"subject"`
	Status    run.Status `json:"status"`
	Reason    string     `json:"reason"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Steps     []Step     `json:"steps"` // empty in lists
}

// Step is a step of a run as people see it.
type Step struct {
	ID             string          `json:"id"`
	Action         string          `json:"action"`
	Status         run.Status      `json:"status"`
	Attempts       int             `json:"attempts"`
	StartedAt      time.Time       `json:"started_at"`
	EndedAt        *time.Time      `json:"ended_at"`
	Until          *time.Time      `json:"until,omitempty"`
	Input          json.RawMessage `json:"input"`
	Output         json.RawMessage `json:"output"`
	Error          string          `json:"error"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
}

// Outcome says what became of an event.
type Outcome string

// The outcomes.
const (
	Processed  Outcome = "processed"
	Duplicate  Outcome = "duplicate"
	Superseded Outcome = "superseded"
	Rejected   Outcome = "rejected"
)

// Event is an event as people see it. Skipped tells of the flows that listen to it and did not start.
type Event struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Shop       string          `json:"shop"`
	Subject    string          `json:"subject"`
	ReceivedAt time.Time       `json:"received_at"`
	Outcome    Outcome         `json:"outcome"`
	Reason     string          `json:"reason"`
	Runs       []string        `json:"runs"`
	Skipped    []Skipped       `json:"skipped,omitempty"`
	Platform   string          `json:"platform"`
	Topic      string          `json:"topic"`
	Content    *event.Event    `json:"content,omitempty"`  // only from Engine.Event
	Delivery   *event.Delivery `json:"delivery,omitempty"` // of a rejected one, only from Engine.Event
}

// Skipped is a flow that an event did not start, with the reason.
type Skipped struct {
	Flow   string `json:"flow"`
	Reason string `json:"reason"`
}

// RunQuery selects runs; zero fields select all.
type RunQuery struct {
	Shop, Flow, Type, EventID string
	Status                    run.Status
	Since                     time.Time
	Limit                     int // 0: 50
}

// EventQuery selects events; zero fields select all.
type EventQuery struct {
	Shop, Type, Subject string
	Flow                string // that it started or that passed it over
	Outcome             Outcome
	Since               time.Time
	Limit               int // 0: 50
}
