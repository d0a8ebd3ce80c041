package expr

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"github.com/shophand/shophand/sdk/commerce"
)

// ownFunctions are the overloads whose cost the meter knows: that of going through their arguments.
var ownFunctions = map[string]bool{
	"list_int_sum": true, "list_decimal_sum": true,
	"list_join": true, "list_join_text": true,
	"text_replace": true, "text_replace_n": true,
	"text_lower": true, "text_upper": true,
}

// standardFunctions are CEL's own, without all that deals in floating point, unsigned numbers, bytes and types.
func standardFunctions() []*decls.FunctionDecl {
	foreign := func(t *types.Type) bool {
		return t.Kind() == types.DoubleKind || t.Kind() == types.UintKind || t.Kind() == types.BytesKind
	}
	var fns []*decls.FunctionDecl
	for _, fn := range stdlib.Functions() {
		if fn.Name() == "type" {
			continue
		}
		kept := fn.Subset(func(o *decls.OverloadDecl) bool {
			for _, t := range o.ArgTypes() {
				if foreign(t) {
					return false
				}
			}
			return !foreign(o.ResultType())
		})
		if kept != nil {
			fns = append(fns, kept)
		}
	}
	return fns
}

// decimalFunctions declare what decimals can do. The operators have no implementation here: CEL's own finds
// it by the traits of the value on the left, which is why the decimal stands there.
func decimalFunctions() []cel.EnvOption {
	d, i, f, b := decimalType, cel.IntType, cel.DoubleType, cel.BoolType
	var opts []cel.EnvOption
	operator := func(name, id string, result *cel.Type) {
		opts = append(opts, cel.Function(name,
			cel.Overload(id+"_decimal_decimal", []*cel.Type{d, d}, result),
			cel.Overload(id+"_decimal_int", []*cel.Type{d, i}, result),
			cel.Overload(id+"_decimal_literal", []*cel.Type{d, f}, result)))
	}
	operator(operators.Add, "add", d)
	operator(operators.Subtract, "subtract", d)
	operator(operators.Multiply, "multiply", d)
	operator(operators.Less, "less", b)
	operator(operators.LessEquals, "less_equals", b)
	operator(operators.Greater, "greater", b)
	operator(operators.GreaterEquals, "greater_equals", b)

	whole := func(of func(commerce.Decimal) (int64, bool)) cel.OverloadOpt {
		return cel.UnaryBinding(func(v ref.Val) ref.Val {
			n, ok := of(v.(*decimal).number())
			return wholeNumber(v, n, ok)
		})
	}
	same := cel.UnaryBinding(func(v ref.Val) ref.Val { return v })
	toDec := cel.UnaryBinding(func(v ref.Val) ref.Val {
		n, _, err := toDecimal(v)
		if err != nil {
			return types.WrapErr(err)
		}
		return newDecimal(n)
	})
	div := cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		n, bad := places(args[2])
		if bad != nil {
			return bad
		}
		var ab [2]commerce.Decimal
		for i := range ab {
			var err error
			if ab[i], _, err = toDecimal(args[i]); err != nil {
				return types.WrapErr(err)
			}
		}
		return divide(ab[0], ab[1], n)
	})
	return append(opts,
		cel.Function(operators.Negate, cel.Overload("negate_decimal", []*cel.Type{d}, d)),
		cel.Function("decimal",
			cel.Overload("text_to_decimal", []*cel.Type{cel.StringType}, d,
				cel.UnaryBinding(func(v ref.Val) ref.Val { return parseDecimal(string(v.(types.String))) })),
			cel.Overload("int_to_decimal", []*cel.Type{i}, d, toDec),
			cel.Overload("literal_to_decimal", []*cel.Type{f}, d, toDec),
			cel.Overload("decimal_to_decimal", []*cel.Type{d}, d, same)),
		cel.Function("string", cel.Overload("decimal_to_text", []*cel.Type{d}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(v.(*decimal).String()) }))),
		cel.Function("floor",
			cel.MemberOverload("decimal_floor", []*cel.Type{d}, i, whole(commerce.Decimal.Floor)),
			cel.MemberOverload("int_floor", []*cel.Type{i}, i, same)),
		cel.Function("ceil",
			cel.MemberOverload("decimal_ceil", []*cel.Type{d}, i, whole(commerce.Decimal.Ceil)),
			cel.MemberOverload("int_ceil", []*cel.Type{i}, i, same)),
		cel.Function("round",
			cel.MemberOverload("decimal_round", []*cel.Type{d, i}, d, cel.BinaryBinding(roundNumber)),
			cel.MemberOverload("int_round", []*cel.Type{i, i}, d, cel.BinaryBinding(roundNumber))),
		cel.Function("div",
			cel.MemberOverload("decimal_div_decimal", []*cel.Type{d, d, i}, d, div),
			cel.MemberOverload("decimal_div_int", []*cel.Type{d, i, i}, d, div),
			cel.MemberOverload("decimal_div_literal", []*cel.Type{d, f, i}, d, div),
			cel.MemberOverload("int_div_decimal", []*cel.Type{i, d, i}, d, div),
			cel.MemberOverload("int_div_int", []*cel.Type{i, i, i}, d, div),
			cel.MemberOverload("int_div_literal", []*cel.Type{i, f, i}, d, div)),
		cel.Function("sum",
			cel.MemberOverload("list_int_sum", []*cel.Type{cel.ListType(i)}, i,
				cel.UnaryBinding(func(v ref.Val) ref.Val { return sum(v, types.IntZero) })),
			cel.MemberOverload("list_decimal_sum", []*cel.Type{cel.ListType(d)}, d,
				cel.UnaryBinding(func(v ref.Val) ref.Val { return sum(v, &decimal{}) }))),
	)
}

// sum adds a list of numbers to start, exactly.
func sum(v, start ref.Val) ref.Val {
	list := v.(traits.Lister)
	total := start
	for i := range list.Size().(types.Int) {
		item := list.Get(i)
		if types.IsUnknownOrError(item) {
			return item
		}
		if kindOf(item) != "number" {
			return types.NewErr("item %d of the list is %s: only numbers have a sum", i, kindOf(item))
		}
		total = arithmetic(operators.Add, total, item)
		if types.IsUnknownOrError(total) {
			return total
		}
	}
	return total
}

// textFunctions are those of CEL's strings extension, each refusing a text that is too long for it, and our own
// in place of those whose result may be far longer than what they are given.
func textFunctions() ([]cel.EnvOption, error) {
	env, err := cel.NewCustomEnv(ext.Strings())
	if err != nil {
		return nil, err
	}
	var opts []cel.EnvOption
	for name, fn := range env.Functions() {
		switch name {
		case "format", "strings.quote", "join", "replace":
			continue
		}
		bindings, err := fn.Bindings()
		if err != nil {
			return nil, err
		}
		for _, o := range fn.OverloadDecls() {
			for _, impl := range bindings {
				if impl.Operator == o.ID() {
					opts = append(opts, cel.Function(name,
						cel.MemberOverload(o.ID(), o.ArgTypes(), o.ResultType(), guarded(impl))))
				}
			}
		}
	}
	text, list := cel.StringType, cel.ListType(cel.StringType)
	own := []cel.EnvOption{
		cel.Function("lower", cel.MemberOverload("text_lower", []*cel.Type{text}, text, mapText(strings.ToLower))),
		cel.Function("upper", cel.MemberOverload("text_upper", []*cel.Type{text}, text, mapText(strings.ToUpper))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{list}, text,
				cel.UnaryBinding(func(l ref.Val) ref.Val { return join(l.(traits.Lister), "") })),
			cel.MemberOverload("list_join_text", []*cel.Type{list, text}, text,
				cel.BinaryBinding(func(l, sep ref.Val) ref.Val {
					return join(l.(traits.Lister), string(sep.(types.String)))
				}))),
		cel.Function("replace",
			cel.MemberOverload("text_replace", []*cel.Type{text, text, text}, text,
				cel.FunctionBinding(func(a ...ref.Val) ref.Val { return replace(a[0], a[1], a[2], -1) })),
			cel.MemberOverload("text_replace_n", []*cel.Type{text, text, text, cel.IntType}, text,
				cel.FunctionBinding(func(a ...ref.Val) ref.Val {
					return replace(a[0], a[1], a[2], int(a[3].(types.Int)))
				}))),
	}
	return append(opts, own...), nil
}

func guarded(impl *functions.Overload) cel.OverloadOpt {
	return cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		if bad := checkText(args...); bad != nil {
			return bad
		}
		switch {
		case impl.Unary != nil && len(args) == 1:
			return impl.Unary(args[0])
		case impl.Binary != nil && len(args) == 2:
			return impl.Binary(args[0], args[1])
		}
		return impl.Function(args...)
	})
}

func mapText(f func(string) string) cel.OverloadOpt {
	return cel.UnaryBinding(func(v ref.Val) ref.Val {
		if bad := checkText(v); bad != nil {
			return bad
		}
		return types.String(f(string(v.(types.String))))
	})
}

func join(list traits.Lister, sep string) ref.Val {
	var b strings.Builder
	for i := range list.Size().(types.Int) {
		item := list.Get(i)
		s, ok := item.(types.String)
		switch {
		case types.IsUnknownOrError(item):
			return item
		case !ok:
			return types.NewErr("item %d of the list is a %s: only texts are joined", i, kindOf(item))
		}
		if i > 0 {
			b.WriteString(sep)
		}
		if b.Len()+len(s)+len(sep) > maxText {
			panic(errTextTooLong())
		}
		b.WriteString(string(s))
	}
	return types.String(b.String())
}

func replace(in, from, to ref.Val, n int) ref.Val {
	if bad := checkText(in, from, to); bad != nil {
		return bad
	}
	s, old, with := string(in.(types.String)), string(from.(types.String)), string(to.(types.String))
	count := strings.Count(s, old)
	if n >= 0 && n < count {
		count = n
	}
	if len(s)+count*(len(with)-len(old)) > maxText {
		panic(errTextTooLong())
	}
	return types.String(strings.Replace(s, old, with, n))
}
