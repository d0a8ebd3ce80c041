package run

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/sdk/event"
)

// Semantics is the version of the interpreter's rules. A run keeps the one that it started with.
const Semantics = 1

// Status of a run or a step.
type Status string

// The statuses. A run is never Skipped.
const (
	Running      Status = "running"
	Waiting      Status = "waiting"
	Parked       Status = "parked" // until a person decides
	Succeeded    Status = "succeeded"
	PartlyFailed Status = "partly_failed"
	Failed       Status = "failed"
	Cancelled    Status = "cancelled"
	Stopped      Status = "stopped" // by a stop step
)

// Over tells whether nothing more will happen.
func (s Status) Over() bool {
	switch s {
	case Succeeded, PartlyFailed, Failed, Cancelled, Stopped:
		return true
	}
	return false
}

// Header is what is known of a run as a whole.
type Header struct {
	ID        string    `json:"id"`
	Flow      string    `json:"flow"`
	Version   string    `json:"version"`
	Semantics int       `json:"semantics"`
	EventID   string    `json:"event_id"`
	Shop      expr.Shop `json:"shop"`
	Subject   string    `json:"subject"`
	Status    Status    `json:"status"`
	Reason    string    `json:"reason,omitempty"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// Next is the step of the flow's own block that is at work or comes next.
	Next int `json:"next"`
	// Begun counts the steps that began, and gives them their order.
	Begun int `json:"begun"`
	// Lost counts steps that failed while the run went on; with some, it ends as partly failed.
	Lost int `json:"lost,omitempty"`
	// Breath counts the pauses that a run makes so that one transition stays small. Paused: one lasts now.
	Breath int  `json:"breath,omitempty"`
	Paused bool `json:"paused,omitempty"`
}

// Frame is the state of one step, or of one step of one turn of a loop. Its path is the ids from the outside
// in, "each[3].tag".
type Frame struct {
	Path      string          `json:"path"`
	Order     int             `json:"order"` // counts from 1 in the order in which steps began
	Status    Status          `json:"status"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at,omitzero"`
	Error     string          `json:"error,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`

	// Of an action.
	Action   string `json:"action,omitempty"`
	Key      string `json:"key,omitempty"`      // idempotency key
	Attempts int    `json:"attempts,omitempty"` // made so far
	Counted  int    `json:"counted,omitempty"`  // of them, those that the retry policy counts
	// AskedAt is when the last attempt was asked for, Spent what is used up of the policy's time.
	AskedAt time.Time     `json:"asked_at,omitzero"`
	Spent   time.Duration `json:"spent,omitempty"`

	// Of a wait, and of an action that waits for its next attempt.
	Until *time.Time `json:"until,omitempty"`

	// Of a step that holds others.
	Branch   string     `json:"branch,omitempty"` // "then" or "else"
	Index    int        `json:"index,omitempty"`  // turn of a loop, from 0
	Count    int        `json:"count,omitempty"`  // turns of a loop
	Next     int        `json:"next,omitempty"`   // step of the inner block
	Lost     int        `json:"lost,omitempty"`   // turns that failed
	LoopedAt *time.Time `json:"looped_at,omitempty"`
	Handling bool       `json:"handling,omitempty"` // the steps of on_error are at work
}

// Frames reads a run's stored frames.
type Frames interface {
	// Frame returns the frame of a path; false where there is none. The caller must not change it.
	Frame(path string) (Frame, bool, error)
}

// State is a run: its header, its event, and its frames. It is a value; Advance returns a new one.
type State struct {
	Header Header
	Event  *event.Event
	stored Frames
	// changed holds the frames that differ from the stored ones. It is never changed in place once a State
	// has been returned.
	changed map[string]Frame
	// lists are those of the loops at work, by path: a cache, made anew from the rest where it is empty, and like
	// changed never changed in place.
	lists map[string]expr.Value
}

// Load returns the state that an engine has stored.
func Load(h Header, e *event.Event, stored Frames) State {
	return State{Header: h, Event: e, stored: stored}
}

// Changed returns the frames that are not stored yet, by path.
func (s State) Changed() []Frame {
	return slices.SortedFunc(maps.Values(s.changed), func(a, b Frame) int { return a.Order - b.Order })
}

// Stored returns the state after an engine has stored its changes where Frames reads them.
func (s State) Stored() State {
	s.changed = nil
	return s
}

func (s State) frame(path string) (Frame, bool, error) {
	if f, ok := s.changed[path]; ok {
		return f, true, nil
	}
	if s.stored == nil {
		return Frame{}, false, nil
	}
	return s.stored.Frame(path)
}
