package expr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Program is a compiled expression or template.
type Program struct {
	env   *Env
	src   string
	typ   Type
	parts []part // one, without text, for an expression
	// joined is set for templates with text around or between their expressions.
	joined   bool
	constant *Value
}

// part is either text or an expression.
type part struct {
	text   string
	unit   *unit
	offset int // of ${ in the template
}

// unit is one CEL expression, planned.
type unit struct {
	src   string
	prog  cel.Program
	typ   *types.Type
	reads []path
}

// Compile compiles one expression. Where there are problems the program is nil.
func (e *Env) Compile(src string) (*Program, []Problem) {
	ps := &problems{src: src}
	u := e.compile(src, ps)
	if len(ps.list) > 0 {
		return nil, ps.sorted()
	}
	p := &Program{env: e, src: src, typ: e.typeOf(u.typ), parts: []part{{unit: u}}}
	return e.fold(p, ps)
}

// fold evaluates a program that reads nothing, once and for all. One that cannot be evaluated is a mistake.
func (e *Env) fold(p *Program, ps *problems) (*Program, []Problem) {
	for _, part := range p.parts {
		if part.unit != nil && len(part.unit.reads) > 0 {
			return p, nil
		}
	}
	v, err := p.eval(context.Background(), &Values{})
	if err != nil {
		var failed *EvalError
		message := err.Error()
		if errors.As(err, &failed) {
			message = failed.Reason
		}
		ps.add(0, "this can never be evaluated: "+message, "")
		return nil, ps.sorted()
	}
	p.constant = &v
	return p, nil
}

func (e *Env) typeOf(t *types.Type) Type { return Type{cel: t, reg: e.reg} }

// compile compiles the expression src, which begins at ps.base of a larger source.
func (e *Env) compile(src string, ps *problems) *unit {
	switch {
	case strings.TrimSpace(src) == "":
		ps.add(0, "the expression is empty", "write a condition such as order.total > 100")
		return nil
	case len(src) > maxSource:
		ps.add(0, fmt.Sprintf("the expression has %d bytes, and at most %d are allowed", len(src), maxSource),
			"move a part of it into another step")
		return nil
	case !validText(src):
		ps.add(0, "the expression is not valid UTF-8 text", "")
		return nil
	}
	parsed, source := e.parse(src, ps)
	if parsed == nil {
		return nil
	}
	f := &finder{env: e, src: src, ps: ps, ast: parsed}
	if f.refuseSyntax(); len(ps.list) > 0 {
		return nil
	}
	checked, errs := checker.Check(parsed, source, e.checker)
	f.ast = checked
	if len(errs.GetErrors()) > 0 {
		f.explain(errs.GetErrors())
		return nil
	}
	if f.lint(); len(ps.list) > 0 {
		return nil
	}
	u := &unit{src: src, typ: checked.GetType(checked.Expr().ID()), reads: e.reads(checked)}
	var err error
	if u.prog, err = e.cel.PlanProgram(checked, programOptions(newPlanner(checked))...); err != nil {
		ps.add(0, "the expression cannot be used: "+err.Error(), "make it simpler")
		return nil
	}
	return u
}

func (e *Env) parse(src string, ps *problems) (*ast.AST, common.Source) {
	text, hidden := hideReturn(src)
	source := common.NewTextSource(text)
	parsed, errs := e.lang.parser.Parse(source)
	if list := errs.GetErrors(); len(list) > 0 {
		explainSyntax(src, list, ps)
		return nil, nil
	}
	if len(hidden) > 0 {
		fac := ast.NewExprFactory()
		info := parsed.SourceInfo()
		restore := func(x ast.Expr) {
			if x.Kind() != ast.IdentKind || x.AsIdent() != parsedReturn {
				return
			}
			if at, ok := info.GetOffsetRange(x.ID()); ok && hidden[at.Start] {
				x.SetKindCase(fac.NewIdent(x.ID(), wordReturn))
			}
		}
		ast.PostOrderVisit(parsed.Expr(), ast.NewExprVisitor(restore))
		for _, call := range info.MacroCalls() {
			ast.PostOrderVisit(call, ast.NewExprVisitor(restore))
		}
	}
	return parsed, source
}

// Source returns what was compiled.
func (p *Program) Source() string { return p.src }

// Type returns the type of the program's value.
func (p *Program) Type() Type { return p.typ }

// Constant returns the value of a program that reads no variable.
func (p *Program) Constant() (Value, bool) {
	if p.constant == nil {
		return Value{}, false
	}
	return *p.constant, true
}

// EvalError tells that a program could not be evaluated, and with which values.
type EvalError struct {
	Source   string // the expression
	Reason   string
	Readings []Reading // what it read
	Err      error     // the cause; the context's error where that ended
}

// Error names the expression, the reason and the values.
func (e *EvalError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s could not be evaluated: %s", shorten(e.Source, 200), e.Reason)
	for i, r := range e.Readings {
		if i == 0 {
			b.WriteString(" (")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = %s", r.Path, r.Value)
	}
	if len(e.Readings) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *EvalError) Unwrap() error { return e.Err }

// Eval evaluates the program. Its error is an [*EvalError].
func (p *Program) Eval(v Values) (Value, error) { return p.EvalContext(context.Background(), v) }

// EvalContext is Eval that also ends when the context does, as a watchdog: the limits of the language end
// every evaluation, in the same way each time.
func (p *Program) EvalContext(ctx context.Context, v Values) (Value, error) {
	if p.constant != nil {
		return *p.constant, nil
	}
	return p.eval(ctx, &v)
}

func (p *Program) eval(ctx context.Context, v *Values) (Value, error) {
	a := &activation{env: p.env, values: v}
	if !p.joined {
		return p.parts[0].unit.eval(ctx, a)
	}
	var b strings.Builder
	for _, part := range p.parts {
		text := part.text
		if part.unit != nil {
			got, err := part.unit.eval(ctx, a)
			if err != nil {
				return Value{}, err
			}
			var ok bool
			if text, ok = got.text(); !ok {
				return Value{}, part.unit.failed(a, fmt.Errorf(
					"it is a %s, which has no text inside of other text", kindOf(got.inner())))
			}
		}
		if b.Len()+len(text) > maxText {
			return Value{}, &EvalError{Source: p.src, Reason: errTextTooLong().Message}
		}
		b.WriteString(text)
	}
	return TextValue(b.String()), nil
}

func (u *unit) eval(ctx context.Context, a *activation) (Value, error) {
	var out ref.Val
	var err error
	if ctx.Done() == nil {
		out, _, err = u.prog.Eval(a)
	} else {
		out, _, err = u.prog.ContextEval(ctx, a)
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return Value{}, &EvalError{Source: u.src, Reason: "it was interrupted: " + cause.Error(), Err: cause}
		}
		return Value{}, u.failed(a, err)
	}
	if f, ok := out.(types.Double); ok {
		d, _, err := toDecimal(f)
		if err != nil {
			return Value{}, u.failed(a, err)
		}
		out = newDecimal(d)
	}
	return Value{out}, nil
}
