// Package expr is the expression language of flows: CEL, typed against the common commerce model.
//
// A [Language] holds the types of the model and is built once. An [Env] is what an expression at one place
// of a flow can see: the objects that the trigger carries, the steps that have run, loop variables. It
// compiles an expression, or a text with ${…} in it, to a [Program], or tells every mistake as a [Problem]
// that the writer of a flow understands. A Program is evaluated against the [Values] of a run.
//
// What differs from plain CEL:
//
//   - Money is decimal and exact. A number with a point, such as 0.1, is the decimal 0.1 and nothing near it;
//     there is no floating point arithmetic. A decimal stands on the left of +, -, *, <, <=, >, >= and takes
//     a decimal or a number on the right; equality is asked between decimals: order.total == decimal("0.30").
//     Methods: floor(), ceil(), round(places), div(divisor, places); a list of numbers has sum().
//   - Objects are never null: what an event does not carry is empty, with exists false. Numbers and times that
//     may be missing are optional and must be guarded: customer.orders_count.orValue(0) > 3.
//   - Numbers in JSON of unknown shape are int or decimal. Where the types of two values are known only when
//     the expression is evaluated, comparing values of different kinds (a text and a number, a number and a
//     list) with ==, != or `in` is an error and not false; null may be compared with anything. Arithmetic and
//     ordering of such values follow the same rules as of typed ones, whichever side is the decimal.
//   - A field that dynamic data does not have is an error that names the path; has() asks first. As in CEL,
//     `a && b` is false when one of them is false, also where the other cannot be evaluated.
//   - Text has, besides CEL's own functions and those of its strings extension (without format and quote),
//     lower() and upper() for all scripts.
//
// The package is pure: it has no clock, no randomness and does no I/O, and an evaluation ends by limits that
// are the same on every machine: a cost, the length of texts and of lists. (Only the accessors of a time that
// take the name of a time zone consult the time zone data that Go was given.)
//
// A Language, an Env, a Program and a Value are safe for concurrent use.
package expr
