package expr

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/shophand/shophand/sdk/commerce"
)

// planner prepares a checked expression for evaluation: it makes decimals of the numbers that stand on the
// right of one, once, and chooses the operators that have to look at the kinds of their values.
type planner struct {
	checked *ast.AST
	dynamic map[int64]operator // by the id of their call
}

func newPlanner(checked *ast.AST) *planner {
	p := &planner{checked: checked, dynamic: make(map[int64]operator)}
	fac := ast.NewExprFactory()
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if len(call.Args()) != 2 || call.IsMemberFunction() {
			return
		}
		left, right := call.Args()[0], call.Args()[1]
		lt, rt := checked.GetType(left.ID()), checked.GetType(right.ID())
		switch name := call.FunctionName(); name {
		case operators.Equals, operators.NotEquals:
			if isScalar(lt) && isScalar(rt) {
				return
			}
		case operators.In:
			if isScalar(lt) && rt.Kind() == types.ListKind && isScalar(rt.Parameters()[0]) {
				return
			}
		default:
			if isDecimal(lt) && right.Kind() == ast.LiteralKind {
				if d, ok := literalDecimal(name, right.AsLiteral()); ok {
					right.SetKindCase(fac.NewLiteral(right.ID(), d))
				}
			}
			if !hasDyn(lt) && !hasDyn(rt) {
				return
			}
		}
		if op := dynamicOperator(call.FunctionName(), checked.GetType(e.ID())); op != nil {
			p.dynamic[e.ID()] = op
		}
	}))
	return p
}

// literalDecimal makes a decimal of a number literal. For an ordering it gets the two fraction digits that
// most amounts have: numbers of equal scale compare without any work.
func literalDecimal(operator string, lit ref.Val) (*decimal, bool) {
	n, ok, err := toDecimal(lit)
	if !ok || err != nil {
		return nil, false
	}
	if _, ordering := comparisons[operator]; ordering {
		if padded := n.Round(2); padded.Cmp(n) == 0 {
			n = padded
		}
	}
	return newDecimal(n), true
}

// decorate puts the operators in place.
func (p *planner) decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	if len(call.Args()) != 2 {
		return i, nil
	}
	if call.Function() == "matches" {
		args := []interpreter.InterpretableV2{
			limitedText{call.Args()[0], maxText}, call.Args()[1],
		}
		if _, literal := call.Args()[1].(interpreter.InterpretableConst); !literal {
			args[1] = limitedText{call.Args()[1], maxSource}
		}
		return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), args, match), nil
	}
	apply, ok := p.dynamic[call.ID()]
	if !ok {
		return i, nil
	}
	return &binary{InterpretableCall: call, lhs: call.Args()[0], rhs: call.Args()[1], apply: apply}, nil
}

// exactLiteral tells whether the number that stands in the source is the one that CEL made of it: a literal
// with very many digits is not.
func exactLiteral(source string, f types.Double) bool {
	written, err := commerce.ParseDecimal(source)
	if err != nil {
		return false
	}
	read, _, err := toDecimal(f)
	return err == nil && read.Cmp(written) == 0
}

// match is matches() for patterns that are known only now.
func match(args ...ref.Val) ref.Val {
	m, ok := args[0].(traits.Matcher)
	if !ok {
		return types.NewErr("text is matched, not a %s", kindOf(args[0]))
	}
	return m.Match(args[1])
}

// limitedText refuses a text that is too long to be searched by a pattern: the work is done before its cost
// could be charged.
type limitedText struct {
	interpreter.InterpretableV2
	limit int
}

// Exec implements interpreter.InterpretableV2.
func (t limitedText) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	v := t.InterpretableV2.Exec(frame)
	if s, ok := v.(types.String); ok && len(s) > t.limit {
		return types.NewErrWithNodeID(t.ID(), "a text of %d bytes is too long for matches, which takes %d KiB",
			len(s), t.limit>>10)
	}
	return v
}

// Eval implements interpreter.Interpretable.
func (t limitedText) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, t.Exec)
}
