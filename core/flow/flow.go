// Package flow is the definition of an automation: trigger, condition, steps. It parses the text that people
// write, finds everything that is wrong with it at once, and compiles it for the interpreter. It is pure.
package flow

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/sdk/event"
)

// Flow is one version of a flow, compiled. It never changes and is safe for concurrent use.
type Flow struct {
	ID   string
	Name string
	// Version is a hash of the definition's content: comments and layout do not count.
	Version string
	// On holds the types of events that start a run; empty for a flow that is only started by hand.
	On    []string
	If    *Expression // nil: always
	Steps []*Step
}

// Starts tells whether an event of that type starts a run.
func (f *Flow) Starts(eventType string) bool {
	for _, t := range f.On {
		if t == eventType {
			return true
		}
	}
	return false
}

// Step is one node of a flow. Exactly one of Do, Wait, Branch, Loop and Stop is set.
type Step struct {
	// ID is unique in the flow.
	ID   string
	Line int

	Do     *Do
	Wait   *Wait
	Branch *Branch
	Loop   *Loop
	Stop   *Stop
}

// Do calls an action.
type Do struct {
	Action     string // "plugin/action"; the platform's own are "shop/action"
	Connection string
	With       *Value
	Retry      Retry
	Outcome    Outcome
	OnError    OnError
}

// Outcome says what happens when nobody knows whether an attempt took effect.
type Outcome string

// The outcome policies; see the plugin contract.
const (
	Idempotent Outcome = "idempotent"
	Keyed      Outcome = "keyed"
	Verify     Outcome = "verify"
	Unsafe     Outcome = "unsafe"
)

// Retry is how often, and for how long, a failed attempt is repeated.
type Retry struct {
	Attempts int // at least 1
	Within   time.Duration
}

// OnError says what happens when a step has failed for good.
type OnError struct {
	Continue bool    // go on; the run ends as partly failed
	Steps    []*Step // carry these out instead, then go on
}

// Wait lets time pass: For a duration, or until a time.
type Wait struct {
	For   time.Duration
	Until *Value // of a timestamp; nil where For counts
}

// Branch goes one of two ways.
type Branch struct {
	If   *Expression
	Then []*Step
	Else []*Step
}

// Loop carries its steps out for each element of a list, one after the other.
type Loop struct {
	Over    *Expression
	As      string
	Steps   []*Step
	OnError OnError
}

// Stop ends the run.
type Stop struct{ Reason *Value }

// Expression is an expression with its text. Program is nil in a flow that was loaded although its expression
// no longer compiles; Broken then says why.
type Expression struct {
	Text    string
	Program *expr.Program
	Broken  string
}

// Eval returns the expression's value. A nil expression is one that a broken text left out.
func (e *Expression) Eval(vars expr.Values) (expr.Value, error) {
	switch {
	case e == nil:
		return expr.Value{}, errors.New("there is no expression")
	case e.Program == nil:
		return expr.Value{}, errors.New(e.Broken)
	}
	return e.Program.Eval(vars)
}

// Holds tells whether a condition is true. A nil one, which is absent, is. An error means that nobody can
// tell, which is never the same as false.
func (e *Expression) Holds(vars expr.Values) (bool, error) {
	if e == nil {
		return true, nil
	}
	v, err := e.Eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := v.Bool()
	if !ok {
		return false, fmt.Errorf("%s is %s, which is neither true nor false", e.Text, v)
	}
	return b, nil
}

// Catalog knows which types of events and which actions exist.
type Catalog interface {
	EventType(name string) (event.Type, bool)
	Action(name string) (Action, bool)
	// EventTypes and Actions list the names, for "did you mean".
	EventTypes() []string
	Actions() []string
}

// Action is what a flow needs to know of an action. Output nil means anything.
type Action struct {
	Input   *jsonschema.Schema
	Output  *jsonschema.Schema
	Outcome Outcome
	// Listens are the types of events that this action itself causes.
	Causes []string
}
