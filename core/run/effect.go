package run

import (
	"encoding/json"
	"time"

	"github.com/shophand/shophand/core/flow"
)

// Effect is something that a run asks for. It is one of the types below.
type Effect interface{ effect() }

// InvokeAction asks for one attempt of an action. Its result comes back as ActionSucceeded, ActionFailed or
// ActionUnknown with the same path and attempt.
type InvokeAction struct {
	Path       string          `json:"path"`
	Attempt    int             `json:"attempt"`
	Action     string          `json:"action"`
	Connection string          `json:"connection"`
	Input      json.RawMessage `json:"input"`
	// Key is the idempotency key: the same for every attempt.
	Key     string       `json:"key"`
	Outcome flow.Outcome `json:"outcome"`
}

// StartTimer asks for TimerFired at a time, never before.
type StartTimer struct {
	Timer string    `json:"timer"`
	At    time.Time `json:"at"`
}

// CompleteRun says that the run is over.
type CompleteRun struct {
	Status Status `json:"status"`
	Reason string `json:"reason"`
}

func (InvokeAction) effect() {}
func (StartTimer) effect()   {}
func (CompleteRun) effect()  {}
