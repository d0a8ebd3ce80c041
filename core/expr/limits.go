package expr

import (
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// Limits of an expression. They are the same on every machine, so that an evaluation that is repeated ends in
// the same way.
const (
	// maxSource is the greatest length of an expression, in bytes.
	maxSource = 8 << 10
	// maxNesting is how deep parentheses, calls and lists may be nested.
	maxNesting = 60
	// maxNodes is the greatest number of parts of an expression, macros expanded.
	maxNodes = 10_000
	// costLimit bounds the work of an evaluation, in the units of CEL's cost model.
	costLimit = 100_000
	// maxText is the greatest length of a text that an expression makes, or that a text function takes, in bytes.
	maxText = 256 << 10
	// maxList is the greatest length of a list that an expression makes.
	maxList = 20_000
	// maxRegexp bounds the size of a compiled regular expression, in instructions.
	maxRegexp = 5_000
	// interruptEvery is after how many steps of a loop an evaluation looks whether its context has ended.
	interruptEvery = 100
)

func limitError(message string) interpreter.EvalCancelledError {
	return interpreter.EvalCancelledError{Message: message, Cause: interpreter.CostLimitExceeded}
}

func errTooCostly() interpreter.EvalCancelledError {
	return limitError("it takes too much work: make it simpler, or the lists that it goes through shorter")
}

func errTextTooLong() interpreter.EvalCancelledError {
	return limitError("it makes a text of more than 256 KiB")
}

func errListTooLong() interpreter.EvalCancelledError {
	return limitError("it makes a list of more than 20000 items")
}

// meter is asked for the cost of each call with its result at hand. It is the place where what an expression
// has made is measured.
type meter struct{}

// CallCost implements cost.ActualCostEstimator.
func (meter) CallCost(_, overload string, args []ref.Val, result ref.Val) *uint64 {
	if overload == workDone {
		steps := uint64(args[0].(types.Int))
		return &steps
	}
	size := uint64(0)
	switch r := result.(type) {
	case types.String:
		if len(r) > maxText {
			panic(errTextTooLong())
		}
	case traits.Lister:
		n, _ := r.Size().(types.Int)
		if n > maxList {
			panic(errListTooLong())
		}
		size = uint64(n)
	}
	if !ownFunctions[overload] || types.IsError(result) {
		return nil // the standard cost
	}
	for _, a := range args {
		switch a := a.(type) {
		case types.String:
			size += uint64(len(a)) / 10
		case traits.Lister:
			n, _ := a.Size().(types.Int)
			size += uint64(n)
		}
	}
	cost := 1 + size
	return &cost
}

// checkText refuses a text that is too long for a function that goes through it.
func checkText(vals ...ref.Val) ref.Val {
	for _, v := range vals {
		if s, ok := v.(types.String); ok && len(s) > maxText {
			return types.NewErr("a text of %d bytes is too long for this function, which takes 256 KiB", len(s))
		}
	}
	return nil
}

// shorten cuts text to n runes.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}

func validText(s string) bool { return utf8.ValidString(s) }
