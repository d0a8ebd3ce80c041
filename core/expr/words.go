package expr

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// otherNames are what people call a function elsewhere.
var otherNames = map[string]string{
	"len": "size()", "length": "size()", "count": "size()", "includes": `contains("…")`,
	"toLowerCase": "lower()", "downcase": "lower()", "lowercase": "lower()",
	"toUpperCase": "upper()", "upcase": "upper()", "uppercase": "upper()",
	"any": "exists(x, …)", "some": "exists(x, …)", "every": "all(x, …)", "find": "filter(x, …)",
	"default": "orValue(…)", "date": `timestamp("…")`, "float": `decimal("…")`, "double": `decimal("…")`,
	"number": `decimal("…")`, "str": "string(…)", "toString": "string(…)", "text": "string(…)",
	"ceiling": "ceil()", "strip": "trim()",
}

// unknownName reports a variable or function that is not there.
func (f *finder) unknownName(e ast.Expr) {
	if e.Kind() == ast.CallKind {
		f.unknownFunction(e, e.AsCall().FunctionName())
		return
	}
	if e.Kind() != ast.IdentKind {
		f.report(e, f.text(e)+" is not known", "")
		return
	}
	name := strings.TrimPrefix(e.AsIdent(), ".")
	scope := f.env.scope
	if message, fix := notCarried(EventScope{Types: scope.Types, Objects: scope.Objects}, name); message != "" {
		f.report(e, message, fix)
		return
	}
	if _, ok := scope.Steps[name]; ok {
		f.report(e, fmt.Sprintf("there is no variable %q", name), "the step's output is steps."+name)
		return
	}
	if why, ok := scope.Hidden[name]; ok {
		f.report(e, fmt.Sprintf("step %q cannot be used here: %s", name, why), "outputs of steps are read as steps.ID")
		return
	}
	fix := "variables here: " + some(f.env.vars)
	if near, ok := nearest(name, f.env.vars); ok {
		fix = "did you mean " + near + "?"
	} else if owner, ok := f.ownerOf(name); ok {
		fix = "did you mean " + owner + "." + name + "?"
	} else if name == "True" || name == "False" || name == "Null" || name == "None" || name == "nil" {
		fix = "write true, false or null"
	}
	f.report(e, fmt.Sprintf("there is no variable %q", name), fix)
}

// ownerOf finds the object that has a field of that name.
func (f *finder) ownerOf(field string) (string, bool) {
	for _, o := range f.env.scope.Objects {
		if _, ok := f.env.lang.objects[o].typ.fields[field]; ok {
			return string(o), true
		}
	}
	return "", false
}

func (f *finder) unknownFunction(e ast.Expr, name string) {
	if own, ok := otherNames[name]; ok {
		f.report(e, fmt.Sprintf("there is no function %q", name), "use "+own)
		return
	}
	names := []string{"all", "exists", "exists_one", "filter", "map", "has"}
	for n := range f.env.cel.Functions() {
		if isIdentifier(n) && !strings.HasPrefix(n, "_") && n != operators.OldIn && !isReserved(n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	fix := "functions: " + strings.Join(names, ", ")
	if near, ok := nearest(name, names); ok {
		fix = "did you mean " + near + "?"
	} else if f.env.isVariable(name) {
		fix = name + " is a value: write it without ( )"
	}
	f.report(e, fmt.Sprintf("there is no function %q", name), fix)
}

func (e *Env) isVariable(name string) bool {
	_, ok := slices.BinarySearch(e.vars, name)
	return ok
}

// selection returns the object and the field of a selection, x.f or x.?f.
func selection(e ast.Expr) (operand ast.Expr, field string, ok bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().Operand(), e.AsSelect().FieldName(), true
	case ast.CallKind:
		if call := e.AsCall(); call.FunctionName() == operators.OptSelect && len(call.Args()) == 2 {
			name, isText := call.Args()[1].AsLiteral().(types.String)
			return call.Args()[0], string(name), isText
		}
	}
	return nil, "", false
}

// unknownField reports a field that an object does not have.
func (f *finder) unknownField(e ast.Expr) {
	operand, field, ok := selection(e)
	if !ok {
		f.report(e, "there is no such field", "")
		return
	}
	t := f.typeOf(operand)
	if t.Kind() == Optional {
		t, _ = t.Elem()
	}
	of := f.text(operand)
	s, ok := t.object()
	if !ok {
		f.report(e, fmt.Sprintf("%s has no field %q", of, field), "")
		return
	}
	if s.explain != nil {
		if message, fix := s.explain(field); message != "" {
			f.report(e, message, fix)
			return
		}
	}
	fix := of + " has the fields " + some(s.names)
	if len(s.names) == 0 {
		fix = of + " has no fields"
	}
	if near, ok := nearest(field, s.names); ok {
		fix = "did you mean " + of + "." + near + "?"
	} else if owner, ok := f.fieldElsewhere(s, field); ok {
		fix = "did you mean " + of + "." + owner + "." + field + "?"
	}
	f.report(e, fmt.Sprintf("%s has no field %q", of, field), fix)
}

// fieldElsewhere finds the field in an object inside of s.
func (f *finder) fieldElsewhere(s *structType, field string) (string, bool) {
	for _, name := range s.names {
		inner, ok := f.env.typeOf(s.fields[name].Type).object()
		if !ok {
			continue
		}
		if _, ok := inner.fields[field]; ok {
			return name, true
		}
	}
	return "", false
}

// noFields reports a field of something that is no object.
func (f *finder) noFields(e ast.Expr) {
	operand, field, ok := selection(e)
	if !ok {
		f.report(e, "only objects have fields", "")
		return
	}
	of, t := f.text(operand), f.typeOf(operand)
	if t.Kind() == Optional {
		t, _ = t.Elem()
	}
	fix := "write " + of + " alone"
	if t.Kind() == List {
		switch field {
		case "length", "size", "count":
			fix = "write " + of + ".size()"
		case "first", "last":
			fix = "write " + of + "." + field + "()"
		default:
			fix = fmt.Sprintf("name one item, %s[0].%s, or ask for any: %s.exists(x, x.%s == …)", of, field, of, field)
		}
	} else if t.Kind() == Text && (field == "length" || field == "size") {
		fix = "write " + of + ".size()"
	}
	f.report(e, fmt.Sprintf("%s is %s and has no field %q", of, describeType(t), field), fix)
}

// notBool reports a part of a condition that is neither true nor false.
func (f *finder) notBool(e ast.Expr) {
	x, t := f.text(e), f.typeOf(e)
	f.report(e, fmt.Sprintf("%s is %s, and true or false is needed", x, describeType(t)), boolFix(x, t))
}

func boolFix(x string, t Type) string {
	o := operand(x)
	switch t.Kind() {
	case Int, Decimal:
		return "compare it: " + o + " > 0"
	case Text:
		return "compare it: " + o + ` != ""`
	case List, Map:
		return "compare its size: " + o + ".size() > 0"
	case Object:
		if _, ok := t.Field("exists"); ok {
			return "ask whether it is there: " + o + ".exists"
		}
	case Optional:
		if elem, _ := t.Elem(); elem.IsBool() {
			return "say what holds where it is missing: " + o + ".orValue(false)"
		}
		return "ask whether it is there: " + o + ".hasValue()"
	}
	return "compare it with something"
}

// describeType is a type with what belongs before it: "text", "a list of text", "an order".
func describeType(t Type) string {
	name := t.String()
	switch t.Kind() {
	case Decimal:
		if t.cel.Kind() == types.DoubleKind {
			return "a number"
		}
		return "a decimal"
	case List, Map, Object, Int, Time, Duration:
		if strings.ContainsRune("aeiou", rune(name[0])) {
			return "an " + name
		}
		return "a " + name
	case Bool:
		return "true or false"
	case Optional:
		elem, _ := t.Elem()
		return describeType(elem) + " that may be missing"
	}
	return name
}

// operand is an expression in parentheses where something is to follow it.
func operand(x string) string {
	if strings.ContainsAny(x, " !-") && !strings.HasPrefix(x, `"`) && !strings.HasSuffix(x, ")") {
		return "(" + x + ")"
	}
	return x
}

// fallback is a value to use in the place of a missing one.
func fallback(t Type) string {
	switch t.Kind() {
	case Int:
		return "0"
	case Decimal:
		return `decimal("0")`
	case Bool:
		return "false"
	case Time:
		return "now"
	case Text:
		return `""`
	}
	return "…"
}
