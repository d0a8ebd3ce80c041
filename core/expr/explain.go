package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// Reading is a variable or field that a program reads, with its value as short text: texts in quotes and cut
// to 80 characters, amounts as they are, "missing" where there is nothing.
type Reading struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

const (
	maxReadings = 12
	shortText   = 80
)

// path is a chain of fields and keys that an expression reads from a variable: order.total.
type path struct {
	text  string
	root  string
	steps []pathStep
}

type pathStep struct {
	text  string           // ".total", `["x"]`
	field *types.FieldType // of an object type, else nil
	key   ref.Val          // of a map, list or dynamic value
}

// reads finds what the expression reads, in the order in which it is written.
func (e *Env) reads(checked *ast.AST) []path {
	r := reader{env: e, ast: checked, bound: make(map[string]int), seen: make(map[string]bool)}
	r.walk(checked.Expr())
	return r.paths
}

type reader struct {
	env   *Env
	ast   *ast.AST
	bound map[string]int // variables of the macros around
	seen  map[string]bool
	paths []path
}

func (r *reader) walk(e ast.Expr) {
	if p, ok := r.chain(e); ok {
		if !r.seen[p.text] {
			r.seen[p.text] = true
			r.paths = append(r.paths, p)
		}
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		r.walk(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			r.walk(call.Target())
		}
		for _, a := range call.Args() {
			r.walk(a)
		}
	case ast.ListKind:
		for _, el := range e.AsList().Elements() {
			r.walk(el)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.walk(entry.AsMapEntry().Key())
			r.walk(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		r.walk(c.IterRange())
		r.walk(c.AccuInit())
		names := []string{c.IterVar(), c.IterVar2(), c.AccuVar()}
		for _, n := range names {
			r.bound[n]++
		}
		r.walk(c.LoopCondition())
		r.walk(c.LoopStep())
		r.walk(c.Result())
		for _, n := range names {
			r.bound[n]--
		}
	}
}

// chain returns the path that e reads if it is a chain of fields and constant keys from a variable.
func (r *reader) chain(e ast.Expr) (path, bool) {
	var step pathStep
	var operand ast.Expr
	switch e.Kind() {
	case ast.IdentKind:
		name := strings.TrimPrefix(e.AsIdent(), ".")
		if r.bound[e.AsIdent()] > 0 || strings.HasPrefix(name, "@") || strings.HasPrefix(name, "#") {
			return path{}, false
		}
		return path{text: name, root: name}, true
	case ast.SelectKind:
		operand = e.AsSelect().Operand()
		name := e.AsSelect().FieldName()
		step = pathStep{text: "." + name, key: types.String(name)}
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
		default:
			return path{}, false
		}
		if len(call.Args()) != 2 || call.Args()[1].Kind() != ast.LiteralKind {
			return path{}, false
		}
		operand = call.Args()[0]
		switch key := call.Args()[1].AsLiteral().(type) {
		case types.String:
			step = pathStep{text: "[" + strconv.Quote(string(key)) + "]", key: key}
			if isIdentifier(string(key)) {
				step.text = "." + string(key)
			}
		case types.Int:
			step = pathStep{text: fmt.Sprintf("[%d]", int64(key)), key: key}
		default:
			return path{}, false
		}
	default:
		return path{}, false
	}
	p, ok := r.chain(operand)
	if !ok {
		return path{}, false
	}
	t := r.ast.GetType(operand.ID())
	if t != nil && isOptional(t) {
		t = t.Parameters()[0]
	}
	if name, ok := step.key.(types.String); ok && t != nil && t.Kind() == types.StructKind {
		if s, ok := r.env.reg.find(t.TypeName()); ok {
			step.field = s.fields[string(name)]
		}
	}
	p.text += step.text
	p.steps = append(p.steps, step)
	return p, true
}

// errMissing tells that a path ends before its last step; what is missing is the path until there.
type errMissing struct{ path string }

func (e errMissing) Error() string { return e.path + " is missing" }

// value follows the path.
func (p path) value(a *activation) (ref.Val, error) {
	raw, ok := a.ResolveName(p.root)
	if !ok {
		return nil, errMissing{p.root}
	}
	m, at := a.env.lang.model, p.root
	for _, step := range p.steps {
		at += step.text
		if opt, ok := raw.(*types.Optional); ok {
			if !opt.HasValue() {
				return types.NullValue, nil
			}
			raw = opt.GetValue()
		}
		if step.field != nil {
			if v, ok := raw.(ref.Val); ok {
				raw = v.Value()
			}
			v, err := step.field.GetFrom(raw)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, rootCause(err))
			}
			raw = v
			continue
		}
		switch v := m.NativeToValue(raw).(type) {
		case traits.Mapper:
			found, ok := v.Find(step.key)
			if !ok {
				return nil, errMissing{at}
			}
			raw = found
		case traits.Lister:
			i, ok := step.key.(types.Int)
			if n, _ := v.Size().(types.Int); !ok || i < 0 || i >= n {
				return nil, errMissing{at}
			}
			raw = v.Get(i)
		case traits.Indexer:
			raw = v.Get(step.key)
		default:
			return nil, errMissing{at}
		}
		if err, ok := raw.(*types.Err); ok {
			return nil, err
		}
	}
	return m.NativeToValue(raw), nil
}

// rootCause takes the names of fields off an error whose whole path is told otherwise.
func rootCause(err error) error {
	var f fieldError
	for errors.As(err, &f) {
		err = f.err
	}
	return err
}

// Explain returns what the program reads, with the values, so that "false" can be explained.
func (p *Program) Explain(v Values) []Reading {
	a := &activation{env: p.env, values: &v}
	var list []Reading
	seen := make(map[string]bool)
	for _, part := range p.parts {
		if part.unit == nil {
			continue
		}
		for _, r := range part.unit.readings(a) {
			if !seen[r.Path] {
				seen[r.Path] = true
				list = append(list, r)
			}
		}
	}
	return list
}

// Reads returns the paths of what the program reads, without values.
func (p *Program) Reads() []string {
	var list []string
	seen := make(map[string]bool)
	for _, part := range p.parts {
		if part.unit == nil {
			continue
		}
		for _, r := range part.unit.reads {
			if !seen[r.text] {
				seen[r.text] = true
				list = append(list, r.text)
			}
		}
	}
	return list
}

func (u *unit) readings(a *activation) []Reading {
	list := make([]Reading, 0, len(u.reads))
	for _, p := range u.reads {
		v, err := p.value(a)
		r := Reading{Path: p.text}
		switch {
		case errors.As(err, new(errMissing)):
			r.Value = "missing"
		case err != nil:
			r.Value = "not readable"
		default:
			r.Value = short(v)
		}
		list = append(list, r)
	}
	return list
}

// short prints a value for people.
func short(v ref.Val) string {
	val := Value{v}
	switch inner := val.inner().(type) {
	case types.Null:
		if v == types.NullValue {
			return "null"
		}
		return "missing"
	case types.String:
		return strconv.Quote(shorten(string(inner), shortText))
	case *object:
		if id, ok := inner.typ.fields["id"]; ok {
			if s, err := id.GetFrom(inner.ptr); err == nil {
				return fmt.Sprintf("%s %v", inner.typ.label, s)
			}
		}
		return inner.typ.label
	case traits.Lister:
		n, _ := inner.Size().(types.Int)
		if n > 0 && n <= 8 {
			if list, ok := shortList(inner, int(n)); ok {
				return list
			}
		}
		if n == 1 {
			return "a list of 1 item"
		}
		return fmt.Sprintf("a list of %d items", n)
	case traits.Mapper:
		return fmt.Sprintf("a map of %v", inner.Size())
	}
	s, ok := val.text()
	if !ok {
		return kindOf(val.inner())
	}
	return s
}

// shortList prints a short list of scalars.
func shortList(l traits.Lister, n int) (string, bool) {
	parts := make([]string, n)
	for i := range n {
		item := l.Get(types.Int(i))
		if _, ok := (Value{item}).text(); !ok {
			return "", false
		}
		parts[i] = short(item)
	}
	return shorten("["+strings.Join(parts, ", ")+"]", shortText), true
}

// failed makes the error of an evaluation, in words and with the values that were read.
func (u *unit) failed(a *activation, err error) *EvalError {
	e := &EvalError{Source: strings.TrimSpace(u.src), Err: err, Reason: u.reason(a, err)}
	for _, r := range u.readings(a) {
		if len(e.Readings) == maxReadings {
			break
		}
		e.Readings = append(e.Readings, r)
	}
	return e
}

func (u *unit) reason(a *activation, err error) string {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		if strings.HasPrefix(cancelled.Message, "operation cancelled") {
			return errTooCostly().Message
		}
		return cancelled.Message
	}
	// A value that is not what it should be, or not there: following the paths tells which one it is.
	for _, p := range u.reads {
		if _, bad := p.value(a); bad != nil && sameFailure(err, bad) {
			return bad.Error()
		}
	}
	message := rootCause(err).Error()
	switch {
	case strings.HasPrefix(message, "no such key: "):
		return "there is no " + strings.TrimPrefix(message, "no such key: ") + " in the data"
	case strings.HasPrefix(message, "index out of bounds: "):
		return "the list has no item " + strings.TrimPrefix(message, "index out of bounds: ")
	case strings.HasPrefix(message, "no such overload"):
		return "a value is of another kind than the expression needs"
	case message == "optional.none() dereference":
		return "a value that may be missing is missing: use .orValue(…)"
	case message == "modulus by zero":
		return "division by zero"
	}
	return message
}

// sameFailure tells whether following a path failed for the reason for which the evaluation failed.
func sameFailure(err, bad error) bool {
	if missing := new(errMissing); errors.As(bad, missing) {
		message := err.Error()
		return strings.HasPrefix(message, "no such key") || strings.HasPrefix(message, "index out of bounds")
	}
	return strings.HasSuffix(bad.Error(), rootCause(err).Error())
}
