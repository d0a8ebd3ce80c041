package expr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is a mistake in an expression or template.
type Problem struct {
	Offset int // in bytes within the source
	Line   int // from 1
	Column int // from 1, in characters
	// Message says what is wrong, Fix what would be right.
	Message string
	Fix     string
}

// Error is the problem on one line.
func (p Problem) Error() string {
	if p.Fix == "" {
		return p.Message
	}
	return p.Message + "; " + p.Fix
}

// problems collects the mistakes of one source.
type problems struct {
	src  string // the whole source, of which an expression may be a part
	base int    // offset of the expression in it
	list []Problem
}

// add reports a problem at an offset, in bytes, of the expression. Of several at one place the first counts:
// the others follow from it.
func (p *problems) add(offset int, message, fix string) {
	offset = min(max(p.base+offset, 0), len(p.src))
	for _, other := range p.list {
		if other.Offset == offset {
			return
		}
	}
	before := p.src[:offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	p.list = append(p.list, Problem{
		Offset: offset, Line: 1 + strings.Count(before, "\n"), Column: 1 + utf8.RuneCountInString(line),
		Message: message, Fix: fix,
	})
}

func (p *problems) sorted() []Problem {
	slices.SortStableFunc(p.list, func(a, b Problem) int { return cmp.Compare(a.Offset, b.Offset) })
	return p.list
}

// runeOffset is the number of characters before byte i.
func runeOffset(s string, i int) int32 { return int32(utf8.RuneCountInString(s[:i])) }

// byteOffset is the byte at which the n-th character begins.
func byteOffset(s string, n int) int {
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

// quoted prints text for people, in quotes and not too long.
func quoted(s string) string { return fmt.Sprintf("%q", shorten(s, 40)) }

// nearest returns the name that word was probably meant to be.
func nearest(word string, names []string) (string, bool) {
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, name := range names {
		if strings.EqualFold(name, word) {
			return name, true
		}
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best, best != ""
}

// distance is the number of letters to insert, remove, replace or swap to make b of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var rows [3][65]int
	prev2, prev, cur := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// some lists a few of the names.
func some(names []string) string {
	const few = 12
	if len(names) > few {
		return strings.Join(names[:few], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
