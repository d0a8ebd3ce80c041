// Package admit decides which flows an event starts. Like the interpreter it is pure.
package admit

import (
	"strings"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/event"
)

// Decision says whether an event starts a flow.
type Decision struct {
	Start bool
	// Reason says why not. With Start set it says why the run fails at once: its condition could not be
	// evaluated, which is never taken for false.
	Reason string
}

// Decide tells whether a flow that listens to the event's type is started by it.
func Decide(f *flow.Flow, e *event.Event, shop expr.Shop, at time.Time) Decision {
	if f.If == nil {
		return Decision{Start: true}
	}
	vars := expr.Values{Event: e, Shop: shop, Now: at}
	yes, err := f.If.Holds(vars)
	switch {
	case err != nil:
		return Decision{Start: true, Reason: "the condition could not be evaluated: " + err.Error()}
	case yes:
		return Decision{Start: true}
	}
	return Decision{Reason: "condition false: " + f.If.Text + readings(f.If, vars)}
}

// readings shows the values that the condition looked at.
func readings(e *flow.Expression, vars expr.Values) string {
	var parts []string
	for _, r := range e.Program.Explain(vars) {
		parts = append(parts, r.Path+" = "+r.Value)
	}
	if len(parts) == 0 {
		return ""
	}
	return ", where " + strings.Join(parts, ", ")
}
