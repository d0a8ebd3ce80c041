package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk/event"
)

// Scope says what an expression at one place of a flow can see.
type Scope struct {
	// Objects are those that all of the trigger's types carry. They are variables; the others are not.
	Objects []event.Object
	// Types are the trigger's types of events.
	Types []string
	// Awaited is set inside the `if` of a wait: there `event` is the event that came, and `trigger` the run's own.
	// Elsewhere both are the run's own.
	Awaited *EventScope
	// Steps have surely run before this place, by id.
	Steps map[string]StepScope
	// Hidden are the steps of the flow that cannot be used here, by id, with the reason why:
	// "it runs later", "it is inside a branch that may not run".
	Hidden map[string]string
	// Locals are the loop variables, by name.
	Locals map[string]Type
}

// StepScope says what is known of a step's output.
type StepScope struct {
	// Output is the JSON Schema of the output; nil where nothing is known of it.
	Output *jsonschema.Schema
	// Event is set for a step that waits for an event. Its output is {event, type, timed_out}, the event in the
	// JSON of event.Event and null after a time-out.
	Event *EventScope
}

// Env compiles the expressions of one place of a flow.
type Env struct {
	lang    *Language
	scope   Scope
	reg     *registry
	cel     *cel.Env
	checker *checker.Env
	vars    []string // names of variables, sorted
	steps   map[string]stepReader
}

// stepReader decodes the output of a step.
type stepReader struct {
	typ    jsonType
	decode func(raw []byte) (any, error)
}

// The variables that are there in every scope.
const (
	varEvent   = "event"
	varTrigger = "trigger"
	varNow     = "now"
	varShop    = "shop"
	varSteps   = "steps"
)

// Env returns the environment of a scope. It refuses loop variables that hide another variable or that cannot
// be written in an expression.
func (l *Language) Env(s Scope) (*Env, error) {
	e := &Env{lang: l, scope: s, steps: make(map[string]stepReader)}
	e.reg = newRegistry(l.model.registry)
	vars := make(map[string]*types.Type)

	trigger := l.eventType("@trigger", EventScope{Types: s.Types, Objects: s.Objects})
	e.reg.register(trigger)
	vars[varTrigger], vars[varEvent] = trigger.cel, trigger.cel
	if s.Awaited != nil {
		came := l.eventType("@awaited", *s.Awaited)
		e.reg.register(came)
		vars[varEvent] = came.cel
	}
	for _, o := range s.Objects {
		obj, ok := l.objects[o]
		if !ok {
			return nil, fmt.Errorf("there is no object %q", o)
		}
		vars[string(o)] = obj.typ.cel
	}
	vars[varNow] = types.TimestampType
	vars[varShop] = l.shop.cel
	vars[varSteps] = e.stepsType().cel

	for _, name := range slices.Sorted(maps.Keys(s.Locals)) {
		if err := checkLocal(name, vars); err != nil {
			return nil, err
		}
		t := s.Locals[name]
		if t.reg != nil && t.reg != l.model.registry {
			e.reg.parents = append(e.reg.parents, t.reg)
		}
		vars[name] = types.DynType
		if t.cel != nil {
			vars[name] = t.cel
		}
	}
	e.vars = slices.Sorted(maps.Keys(vars))
	decl := make([]*decls.VariableDecl, len(e.vars))
	for i, name := range e.vars {
		decl[i] = variable(name, vars[name])
	}
	var err error
	if e.checker, err = l.checkerFor(e.reg, decl); err != nil {
		return nil, fmt.Errorf("the variables of an expression: %w", err)
	}
	if e.cel, err = l.base.Extend(cel.CustomTypeProvider(e.reg)); err != nil {
		return nil, fmt.Errorf("the variables of an expression: %w", err)
	}
	return e, nil
}

// stepsType makes the type of the variable `steps`, with a field for each step that can be used.
func (e *Env) stepsType() *structType {
	t := newStructType("@steps", "steps")
	t.explain = e.explainStep
	e.reg.register(t)
	for _, id := range slices.Sorted(maps.Keys(e.scope.Steps)) {
		step, name := e.scope.Steps[id], "@steps/"+id
		r := stepReader{}
		if step.Event != nil {
			r.typ = e.lang.awaitedType(e.reg, name, *step.Event)
			r.decode = func(raw []byte) (any, error) { return decodeAwaited(raw) }
		} else {
			schema := &schemaReader{
				model: e.lang.model, reg: e.reg, root: step.Output, refs: make(map[string]jsonType),
			}
			r.typ = schema.typeOf(step.Output, name, "steps."+id, 0)
			r.decode = func(raw []byte) (any, error) { return decodeStep(raw, r.typ) }
		}
		e.steps[id] = r
		t.add(id, &types.FieldType{
			Type: r.typ.cel,
			IsSet: func(obj any) bool {
				a, ok := obj.(*activation)
				return ok && a.hasStep(id)
			},
			GetFrom: func(obj any) (any, error) {
				a, ok := obj.(*activation)
				if !ok {
					return nil, fmt.Errorf("the steps of a run were expected, not %T", obj)
				}
				return a.step(id, r)
			},
		})
	}
	return t
}

// explainStep tells why steps.ID is not known here.
func (e *Env) explainStep(id string) (message, fix string) {
	usable := slices.Sorted(maps.Keys(e.scope.Steps))
	fix = "no step can be used here"
	if len(usable) > 0 {
		fix = "steps that can be used here: " + strings.Join(usable, ", ")
	}
	if why, ok := e.scope.Hidden[id]; ok {
		return fmt.Sprintf("step %q cannot be used here: %s", id, why), fix
	}
	if near, ok := nearest(id, usable); ok {
		fix = "did you mean steps." + near + "?"
	}
	return fmt.Sprintf("there is no step %q", id), fix
}

func checkLocal(name string, vars map[string]*types.Type) error {
	switch {
	case !isIdentifier(name):
		return fmt.Errorf("%q cannot be the name of a loop variable: use letters, digits and _, such as item", name)
	case isReserved(name) || isObject(name) || vars[name] != nil:
		return fmt.Errorf("a loop variable cannot be called %q: the name has another meaning", name)
	}
	return nil
}

func isIdentifier(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// isReserved tells whether CEL keeps the word for itself.
func isReserved(s string) bool {
	switch s {
	case "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let",
		"loop", "package", "namespace", "null", "return", "true", "var", "void", "while":
		return true
	}
	return false
}
