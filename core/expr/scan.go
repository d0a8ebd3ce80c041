package expr

import "strings"

// scan goes through the source of an expression from offset i and calls visit for each byte that is neither
// inside a quoted text nor inside a comment, until visit returns false. It returns the offset where it ended
// and whether a quoted text was still open there.
func scan(src string, i int, visit func(i int) bool) (end int, open bool) {
	for i < len(src) {
		switch c := src[i]; {
		case c == '"' || c == '\'':
			next, closed := skipText(src, i)
			if !closed {
				return i, true
			}
			i = next
		case c == '/' && strings.HasPrefix(src[i:], "//"):
			n := strings.IndexByte(src[i:], '\n')
			if n < 0 {
				return len(src), false
			}
			i += n
		default:
			if !visit(i) {
				return i, false
			}
			i++
		}
	}
	return i, false
}

// skipText returns the offset behind the quoted text whose first quote is at i. Texts are in ', ", ”' or """,
// and raw where an r stands before, alone or with a b.
func skipText(src string, i int) (next int, closed bool) {
	raw := isRaw(src, i)
	quote := src[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(src[i:], triple) {
		quote = triple
	}
	for i += len(quote); i < len(src); i++ {
		switch {
		case strings.HasPrefix(src[i:], quote):
			return i + len(quote), true
		case src[i] == '\\' && !raw:
			i++
		case src[i] == '\n' && len(quote) == 1:
			return i, false
		}
	}
	return len(src), false
}

func isRaw(src string, i int) bool {
	start := i
	for start > 0 && i-start < 2 && strings.IndexByte("rRbB", src[start-1]) >= 0 {
		start--
	}
	if start > 0 && isWordByte(src[start-1]) {
		return false // the letters end a name
	}
	return strings.ContainsAny(src[start:i], "rR")
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// The object `return` of an event is a word that CEL keeps for itself. It reaches the parser as Return, of
// the same length, and gets its name back in the tree.
const (
	wordReturn   = "return"
	parsedReturn = "Return"
)

// hideReturn renames the variable `return` and returns the offsets, in runes, where it did.
func hideReturn(src string) (string, map[int32]bool) {
	if !strings.Contains(src, wordReturn) {
		return src, nil
	}
	out := []byte(src)
	at := make(map[int32]bool)
	scan(src, 0, func(i int) bool {
		if !strings.HasPrefix(src[i:], wordReturn) || i > 0 && isWordByte(src[i-1]) {
			return true
		}
		if end := i + len(wordReturn); end < len(src) && isWordByte(src[end]) {
			return true
		}
		if before := strings.TrimRight(src[:i], " \t\r\n"); strings.HasSuffix(before, ".") {
			return true // a field
		}
		copy(out[i:], parsedReturn)
		at[runeOffset(src, i)] = true
		return true
	})
	return string(out), at
}
