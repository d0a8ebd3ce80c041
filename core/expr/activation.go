package expr

import (
	"encoding/json"
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/shophand/shophand/sdk/event"
)

// Values are what a run knows when an expression is evaluated. They must fit the Scope for which the
// expression was compiled. Nothing of them is changed.
type Values struct {
	// Event is the run's own event: `trigger`, and `event` outside of a wait's `if`.
	Event *event.Event
	// Awaited is the event that came, inside a wait's `if`.
	Awaited *event.Event
	// Shop is the variable `shop`.
	Shop Shop
	// Step returns the output of a step that has run. It is called only for steps that the expression reads.
	Step func(id string) (json.RawMessage, bool)
	// Locals are the loop variables.
	Locals map[string]Value
	// Now is the variable `now`.
	Now time.Time
}

// activation gives an evaluation its variables.
type activation struct {
	env    *Env
	values *Values
	// decoded are the outputs that were read, so that each is decoded once in an evaluation.
	decoded []decodedStep
}

type decodedStep struct {
	id    string
	value any
	err   error
}

var _ interpreter.Activation = (*activation)(nil)

// ResolveName implements interpreter.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case varEvent:
		if a.env.scope.Awaited != nil {
			return a.event(a.values.Awaited), true
		}
		return a.event(a.values.Event), true
	case varTrigger:
		return a.event(a.values.Event), true
	case varNow:
		return types.Timestamp{Time: a.values.Now.UTC()}, true
	case varShop:
		return &a.values.Shop, true
	case varSteps:
		return a, true
	}
	if obj, ok := a.env.lang.objects[event.Object(name)]; ok {
		return obj.read(a.event(a.values.Event)), true
	}
	if v, ok := a.values.Locals[name]; ok {
		return v.ref(), true
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (a *activation) Parent() interpreter.Activation { return nil }

func (a *activation) event(e *event.Event) *event.Event {
	if e == nil {
		return a.env.lang.noEvent
	}
	return e
}

func (a *activation) hasStep(id string) bool {
	if a.values.Step == nil {
		return false
	}
	_, ok := a.values.Step(id)
	return ok
}

// step returns the decoded output of a step.
func (a *activation) step(id string, r stepReader) (any, error) {
	for _, d := range a.decoded {
		if d.id == id {
			return d.value, d.err
		}
	}
	d := decodedStep{id: id}
	var raw json.RawMessage
	ok := false
	if a.values.Step != nil {
		raw, ok = a.values.Step(id)
	}
	if ok {
		d.value, d.err = r.decode(raw)
	} else {
		d.err = fmt.Errorf("step %q has no output", id)
	}
	if d.err != nil {
		d.err = fieldError{id, d.err}
	}
	a.decoded = append(a.decoded, d)
	return d.value, d.err
}
