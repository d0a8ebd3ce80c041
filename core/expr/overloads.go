package expr

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// noOverload reports a call whose values have the wrong types.
func (f *finder) noOverload(e ast.Expr) {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	name := call.FunctionName()
	if f.optionalOperand(e, name, args) {
		return
	}
	c := callFinding{finder: f, call: e, name: name, args: args}
	switch name {
	case operators.Equals, operators.NotEquals:
		c.equality()
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		c.ordering()
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
		c.arithmetic()
	case operators.In:
		c.in()
	case operators.Index, operators.OptIndex:
		c.index()
	case operators.Conditional:
		c.conditional()
	case operators.LogicalNot:
		f.notBool(args[0])
	case operators.Negate:
		c.say(fmt.Sprintf("%s is %s and has no negative", c.text(0), c.described(0)), "use a number")
	default:
		c.function()
	}
}

// optionalOperand reports a value that may be missing and is used as if it were there.
func (f *finder) optionalOperand(e ast.Expr, name string, args []ast.Expr) bool {
	if name == "orValue" || name == "or" || name == "hasValue" || name == "value" {
		return false
	}
	for i, a := range args {
		t := f.typeOf(a)
		if t.Kind() != Optional {
			continue
		}
		elem, _ := t.Elem()
		x := f.text(a)
		message := x + " may be missing"
		if sign, ok := operators.FindReverse(name); ok && len(args) == 2 && name != operators.Index {
			other := operand(f.text(args[1-i]))
			guarded := operand(x) + ".orValue(" + fallback(elem) + ")"
			if elem.Kind() == Time { // no time stands for one that has not come
				guarded = operand(x) + ".value()"
			}
			both := guarded + " " + sign + " " + other
			if i == 1 {
				both = other + " " + sign + " " + guarded
			}
			if elem.Kind() == Time {
				both = operand(x) + ".hasValue() && " + both
			}
			f.report(a, message, both)
			return true
		}
		f.report(a, message, "say what to take then: "+operand(x)+".orValue("+fallback(elem)+")")
		return true
	}
	return false
}

// callFinding is a call with the wrong types.
type callFinding struct {
	*finder
	call ast.Expr
	name string
	args []ast.Expr
}

func (c callFinding) say(message, fix string)  { c.report(c.call, message, fix) }
func (c callFinding) text(i int) string        { return c.finder.text(c.args[i]) }
func (c callFinding) operand(i int) string     { return operand(c.text(i)) }
func (c callFinding) kind(i int) Kind          { return c.typeOf(c.args[i]).Kind() }
func (c callFinding) described(i int) string   { return describeType(c.typeOf(c.args[i])) }
func (c callFinding) sign() string             { return operatorSign(c.name) }
func (c callFinding) isNumber(i int) bool      { return c.kind(i) == Int || c.kind(i) == Decimal }
func (c callFinding) isLiteral(i int) bool     { return c.args[i].Kind() == ast.LiteralKind }
func (c callFinding) isDecimalType(i int) bool { return isDecimal(c.typeOf(c.args[i]).celType()) }

func (t Type) celType() *types.Type {
	if t.cel == nil {
		return types.DynType
	}
	return t.cel
}

// both says of what types the two sides are.
func (c callFinding) both() string {
	return fmt.Sprintf("%s is %s, %s is %s", c.text(0), c.described(0), c.text(1), c.described(1))
}

// asDecimal is the i-th operand made a decimal.
func (c callFinding) asDecimal(i int) string {
	switch {
	case c.isDecimalType(i):
		return c.operand(i)
	case c.isLiteral(i) && c.isNumber(i):
		return fmt.Sprintf("decimal(%q)", c.text(i))
	}
	return "decimal(" + c.text(i) + ")"
}

func (c callFinding) equality() {
	l, r := c.kind(0), c.kind(1)
	switch {
	case c.isNumber(0) && c.isNumber(1):
		left, right := 0, 1
		if !c.isDecimalType(0) && c.isDecimalType(1) {
			left, right = 1, 0
		}
		c.say(c.both()+": a decimal is compared with a decimal",
			fmt.Sprintf("%s %s %s", c.asDecimal(left), c.sign(), c.asDecimal(right)))
	case l == Text && c.isNumber(1) && c.isLiteral(1):
		c.say(c.both()+": they are never equal", fmt.Sprintf("%s %s %q", c.operand(0), c.sign(), c.text(1)))
	case r == Text && c.isNumber(0) && c.isLiteral(0):
		c.say(c.both()+": they are never equal", fmt.Sprintf("%s %s %q", c.operand(1), c.sign(), c.text(0)))
	case c.isNumber(0) && r == Text:
		c.say(c.both()+": they are never equal", fmt.Sprintf("%s %s %s", c.asDecimal(0), c.sign(), c.asDecimal(1)))
	case l == Text && c.isNumber(1):
		c.say(c.both()+": they are never equal", fmt.Sprintf("%s %s %s", c.asDecimal(0), c.sign(), c.asDecimal(1)))
	case l == List:
		c.say(c.both()+": they are never equal", "ask whether the list has it: "+c.operand(1)+" in "+c.operand(0))
	case r == Null:
		c.say(c.text(0)+" is never null", boolFix(c.text(0), c.typeOf(c.args[0])))
	case l == Null:
		c.say(c.text(1)+" is never null", boolFix(c.text(1), c.typeOf(c.args[1])))
	default:
		c.say(c.both()+": they are never equal", "compare values of the same type")
	}
}

func (c callFinding) ordering() {
	mirrored := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
	switch {
	case c.isDecimalType(1) && c.isNumber(0):
		c.say(c.both()+": the decimal stands on the left",
			fmt.Sprintf("%s %s %s", c.operand(1), mirrored[c.sign()], c.operand(0)))
	case c.isNumber(0) && c.isNumber(1):
		c.say(c.both(), fmt.Sprintf("%s %s %s", c.asDecimal(0), c.sign(), c.operand(1)))
	case c.kind(0) == Text && c.isNumber(1), c.isNumber(0) && c.kind(1) == Text:
		c.say(c.both()+": they have no order", fmt.Sprintf("%s %s %s", c.asDecimal(0), c.sign(), c.asDecimal(1)))
	case c.kind(0) == Time && c.kind(1) == Text, c.kind(0) == Text && c.kind(1) == Time:
		c.say(c.both()+": they have no order", `make a time of the text: timestamp("2026-01-31T09:00:00Z")`)
	case c.kind(0) == List:
		c.say(c.both()+": they have no order", "compare its size: "+c.operand(0)+".size() "+c.sign()+" "+c.operand(1))
	default:
		c.say(c.both()+": they have no order", "compare values of the same type")
	}
}

func (c callFinding) arithmetic() {
	sign := c.sign()
	switch {
	case c.isNumber(0) && c.isNumber(1) && c.name == operators.Divide:
		c.say(c.both()+": decimals are divided by a function, to so many places",
			fmt.Sprintf("%s.div(%s, 2)", c.operand(0), c.text(1)))
	case c.isNumber(0) && c.isNumber(1) && c.isDecimalType(1) && (c.name == operators.Add || c.name == operators.Multiply):
		c.say(c.both()+": the decimal stands on the left", fmt.Sprintf("%s %s %s", c.operand(1), sign, c.operand(0)))
	case c.isNumber(0) && c.isNumber(1) && c.name != operators.Modulo:
		c.say(c.both()+": a decimal must stand on the left", fmt.Sprintf("%s %s %s", c.asDecimal(0), sign, c.operand(1)))
	case c.name == operators.Add && (c.kind(0) == Text || c.kind(1) == Text):
		side := func(i int) string {
			if c.kind(i) == Text {
				return c.operand(i)
			}
			return "string(" + c.text(i) + ")"
		}
		c.say(c.both()+": they cannot be joined", side(0)+" + "+side(1))
	default:
		c.say(c.both()+": "+sign+" does not take them", "use numbers, or a time and a duration")
	}
}

func (c callFinding) in() {
	switch {
	case c.kind(1) == Text && c.kind(0) == Text:
		c.say(c.text(1)+" is text, and in looks into lists", c.operand(1)+".contains("+c.text(0)+")")
	case c.kind(1) == List || c.kind(1) == Map:
		elem, _ := c.typeOf(c.args[1]).Elem()
		if c.kind(1) == Map {
			elem = c.env.typeOf(c.typeOf(c.args[1]).cel.Parameters()[0])
		}
		c.say(fmt.Sprintf("%s is %s, %s holds %s: it is never in it", c.text(0), c.described(0), c.text(1), elem),
			"look for a value of the same type")
	default:
		c.say(fmt.Sprintf("%s is %s, and in looks into lists", c.text(1), c.described(1)), "name a list on the right of in")
	}
}

func (c callFinding) index() {
	if c.kind(0) == Object {
		if name, ok := c.args[1].AsLiteral().(types.String); c.isLiteral(1) && ok {
			c.say("fields of "+c.text(0)+" are not read with [ ]", c.operand(0)+"."+string(name))
			return
		}
		c.say("fields of "+c.text(0)+" are not read with [ ]", c.operand(0)+".name")
		return
	}
	if c.kind(0) == List {
		c.say(fmt.Sprintf("an item of a list is named by a number, and %s is %s", c.text(1), c.described(1)),
			c.operand(0)+"[0]")
		return
	}
	c.say(c.both()+": this has no parts", "use [ ] on a list or a map")
}

func (c callFinding) conditional() {
	if k := c.kind(0); k != Bool && k != Dyn {
		c.notBool(c.args[0])
		return
	}
	message := fmt.Sprintf("%s is %s, %s is %s: both must be the same", c.text(1), c.described(1), c.text(2), c.described(2))
	fix := "make both values the same type"
	if c.isNumber(1) && c.isNumber(2) {
		side := func(i int) string { return c.asDecimal(i) }
		fix = fmt.Sprintf("%s ? %s : %s", c.operand(0), side(1), side(2))
	}
	c.say(message, fix)
}

// function reports a call of a named function.
func (c callFinding) function() {
	first := ""
	if len(c.args) > 0 {
		first = c.operand(0)
	}
	switch {
	case c.name == "int" && len(c.args) == 1 && c.isNumber(0):
		c.say("int does not take a decimal: say how to round", first+".floor() or "+first+".ceil()")
		return
	case c.name == "contains" && len(c.args) == 2 && c.kind(0) == List:
		c.say(c.text(0)+" is a list, and contains looks into text", c.operand(1)+" in "+first)
		return
	case (c.name == "orValue" || c.name == "hasValue" || c.name == "value") && len(c.args) > 0 && c.kind(0) != Optional:
		c.say(c.text(0)+" is never missing", "write "+c.text(0)+" alone")
		return
	case c.name == "orValue" && len(c.args) == 2:
		elem, _ := c.typeOf(c.args[0]).Elem()
		c.say(fmt.Sprintf("%s is %s, and %s is %s", c.text(0), describeType(elem), c.text(1), c.described(1)),
			first+".orValue("+fallback(elem)+")")
		return
	}
	given := make([]string, len(c.args))
	for i := range c.args {
		given[i] = c.text(i) + " is " + c.described(i)
	}
	message := c.name + " is not used like this"
	if len(given) > 0 {
		message += ": " + strings.Join(given, ", ")
	}
	c.say(message, "it is used as "+strings.Join(c.signatures(), " or "))
}

// signatures are the ways in which the function is declared.
func (c callFinding) signatures() []string {
	fn, ok := c.env.cel.Functions()[c.name]
	if !ok {
		return []string{c.name + "()"}
	}
	var list []string
	for _, o := range fn.OverloadDecls() {
		names := make([]string, len(o.ArgTypes()))
		for i, t := range o.ArgTypes() {
			names[i] = c.env.typeOf(t).String()
			if t.Kind() == types.DoubleKind {
				names[i] = "number"
			}
		}
		s := c.name + "(" + strings.Join(names, ", ") + ")"
		if o.IsMemberFunction() && len(names) > 0 {
			s = strings.ReplaceAll(names[0], " ", "_") + "." + c.name + "(" + strings.Join(names[1:], ", ") + ")"
		}
		if !slices.Contains(list, s) && len(list) < 6 {
			list = append(list, s)
		}
	}
	return list
}
