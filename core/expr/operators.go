package expr

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/shophand/shophand/sdk/commerce"
)

// CEL's own operators serve where the types of both sides are known when an expression is compiled. Where one
// is not, or where a comparison would have to walk through lists and maps, the operators of this file take
// their place in the plan: numbers of any kind work together, values of different kinds are an error, and a
// comparison ends by the limits of the evaluation.

var comparisons = map[string]func(int) bool{
	operators.Less:          func(c int) bool { return c < 0 },
	operators.LessEquals:    func(c int) bool { return c <= 0 },
	operators.Greater:       func(c int) bool { return c > 0 },
	operators.GreaterEquals: func(c int) bool { return c >= 0 },
}

// verbs name the operators in the words of errors.
var verbs = map[string]string{
	operators.Add:           "added",
	operators.Subtract:      "subtracted",
	operators.Multiply:      "multiplied",
	operators.Divide:        "divided",
	operators.Modulo:        "divided",
	operators.Less:          "ordered",
	operators.LessEquals:    "ordered",
	operators.Greater:       "ordered",
	operators.GreaterEquals: "ordered",
}

// binary is a binary operator over values whose kinds are known only now.
type binary struct {
	interpreter.InterpretableCall
	lhs, rhs interpreter.InterpretableV2
	apply    operator
}

// operator is what a binary does; steps is how much work it was, beyond what the values' sizes tell.
type operator func(l, r ref.Val) (res ref.Val, steps int)

// Exec implements interpreter.InterpretableV2.
func (b *binary) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	l := b.lhs.Exec(frame)
	if types.IsUnknownOrError(l) {
		return l
	}
	r := b.rhs.Exec(frame)
	if types.IsUnknownOrError(r) {
		return r
	}
	res, steps := b.apply(l, r)
	res = types.LabelErrNode(b.ID(), res)
	if costs := frame.CostTracker(); costs != nil {
		if steps > 0 {
			costs.EvalUnary(frame, b.ID(), work{}, types.Int(steps), res)
		}
		costs.EvalBinary(frame, b.ID(), b.InterpretableCall, l, r, res)
	}
	return res
}

// Eval implements interpreter.Interpretable.
func (b *binary) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, b.Exec)
}

// dynamicOperator returns the operator of that name; result is the type that the checker gave the call.
func dynamicOperator(name string, result *types.Type) operator {
	if holds, ok := comparisons[name]; ok {
		return func(l, r ref.Val) (ref.Val, int) { return compare(name, l, r, holds), 0 }
	}
	switch name {
	case operators.Equals:
		return func(l, r ref.Val) (ref.Val, int) {
			var c comparer
			return c.equal(l, r), c.steps
		}
	case operators.NotEquals:
		return func(l, r ref.Val) (ref.Val, int) {
			var c comparer
			res := c.equal(l, r)
			if eq, ok := res.(types.Bool); ok {
				res = !eq
			}
			return res, c.steps
		}
	case operators.In:
		return func(l, r ref.Val) (ref.Val, int) {
			var c comparer
			return c.contains(l, r), c.steps
		}
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
		return func(l, r ref.Val) (ref.Val, int) { return expect(result, l, arithmetic(name, l, r)), 0 }
	}
	return nil
}

// work is the call by which the meter hears of steps.
type work struct{}

const workDone = "expr_work"

// Function implements cost.Call.
func (work) Function() string { return workDone }

// OverloadID implements cost.Call.
func (work) OverloadID() string { return workDone }

// expect keeps the promise of the checker where it took a number of unknown kind for an int or a decimal.
func expect(want *types.Type, left, got ref.Val) ref.Val {
	switch got := got.(type) {
	case types.Int:
		if want != nil && isDecimal(want) {
			return newDecimal(commerce.DecimalFromInt(int64(got)))
		}
	case *decimal:
		if _, ok := left.(types.Int); ok && want != nil && want.Kind() == types.IntKind {
			return types.NewErr("%v is an int and what follows it is a decimal: write the decimal on the left", left)
		}
	}
	return got
}

func arithmetic(name string, l, r ref.Val) ref.Val {
	if a, b, ok := bothDecimal(l, r); ok {
		switch name {
		case operators.Add:
			return a.Add(b)
		case operators.Subtract:
			return a.Subtract(b)
		case operators.Multiply:
			return a.Multiply(b)
		}
		return types.NewErr("decimals are divided with .div(divisor, places), not with %s", operatorSign(name))
	}
	var res ref.Val
	switch name {
	case operators.Add:
		if v, ok := l.(traits.Adder); ok {
			res = v.Add(r)
		}
	case operators.Subtract:
		if v, ok := l.(traits.Subtractor); ok {
			res = v.Subtract(r)
		}
	case operators.Multiply:
		if v, ok := l.(traits.Multiplier); ok {
			res = v.Multiply(r)
		}
	case operators.Divide:
		if v, ok := l.(traits.Divider); ok {
			res = v.Divide(r)
		}
	case operators.Modulo:
		if v, ok := l.(traits.Modder); ok {
			res = v.Modulo(r)
		}
	}
	if res == nil || isNoOverload(res) {
		return types.NewErr("%s and %s cannot be %s", kindOf(l), kindOf(r), verbs[name])
	}
	return res
}

// bothDecimal returns both as decimals where at least one is a number that is not an int.
func bothDecimal(l, r ref.Val) (a, b *decimal, ok bool) {
	_, lInt := l.(types.Int)
	_, rInt := r.(types.Int)
	if lInt && rInt {
		return nil, nil, false
	}
	x, isNumber, err := toDecimal(l)
	if !isNumber || err != nil {
		return nil, nil, false
	}
	y, isNumber, err := toDecimal(r)
	if !isNumber || err != nil {
		return nil, nil, false
	}
	return newDecimal(x), newDecimal(y), true
}

func compare(name string, l, r ref.Val, holds func(int) bool) ref.Val {
	if a, b, ok := bothDecimal(l, r); ok {
		return types.Bool(holds(a.number().Cmp(b.number())))
	}
	if c, ok := l.(traits.Comparer); ok && kindOf(l) == kindOf(r) {
		switch res := c.Compare(r).(type) {
		case types.Int:
			return types.Bool(holds(int(res)))
		case *types.Err:
			return res
		}
	}
	return types.NewErr("%s and %s cannot be %s", kindOf(l), kindOf(r), verbs[name])
}

func isNoOverload(v ref.Val) bool {
	err, ok := v.(*types.Err)
	return ok && err.Is(types.NoSuchOverloadErr().(*types.Err))
}

// kindOf names the kind of a value in the words of findings; all numbers are of one kind.
func kindOf(v ref.Val) string {
	switch v := v.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return "bool"
	case types.String, types.Bytes:
		return "text"
	case types.Int, types.Uint, types.Double, *decimal:
		return "number"
	case types.Timestamp:
		return "time"
	case types.Duration:
		return "duration"
	case traits.Lister:
		return "list"
	case traits.Mapper:
		return "map"
	case *types.Optional:
		return "optional"
	case *object:
		return v.typ.label
	}
	return "value"
}

// comparer compares values deeply and counts its steps, which are charged to the evaluation: a value that holds
// another one many times over is small, and walking through it need not be.
type comparer struct{ steps int }

// equal tells whether the values are equal. Null equals null only; else values of different kinds are an error.
func (c *comparer) equal(l, r ref.Val) ref.Val {
	if c.steps++; c.steps > costLimit {
		panic(errTooCostly())
	}
	if types.IsUnknownOrError(l) {
		return l
	}
	if types.IsUnknownOrError(r) {
		return r
	}
	if l == types.NullValue || r == types.NullValue {
		return types.Bool(l == r)
	}
	lKind, rKind := kindOf(l), kindOf(r)
	if lKind != rKind {
		return types.NewErr("%s and %s cannot be compared", lKind, rKind)
	}
	switch a := l.(type) {
	case traits.Lister:
		return c.equalLists(a, r.(traits.Lister))
	case traits.Mapper:
		return c.equalMaps(a, r.(traits.Mapper))
	case *types.Optional:
		b := r.(*types.Optional)
		if !a.HasValue() || !b.HasValue() {
			return types.Bool(a.HasValue() == b.HasValue())
		}
		return c.equal(a.GetValue(), b.GetValue())
	}
	if a, b, ok := bothDecimal(l, r); ok {
		return a.Equal(b)
	}
	return l.Equal(r)
}

func (c *comparer) equalLists(a, b traits.Lister) ref.Val {
	n := a.Size().(types.Int)
	if n != b.Size() {
		return types.False
	}
	for i := range n {
		if eq := c.equal(a.Get(i), b.Get(i)); eq != types.True {
			return eq
		}
	}
	return types.True
}

func (c *comparer) equalMaps(a, b traits.Mapper) ref.Val {
	if a.Size() != b.Size() {
		return types.False
	}
	res := ref.Val(types.True)
	for it := a.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		other, found := b.Find(key)
		if !found {
			return types.False // whatever the other keys are: maps have no order, and neither has the answer
		}
		if eq := c.equal(a.Get(key), other); eq != types.True && res != types.False {
			if eq == types.False || res == types.True {
				res = eq
			}
		}
	}
	return res
}

// contains is the operator `in`.
func (c *comparer) contains(elem, in ref.Val) ref.Val {
	switch in := in.(type) {
	case traits.Lister:
		for i := range in.Size().(types.Int) {
			if eq := c.equal(elem, in.Get(i)); eq != types.False {
				return eq
			}
		}
		return types.False
	case traits.Mapper:
		if _, ok := elem.(types.String); !ok {
			return types.NewErr("the names in a map are text, and %s is searched", kindOf(elem))
		}
		_, found := in.Find(elem)
		return types.Bool(found)
	}
	return types.NewErr("a list or a map was expected on the right of in, not %s", kindOf(in))
}

func operatorSign(name string) string {
	if sign, ok := operators.FindReverse(name); ok {
		return sign
	}
	return name
}
