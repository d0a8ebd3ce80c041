package flow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/sdk/event"
)

// Compiler turns texts into flows. It is safe for concurrent use.
type Compiler struct {
	language *expr.Language
	catalog  Catalog
}

// NewCompiler returns a compiler for the events and actions that the catalog knows.
func NewCompiler(language *expr.Language, catalog Catalog) *Compiler {
	return &Compiler{language: language, catalog: catalog}
}

// Compile returns the flow that the text defines, with all that was found. The flow is nil only where the
// text has no usable structure; one with wrong findings must not be applied, but a stored version whose
// surroundings have changed since (an action is gone) still loads and fails where it has to.
func (c *Compiler) Compile(source []byte) (*Flow, Findings) {
	d := &document{}
	top := d.parse(source)
	if top == nil {
		return nil, d.findings
	}
	w := &compilation{Compiler: c, document: d, ids: map[*yaml.Node]string{}, hidden: map[string]string{}}
	f := w.flow(top)
	if f != nil {
		f.Version = version(top)
	}
	return f, d.findings.sorted()
}

// maxDepth is how deep steps may stand in others; the path of a step stays short enough for any store.
const maxDepth = 20

// maxSteps bounds a flow: each step sees those before it, so that compiling costs more than its share.
const maxSteps = 200

// compilation is the state of one Compile.
type compilation struct {
	depth   int
	tooMany bool // steps to be compiled
	*Compiler
	*document
	types   []string       // that the flow listens to
	objects []event.Object // that they carry, in any of them
	ids     map[*yaml.Node]string
	hidden  map[string]string // step id -> why it cannot be used where it is not in scope
}

// scope is what the expressions at one place can see.
type scope struct {
	steps  map[string]expr.StepScope
	locals map[string]expr.Type
}

func (s scope) with(id string, step expr.StepScope) scope {
	steps := maps.Clone(s.steps)
	steps[id] = step
	return scope{steps, s.locals}
}

func (s scope) withLocal(name string, t expr.Type) scope {
	locals := maps.Clone(s.locals)
	locals[name] = t
	return scope{s.steps, locals}
}

// The form of a flow's id, and that of a step's, which expressions name as steps.ID.
const (
	flowIDForm = `^[a-z0-9][a-z0-9_-]{0,62}$`
	stepIDForm = `^[a-z][a-z0-9_]{0,62}$`
)

func (c *compilation) flow(top *yaml.Node) *Flow {
	fields := c.mapping(top, "a flow", "flow", "name", "on", "if", "steps")
	f := &Flow{}
	if id, ok := fields["flow"]; !ok {
		c.wrong(top, "the flow has no id", "add a line such as flow: thank-big-spenders")
	} else if f.ID, ok = c.text(id.value, "the flow's id"); ok && !regexp.MustCompile(flowIDForm).MatchString(f.ID) {
		c.wrong(id.value, fmt.Sprintf("%q is not an id", f.ID), "use lower case letters, digits, - and _, at most 63")
	}
	f.Name = f.ID
	if name, ok := fields["name"]; ok {
		f.Name, _ = c.text(name.value, "the flow's name")
	}
	if on, ok := fields["on"]; !ok {
		c.wrong(top, "the flow has no trigger", "add a line such as on: order.paid")
	} else {
		c.triggers(f, on.value)
	}
	c.types = f.On
	start := scope{steps: map[string]expr.StepScope{}, locals: map[string]expr.Type{}}
	if cond, ok := fields["if"]; ok {
		f.If = c.condition(cond.key, cond.value, start)
	}
	steps, ok := fields["steps"]
	if !ok {
		c.wrong(top, "the flow has no steps", "add steps: with a list of them")
		return f
	}
	if c.nameSteps(steps.value); c.tooMany {
		return f
	}
	f.Steps, _ = c.block(steps.value, start, "steps")
	return f
}

func (c *compilation) triggers(f *Flow, on *yaml.Node) {
	if !c.plain(on) {
		return
	}
	list := []*yaml.Node{on}
	if on.Kind == yaml.SequenceNode {
		list = on.Content
		if len(list) == 0 {
			c.wrong(on, "the list of triggers is empty", "name at least one type of event, or manual")
		}
	}
	open := false // which objects there are cannot be told: none is a finding
	for _, n := range list {
		name, ok := c.text(n, "a trigger")
		if !ok {
			open = true
			continue
		}
		if name == "manual" { // it may be started on any resource
			open = true
			continue
		}
		t, ok := c.catalog.EventType(name)
		if !ok {
			c.wrong(n, fmt.Sprintf("there is no event type %q", name), didYouMean(name, append(c.catalog.EventTypes(), "manual")))
			open = true
			continue
		}
		if contains(f.On, name) {
			c.wrong(n, fmt.Sprintf("%s stands twice", name), "keep one of them")
			continue
		}
		f.On = append(f.On, name)
		c.carry(t)
	}
	if open {
		for _, t := range event.Types() {
			c.carry(t)
		}
	}
}

// carry adds the objects of a type to those that expressions can name.
func (c *compilation) carry(t event.Type) {
	for _, o := range t.Objects {
		if !slices.Contains(c.objects, o) {
			c.objects = append(c.objects, o)
		}
	}
}

// nameSteps gives every step its id before anything is compiled, so that a step that is used too early can
// be told from one that does not exist.
func (c *compilation) nameSteps(block *yaml.Node) {
	taken := map[string]bool{}
	var unnamed []*yaml.Node
	count := 0
	walkSteps(block, func(n *yaml.Node) {
		if count++; count == maxSteps+1 {
			c.wrong(n, fmt.Sprintf("the flow has more than %d steps", maxSteps), "split it into several flows")
			c.tooMany = true
		}
		id, node := "", child(n, "id")
		if node == nil {
			unnamed = append(unnamed, n)
			return
		}
		var ok bool
		if id, ok = c.text(node, "a step's id"); !ok {
			return
		}
		switch {
		case !regexp.MustCompile(stepIDForm).MatchString(id):
			c.wrong(node, fmt.Sprintf("%q is not the id of a step", id), "use lower case letters, digits and _, at most 63, so that expressions can name it")
		case taken[id]:
			c.wrong(node, fmt.Sprintf("two steps have the id %q", id), "give each its own")
		}
		taken[id] = true
		c.ids[n] = id
	})
	for _, n := range unnamed {
		base := defaultID(n)
		id := base
		for i := 2; taken[id]; i++ {
			id = fmt.Sprintf("%s_%d", base, i)
		}
		taken[id] = true
		c.ids[n] = id
	}
	for _, id := range c.ids {
		c.hidden[id] = "it runs later"
	}
}

// walkSteps visits the steps of a block and of the blocks in them, in the order of the text.
func walkSteps(block *yaml.Node, visit func(*yaml.Node)) {
	if block == nil || block.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range block.Content {
		if n.Kind != yaml.MappingNode {
			continue
		}
		visit(n)
		for _, key := range []string{"then", "else", "steps", "on_error"} {
			walkSteps(child(n, key), visit)
		}
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// kinds are the keys that say what a step is.
func kinds() []string { return []string{"do", "wait", "if", "for_each", "stop"} }

func defaultID(n *yaml.Node) string {
	for _, k := range kinds() {
		v := child(n, k)
		switch {
		case v == nil:
		case k == "do":
			_, action, _ := strings.Cut(v.Value, "/")
			if regexp.MustCompile(stepIDForm).MatchString(action) {
				return action
			}
			return "do"
		case k == "for_each":
			return "each"
		default:
			return k
		}
	}
	return "step"
}

// block compiles a list of steps and returns the scope behind it.
func (c *compilation) block(n *yaml.Node, s scope, what string) ([]*Step, scope) {
	if !c.plain(n) {
		return nil, s
	}
	if c.depth++; c.depth > maxDepth {
		c.depth--
		c.wrong(n, fmt.Sprintf("steps stand more than %d deep in others", maxDepth), "make flows of the inner ones")
		return nil, s
	}
	defer func() { c.depth-- }()
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		c.wrong(n, what+" must be a list of steps", "begin each with a dash: - do: plugin/action")
		return nil, s
	}
	steps := []*Step{}
	for _, item := range n.Content {
		step, after := c.step(item, s)
		if step != nil {
			steps = append(steps, step)
		}
		s = after
	}
	return steps, s
}

// inner compiles a block inside a step, whose own steps cannot be used behind it.
func (c *compilation) inner(f field, s scope, why string) []*Step {
	steps, _ := c.block(f.value, s, f.key.Value)
	walkSteps(f.value, func(n *yaml.Node) { c.hidden[c.ids[n]] = why })
	return steps
}

func (c *compilation) step(n *yaml.Node, s scope) (*Step, scope) {
	if !c.plain(n) {
		return nil, s
	}
	if n.Kind != yaml.MappingNode {
		c.wrong(n, "a step must be a mapping", "write it as - do: plugin/action")
		return nil, s
	}
	var kind []string
	for _, k := range kinds() {
		if child(n, k) != nil {
			kind = append(kind, k)
		}
	}
	if len(kind) != 1 {
		message := "the step does not say what it is"
		if len(kind) > 1 {
			message = "the step is several things at once: " + strings.Join(kind, ", ")
		}
		c.wrong(n, message, "use exactly one of do, wait, if, for_each, stop")
		return nil, s
	}
	step := &Step{ID: c.ids[n], Line: n.Line}
	switch kind[0] {
	case "do":
		step.Do, s = c.do(n, step.ID, s)
	case "wait":
		step.Wait = c.wait(n, s)
	case "if":
		step.Branch = c.branch(n, s)
	case "for_each":
		step.Loop = c.loop(n, s)
	case "stop":
		fields := c.mapping(n, "the step", "stop", "id")
		step.Stop = &Stop{Reason: c.value(fields["stop"].value, s)}
	}
	return step, s
}

func (c *compilation) do(n *yaml.Node, id string, s scope) (*Do, scope) {
	fields := c.mapping(n, "the step", "do", "id", "with", "connection", "retry", "outcome", "on_error")
	out := &Do{Connection: "default", Retry: Retry{Attempts: 8, Within: 24 * time.Hour}, Outcome: Unsafe}
	name, ok := c.text(fields["do"].value, "the action")
	if !ok {
		return out, s
	}
	out.Action = name
	action, known := c.catalog.Action(name)
	if !known {
		c.wrong(fields["do"].value, fmt.Sprintf("there is no action %q", name), didYouMean(name, c.catalog.Actions()))
	} else {
		out.Outcome = action.Outcome
		for _, cause := range action.Causes {
			if slices.Contains(c.types, cause) {
				c.findings = append(c.findings, Finding{Line: n.Line, Column: n.Column, Warning: true,
					Message: fmt.Sprintf("%s causes %s, which starts this flow again", name, cause),
					Fix:     "narrow the flow's if, so that it does not run for its own change"})
			}
		}
	}
	if with, ok := fields["with"]; ok {
		out.With = c.value(with.value, s)
		if with.value.Kind != yaml.MappingNode {
			c.wrong(with.value, "with must be a mapping", "write the action's inputs as keys with values")
		} else if known && action.Input != nil {
			c.checkValue(with.value, out.With, action.Input, name)
		}
	} else if known && action.Input != nil && len(action.Input.Required) > 0 {
		c.wrong(n, fmt.Sprintf("%s needs %s", name, strings.Join(action.Input.Required, ", ")), "add with: and these keys")
	}
	if f, ok := fields["connection"]; ok {
		out.Connection, _ = c.text(f.value, "connection")
	}
	if f, ok := fields["outcome"]; ok {
		text, _ := c.text(f.value, "outcome")
		policies := []string{string(Idempotent), string(Keyed), string(Verify), string(Unsafe)}
		if !contains(policies, text) {
			c.wrong(f.value, fmt.Sprintf("%q is no outcome policy", text), didYouMean(text, policies))
		}
		out.Outcome = Outcome(text)
	}
	if f, ok := fields["retry"]; ok {
		c.retry(f.value, &out.Retry)
	}
	if f, ok := fields["on_error"]; ok {
		out.OnError = c.onError(f, s)
	}
	return out, s.with(id, expr.StepScope{Output: action.Output})
}

func (c *compilation) retry(n *yaml.Node, r *Retry) {
	fields := c.mapping(n, "retry", "attempts", "within")
	if f, ok := fields["attempts"]; ok {
		if _, err := fmt.Sscanf(f.value.Value, "%d", &r.Attempts); err != nil || f.value.ShortTag() != "!!int" || r.Attempts < 1 || r.Attempts > 100 {
			c.wrong(f.value, "attempts must be a number from 1 to 100", "write for example attempts: 8")
			r.Attempts = 1
		}
	}
	if f, ok := fields["within"]; ok {
		r.Within = c.duration(f.value)
	}
}

func (c *compilation) duration(n *yaml.Node) time.Duration {
	text, ok := c.text(n, "a duration")
	if !ok {
		return 0
	}
	v, err := ParseDuration(text)
	if err != nil {
		c.wrong(n, err.Error(), "write for example 90s, 15m, 24h, 2d or 1w")
	}
	return v
}

func (c *compilation) onError(f field, s scope) OnError {
	if f.value.Kind == yaml.SequenceNode {
		return OnError{Steps: c.inner(f, s, "it runs only after an error")}
	}
	switch text, _ := c.text(f.value, "on_error"); text {
	case "continue":
		return OnError{Continue: true}
	case "stop", "":
	default:
		c.wrong(f.value, fmt.Sprintf("on_error cannot be %q", text), "continue, stop, or a list of steps")
	}
	return OnError{}
}

func (c *compilation) wait(n *yaml.Node, s scope) *Wait {
	fields := c.mapping(n, "the step", "wait", "id")
	value, ok := fields["wait"]
	if !ok {
		return &Wait{}
	}
	if value.value.Kind != yaml.MappingNode {
		return &Wait{For: c.duration(value.value)}
	}
	form := c.mapping(value.value, "wait", "for", "until")
	length, hasFor := form["for"]
	until, hasUntil := form["until"]
	switch {
	case hasFor == hasUntil:
		c.wrong(value.value, "wait needs one of for and until", `write wait: 2d, or wait: {until: "${…}"}`)
		return &Wait{}
	case hasFor:
		return &Wait{For: c.duration(length.value)}
	}
	v := c.value(until.value, s)
	if t, ok := v.exprType(); !ok || !t.IsDyn() && t.Kind() != expr.Time {
		c.wrong(until.value, "until must be a time", `write an expression that is one: "${order.created_at + duration('48h')}"`)
	}
	return &Wait{Until: v}
}

func (c *compilation) branch(n *yaml.Node, s scope) *Branch {
	fields := c.mapping(n, "the step", "if", "then", "else", "id")
	b := &Branch{If: c.condition(fields["if"].key, fields["if"].value, s)}
	if then, ok := fields["then"]; ok {
		b.Then = c.inner(then, s, "it is inside a branch that may not run")
	} else {
		c.wrong(n, "the branch does nothing", "add then: with a list of steps")
	}
	if f, ok := fields["else"]; ok {
		b.Else = c.inner(f, s, "it is inside a branch that may not run")
	}
	return b
}

func (c *compilation) loop(n *yaml.Node, s scope) *Loop {
	fields := c.mapping(n, "the step", "for_each", "as", "steps", "id", "on_error")
	l := &Loop{As: "item", Over: c.expression(fields["for_each"].value, s)}
	elem := expr.DynType()
	if l.Over != nil && l.Over.Program != nil {
		t := l.Over.Program.Type()
		if e, ok := t.Elem(); ok && t.IsList() {
			elem = e
		} else if !t.IsDyn() {
			c.wrong(fields["for_each"].value, fmt.Sprintf("for_each needs a list, and this is %s", t), "name a list, such as order.line_items")
		}
	}
	if as, ok := fields["as"]; ok {
		if l.As, ok = c.text(as.value, "as"); ok && !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(l.As) {
			c.wrong(as.value, fmt.Sprintf("%q is not a name", l.As), "use lower case letters, digits and _")
		}
	}
	if steps, ok := fields["steps"]; ok {
		l.Steps = c.inner(steps, s.withLocal(l.As, elem), "it is inside a loop")
	} else {
		c.wrong(n, "the loop has no steps", "add steps: with a list of them")
	}
	if f, ok := fields["on_error"]; ok {
		l.OnError = c.onError(f, s)
	}
	return l
}
