package expr

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
)

// CompileTemplate compiles text with expressions in it: "Order ${order.name}". An expression that is alone
// keeps its type; inside of text it becomes text. "$${" stands for "${" itself. Braces, quotes and comments
// inside of an expression do not end it.
func (e *Env) CompileTemplate(src string) (*Program, []Problem) {
	ps := &problems{src: src}
	p := &Program{env: e, src: src}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p.parts = append(p.parts, part{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(src); {
		switch {
		case strings.HasPrefix(src[i:], "$${"):
			text.WriteString("${")
			i += 3
		case strings.HasPrefix(src[i:], "${"):
			flush()
			end, ok := closing(src, i+2)
			if !ok {
				ps.base = 0
				ps.add(i, "the ${ is not closed", unclosed(src, i+2))
				return nil, ps.sorted()
			}
			ps.base = i + 2
			if inside := src[i+2 : end]; strings.TrimSpace(inside) == "" {
				ps.add(-2, "there is nothing between ${ and }", "write what to put there, such as ${order.name}")
			} else if u := e.compile(inside, ps); u != nil {
				p.parts = append(p.parts, part{unit: u, offset: i})
			}
			i = end + 1
		default:
			text.WriteByte(src[i])
			i++
		}
	}
	flush()
	if len(ps.list) > 0 {
		return nil, ps.sorted()
	}
	if len(p.parts) == 1 && p.parts[0].unit != nil {
		p.typ = e.typeOf(p.parts[0].unit.typ)
		return e.fold(p, ps)
	}
	p.joined, p.typ = true, e.typeOf(types.StringType)
	if e.refuseTextless(p, ps); len(ps.list) > 0 {
		return nil, ps.sorted()
	}
	return e.fold(p, ps)
}

// closing returns the offset of the brace that ends the expression that begins at i.
func closing(src string, i int) (end int, ok bool) {
	depth := 0
	end, _ = scan(src, i, func(at int) bool {
		switch src[at] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				ok = true
				return false
			}
			depth--
		}
		return true
	})
	return end, ok
}

func unclosed(src string, i int) string {
	if _, open := scan(src, i, func(int) bool { return true }); open {
		return "a text in quotes inside of it is not closed: add the quote and then }"
	}
	return "add } behind the expression, or write $${ for the characters themselves"
}

// refuseTextless finds the expressions inside of text that have no text.
func (e *Env) refuseTextless(p *Program, ps *problems) {
	for _, part := range p.parts {
		if part.unit == nil {
			continue
		}
		src, t := strings.TrimSpace(part.unit.src), e.typeOf(part.unit.typ)
		ps.base = part.offset
		switch t.Kind() {
		case Optional:
			elem, _ := t.Elem()
			fix := operand(src) + ".orValue(" + fallback(elem) + ")"
			if elem.Kind() == Time {
				fix = fmt.Sprintf(`%s.hasValue() ? string(%s.value()) : "-"`, operand(src), operand(src))
			}
			ps.add(2, src+" may be missing", "say what to write then: ${"+fix+"}")
		case List:
			fix := "put ${" + src + "} alone, or write one item of it"
			if elem, _ := t.Elem(); elem.Kind() == Text {
				fix = "write ${" + operand(src) + `.join(", ")}`
			}
			ps.add(2, fmt.Sprintf("%s is %s, which has no text inside of other text", src, describeType(t)), fix)
		case Map, Object:
			ps.add(2, fmt.Sprintf("%s is %s, which has no text inside of other text", src, describeType(t)),
				"write one of its fields, or put ${"+src+"} alone")
		}
	}
}
