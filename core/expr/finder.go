package expr

import (
	"regexp"
	"strings"
	"time"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
)

// finder says what is wrong with an expression, in words.
type finder struct {
	env *Env
	src string
	ps  *problems
	ast *ast.AST

	byID map[int64]ast.Expr
}

func (f *finder) report(e ast.Expr, message, fix string) { f.ps.add(f.offset(e), message, fix) }

// offset is where people look for the node: at the name of a field or function, at an operator's sign.
func (f *finder) offset(e ast.Expr) int {
	at, ok := f.ast.SourceInfo().GetOffsetRange(e.ID())
	if !ok {
		return 0
	}
	i := byteOffset(f.src, int(at.Start))
	switch e.Kind() {
	case ast.SelectKind:
		if strings.HasPrefix(f.src[i:], ".") {
			i++
			for i < len(f.src) && strings.IndexByte(" \t\r\n?", f.src[i]) >= 0 {
				i++
			}
		}
	case ast.CallKind, ast.ComprehensionKind:
		if strings.HasPrefix(f.src[i:], "(") { // the parser marks a call at its parenthesis
			j := len(strings.TrimRight(f.src[:i], " \t\r\n"))
			for j > 0 && isWordByte(f.src[j-1]) {
				j--
			}
			if j < i {
				return j
			}
		}
		if strings.HasPrefix(f.src[i:], ".?") {
			return i + 2
		}
	}
	return i
}

// text is the source of a node, as CEL prints it.
func (f *finder) text(e ast.Expr) string {
	s, err := parser.Unparse(e, f.ast.SourceInfo())
	if err != nil {
		return "it"
	}
	return strings.ReplaceAll(s, "@result", "result")
}

// typeOf is the type that the checker gave to a node.
func (f *finder) typeOf(e ast.Expr) Type {
	return f.env.typeOf(f.ast.GetType(e.ID()))
}

// node returns the node of an id. The ids of macros are those of what they are made of.
func (f *finder) node(id int64) (ast.Expr, bool) {
	if f.byID == nil {
		f.byID = make(map[int64]ast.Expr)
		ast.PostOrderVisit(f.ast.Expr(), ast.NewExprVisitor(func(e ast.Expr) { f.byID[e.ID()] = e }))
	}
	e, ok := f.byID[id]
	return e, ok
}

// explain reports the checker's errors.
func (f *finder) explain(errs []*common.Error) {
	for _, err := range errs {
		e, ok := f.node(err.ExprID)
		if !ok {
			f.ps.add(locate(f.src, err.Location), err.Message, "")
			continue
		}
		m := err.Message
		switch {
		case strings.HasPrefix(m, "undeclared reference"):
			f.unknownName(e)
		case strings.HasPrefix(m, "undefined field"):
			f.unknownField(e)
		case strings.Contains(m, "does not support field selection"):
			f.noFields(e)
		case strings.HasPrefix(m, "found no matching overload"):
			f.noOverload(e)
		case strings.Contains(m, "cannot be range of a comprehension"):
			f.report(e, f.text(e)+" is "+describeType(f.typeOf(e))+", and not a list to go through",
				"use a list, such as order.line_items")
		case strings.HasPrefix(m, "expected type 'bool'"):
			f.notBool(e)
		default:
			f.report(e, m, "")
		}
	}
}

// lint reports what the checker accepts and what would fail, or surprise, when it is evaluated.
func (f *finder) lint() {
	ast.PostOrderVisit(f.ast.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			f.lintCall(e, e.AsCall())
		case ast.MapKind:
			for _, entry := range e.AsMap().Entries() {
				key := entry.AsMapEntry().Key()
				if k := f.typeOf(key).Kind(); k != Text && k != Dyn {
					f.report(key, "the names in a map are text, and "+f.text(key)+" is "+f.typeOf(key).String(),
						"put it in quotes")
				}
			}
		}
	}))
	if t := f.typeOf(f.ast.Expr()); t.Kind() == Object && t.cel.TypeName() == "@steps" {
		f.report(f.ast.Expr(), "steps is not a value by itself", "name a step: steps.ID")
	}
}

func (f *finder) lintCall(e ast.Expr, call ast.CallExpr) {
	args := call.Args()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.In:
		for _, a := range args {
			t := f.typeOf(a)
			if call.FunctionName() == operators.In && t.IsList() {
				t, _ = t.Elem()
			}
			if t.Kind() == Object {
				f.report(e, "whole objects are not compared, and "+f.text(a)+" is one", "compare a field of it, such as its id")
				return
			}
		}
	case "decimal":
		f.lintLiteral(args[0], "a decimal number", `decimal("19.90")`, func(s string) bool {
			return !types.IsError(parseDecimal(s))
		})
	case "duration":
		f.lintLiteral(args[0], "a duration", `hours, minutes or seconds: duration("48h")`, func(s string) bool {
			_, err := time.ParseDuration(s)
			return err == nil
		})
	case "timestamp":
		f.lintLiteral(args[0], "a time", `timestamp("2026-01-31T09:00:00Z")`, func(s string) bool {
			return !types.IsError(types.String(s).ConvertToType(types.TimestampType))
		})
	case "matches":
		f.lintLiteral(args[len(args)-1], "a regular expression", `matches("^A[0-9]+$")`, func(s string) bool {
			_, err := regexp.Compile(s)
			return err == nil
		})
	}
}

// lintLiteral checks a text that stands in the source and must mean something.
func (f *finder) lintLiteral(e ast.Expr, what, example string, ok func(string) bool) {
	if e.Kind() != ast.LiteralKind {
		return
	}
	if s, isText := ref.Val(e.AsLiteral()).(types.String); isText && !ok(string(s)) {
		f.report(e, quoted(string(s))+" is not "+what, "write "+example)
	}
}
