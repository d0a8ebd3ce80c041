package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong with a flow, or worth a warning, at a place in its text. Line and Column
// count from 1.
type Finding struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"` // what is wrong
	Fix     string `json:"fix"`     // what would be right
	Warning bool   `json:"warning,omitempty"`
}

// Text returns the finding as one line: file:line:column: what is wrong; what would be right.
func (f Finding) Text(file string) string {
	kind := ""
	if f.Warning {
		kind = "warning: "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s; %s", file, f.Line, f.Column, kind, oneLine(f.Message), oneLine(f.Fix))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Findings are in the order of the text.
type Findings []Finding

// Wrong tells whether there is one that is more than a warning.
func (fs Findings) Wrong() bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return !f.Warning })
}

func (fs Findings) sorted() Findings {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(fs)
}
