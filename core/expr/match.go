package expr

import (
	"strings"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Match is one equality by which a wait finds its event in an index: a field of the event that comes, and what
// the run knows when the wait begins.
type Match struct {
	// Path is the field of the event, "event.order.id".
	Path string
	// Event reads the field of the event that came; it reads nothing else, and of the Values only Awaited.
	Event *Program
	// Run makes the value that the field must have. It does not read the event that comes.
	Run *Program
}

// CompileMatch compiles the `match` of a wait: one or more equalities, event.X == expression, joined by &&. The
// scope must have an Awaited event. What cannot be looked up in an index is a problem.
func (e *Env) CompileMatch(src string) ([]Match, []Problem) {
	ps := &problems{src: src}
	if e.compile(src, ps); len(ps.list) > 0 {
		return nil, ps.sorted()
	}
	// It compiles, so that neither parsing nor checking can fail now.
	parsed, source := e.parse(src, ps)
	checked, _ := checker.Check(parsed, source, e.checker)
	f := &finder{env: e, src: src, ps: ps, ast: checked}
	var matches []Match
	f.conjuncts(checked.Expr(), func(x ast.Expr) {
		if m, ok := f.match(x); ok {
			matches = append(matches, m)
		}
	})
	if len(ps.list) > 0 {
		return nil, ps.sorted()
	}
	return matches, nil
}

func (f *finder) conjuncts(e ast.Expr, visit func(ast.Expr)) {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		for _, a := range e.AsCall().Args() {
			f.conjuncts(a, visit)
		}
		return
	}
	visit(e)
}

func (f *finder) match(e ast.Expr) (Match, bool) {
	const example = "write event.order.id == order.id"
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Equals {
		f.report(e, "a wait finds its event by equality, and "+f.text(e)+" is none", example)
		return Match{}, false
	}
	args := e.AsCall().Args()
	field, value := args[0], args[1]
	path, ok := f.eventPath(field)
	if !ok {
		field, value = value, field
		if path, ok = f.eventPath(field); !ok {
			f.report(e, "no side of "+f.text(e)+" is a field of the event that comes", example)
			return Match{}, false
		}
	}
	run := f.part(value)
	for _, read := range run.Reads() {
		if read == varEvent || strings.HasPrefix(read, varEvent+".") {
			f.report(value, f.text(value)+" reads the event that comes, which is not known when the wait begins",
				"use what the run knows: "+varTrigger+", order, steps")
			return Match{}, false
		}
	}
	switch k := f.typeOf(field).Kind(); k {
	case Text, Int, Bool, Dyn:
	default:
		f.report(field, f.text(field)+" is "+describeType(f.typeOf(field))+", by which no event is found",
			"use an id or another text")
		return Match{}, false
	}
	return Match{Path: path, Event: f.part(field), Run: run}, true
}

// eventPath returns the path of a field of the event that comes.
func (f *finder) eventPath(e ast.Expr) (string, bool) {
	r := reader{env: f.env, ast: f.ast}
	p, ok := r.chain(e)
	return p.text, ok && p.root == varEvent && len(p.steps) > 0
}

// part makes a program of a part of the expression.
func (f *finder) part(e ast.Expr) *Program {
	sub := ast.NewCheckedAST(ast.NewAST(e, f.ast.SourceInfo()), f.ast.TypeMap(), f.ast.ReferenceMap())
	text := f.text(e)
	u := &unit{src: text, typ: f.ast.GetType(e.ID()), reads: f.env.reads(sub)}
	prog, err := f.env.cel.PlanProgram(sub, programOptions(newPlanner(sub))...)
	if err != nil {
		f.report(e, "it cannot be used: "+err.Error(), "make it simpler")
	}
	u.prog = prog
	return &Program{env: f.env, src: text, typ: f.env.typeOf(u.typ), parts: []part{{unit: u}}}
}
