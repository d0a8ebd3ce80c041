package expr

import (
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// wordOperators are what people write for CEL's operators.
var wordOperators = map[string]string{
	"and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "is": "==", "eq": "==",
	"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "then": "?",
}

// explainSyntax reports what the parser did not understand. Only the first error is told: the parser finds
// others by guessing how the text goes on.
func explainSyntax(src string, errs []*common.Error, ps *problems) {
	err := errs[0]
	offset := locate(src, err.Location)
	message := strings.TrimPrefix(err.Message, "Syntax error: ")
	word := wordAt(src, offset)
	switch {
	case strings.HasPrefix(message, "expression recursion limit"), strings.HasPrefix(message, "expression count"):
		ps.add(0, "the expression is nested too deeply or has too many parts", "move a part of it into another step")
	case wordOperators[word] != "":
		ps.add(offset, "syntax error at "+quoted(word), "write "+wordOperators[word]+" instead of "+word)
	case strings.HasPrefix(message, "reserved identifier: "):
		ps.add(offset, quoted(word)+" is a word that the language keeps for itself", "use another name")
	case strings.ContainsRune("“”„‘’", firstRune(src[offset:])):
		ps.add(offset, "these are typographic quotes", `write text in straight quotes: "text"`)
	case strings.HasPrefix(src[offset:], "="):
		ps.add(offset, "= is not an operator", "compare with ==")
	case strings.HasPrefix(src[offset:], "<>"), offset > 0 && strings.HasPrefix(src[offset-1:], "<>"):
		ps.add(offset, "<> is not an operator", "compare with !=")
	case strings.HasPrefix(src[offset:], "&"), strings.HasPrefix(src[offset:], "|"):
		ps.add(offset, quoted(src[offset:offset+1])+" is not an operator", "write && or ||")
	case offset >= len(src):
		ps.add(offset, "the expression ends too early", endFix(src))
	case openText(src):
		ps.add(offset, "a text in quotes is not closed", `close it with the same quote: "text"`)
	default:
		ps.add(offset, "syntax error at "+quoted(tokenAt(src, offset)), syntaxFix(src, message))
	}
}

func openText(src string) bool {
	_, open := scan(src, 0, func(int) bool { return true })
	return open
}

func endFix(src string) string {
	if openText(src) {
		return "close the text with the same quote"
	}
	depth := map[byte]int{}
	scan(src, 0, func(i int) bool {
		switch src[i] {
		case '(', '[', '{':
			depth[src[i]]++
		case ')':
			depth['(']--
		case ']':
			depth['[']--
		case '}':
			depth['{']--
		}
		return true
	})
	for _, c := range []struct{ open, shut string }{{"(", ")"}, {"[", "]"}, {"{", "}"}} {
		if depth[c.open[0]] > 0 {
			return "close the " + c.open + " with " + c.shut
		}
	}
	return "write what belongs behind the last operator"
}

func syntaxFix(src, message string) string {
	if strings.HasPrefix(message, "expected ") || strings.HasPrefix(message, "mismatched input") {
		if fix := endFix(src); strings.HasPrefix(fix, "close") {
			return fix
		}
	}
	return `write it like order.total > 100 && !("wholesale" in customer.tags)`
}

func locate(src string, loc common.Location) int {
	if loc.Line() <= 0 {
		return 0
	}
	at := 0
	for range loc.Line() - 1 {
		n := strings.IndexByte(src[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
	}
	return at + byteOffset(src[at:], loc.Column())
}

func wordAt(src string, i int) string {
	end := i
	for end < len(src) && isWordByte(src[end]) {
		end++
	}
	return src[i:end]
}

func tokenAt(src string, i int) string {
	if w := wordAt(src, i); w != "" {
		return w
	}
	for _, r := range src[i:] {
		return string(r)
	}
	return ""
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return -1
}

// refuseSyntax reports what CEL's syntax has and this language has not.
func (f *finder) refuseSyntax() {
	ast.PostOrderVisit(f.ast.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.StructKind:
			f.report(e, "objects are not made in expressions", `write a map: {"name": "value"}`)
		case ast.LiteralKind:
			switch v := e.AsLiteral().(type) {
			case types.Uint:
				f.report(e, "numbers with u are not used here", "write the number without u")
			case types.Bytes:
				f.report(e, "bytes are not used here", `write a text: "…"`)
			case types.Double:
				source := numberAt(f.src, f.offset(e))
				if !exactLiteral(strings.TrimPrefix(source, "-"), v.Negate().(types.Double)) &&
					!exactLiteral(strings.TrimPrefix(source, "-"), v) {
					f.report(e, source+" has more digits than a number here can have",
						`write decimal("`+source+`")`)
				}
			}
		case ast.CallKind:
			if call := e.AsCall(); call.FunctionName() == operators.Negate && call.Args()[0].Kind() == ast.LiteralKind {
				return
			}
		}
	}))
}

// numberAt is the number literal that begins at i, with its sign.
func numberAt(src string, i int) string {
	end := i
	for end < len(src) {
		c := src[end]
		exponentSign := (c == '-' || c == '+') && end > i && (src[end-1] == 'e' || src[end-1] == 'E')
		if isWordByte(c) || c == '.' || exponentSign || end == i && c == '-' {
			end++
			continue
		}
		break
	}
	return src[i:end]
}
