package expr

import (
	"strings"

	"cel.dev/cel-go/common/types"
)

// Kind is the general category of a [Type].
type Kind int

// The kinds of values. Dyn is a value whose kind is known only when it is there.
const (
	Dyn Kind = iota
	Null
	Bool
	Text
	Int
	Decimal
	Time
	Duration
	List
	Map
	Object
	Optional
)

// Type is the type of an expression's value. The zero Type is dyn.
type Type struct {
	cel *types.Type
	reg *registry // where the object types that it mentions are found; nil if there are none
}

// DynType returns the type of values about which nothing is known before they are there.
func DynType() Type { return Type{} }

// Kind returns the general category of the type.
func (t Type) Kind() Kind {
	if t.cel == nil {
		return Dyn
	}
	switch t.cel.Kind() {
	case types.NullTypeKind:
		return Null
	case types.BoolKind:
		return Bool
	case types.StringKind, types.BytesKind:
		return Text
	case types.IntKind, types.UintKind:
		return Int
	case types.DoubleKind: // a literal: it becomes a decimal
		return Decimal
	case types.TimestampKind:
		return Time
	case types.DurationKind:
		return Duration
	case types.ListKind:
		return List
	case types.MapKind:
		return Map
	case types.StructKind:
		return Object
	case types.OpaqueKind:
		if isOptional(t.cel) {
			return Optional
		}
		return Decimal
	}
	return Dyn
}

// IsBool tells whether values of the type are true or false; a dyn value may turn out to be anything.
func (t Type) IsBool() bool { return t.Kind() == Bool }

// IsList tells whether values of the type are lists.
func (t Type) IsList() bool { return t.Kind() == List }

// IsDyn tells whether the kind of value is known only at run time.
func (t Type) IsDyn() bool { return t.Kind() == Dyn }

// Elem returns the type of a list's elements, of a map's values, or of what an optional holds.
func (t Type) Elem() (Type, bool) {
	switch t.Kind() {
	case List, Optional:
		return Type{cel: t.cel.Parameters()[0], reg: t.reg}, true
	case Map:
		return Type{cel: t.cel.Parameters()[1], reg: t.reg}, true
	}
	return Type{}, false
}

// Fields returns the names of an object's fields in the order of its definition; nil for other types.
func (t Type) Fields() []string {
	if s, ok := t.object(); ok {
		return append([]string(nil), s.names...)
	}
	return nil
}

// Field returns the type of an object's field.
func (t Type) Field(name string) (Type, bool) {
	s, ok := t.object()
	if !ok {
		return Type{}, false
	}
	f, ok := s.fields[name]
	if !ok {
		return Type{}, false
	}
	return Type{cel: f.Type, reg: t.reg}, true
}

func (t Type) object() (*structType, bool) {
	if t.Kind() != Object || t.reg == nil {
		return nil, false
	}
	return t.reg.find(t.cel.TypeName())
}

// String names the type in the words of findings: text, int, list of text, optional decimal, order.
func (t Type) String() string {
	elem := func() string { e, _ := t.Elem(); return e.String() }
	switch t.Kind() {
	case Null:
		return "null"
	case Bool:
		return "bool"
	case Text:
		return "text"
	case Int:
		return "int"
	case Decimal:
		return "decimal"
	case Time:
		return "time"
	case Duration:
		return "duration"
	case List:
		if e, _ := t.Elem(); e.IsDyn() {
			return "list"
		}
		if e, _ := t.Elem(); e.Kind() == Object && !strings.HasSuffix(e.String(), "s") {
			return "list of " + elem() + "s"
		}
		return "list of " + elem()
	case Map:
		if e, _ := t.Elem(); e.IsDyn() {
			return "map"
		}
		return "map of " + elem()
	case Object:
		if s, ok := t.object(); ok {
			return s.label
		}
		return "object"
	case Optional:
		return "optional " + elem()
	}
	return "any value"
}

func isOptional(t *types.Type) bool {
	return t.Kind() == types.OpaqueKind && t.TypeName() == types.OptionalType.TypeName()
}

// hasDyn tells whether part of a value of the type has a kind that is known only at run time.
func hasDyn(t *types.Type) bool {
	if t == nil || t.IsDyn() {
		return true
	}
	for _, p := range t.Parameters() {
		if hasDyn(p) {
			return true
		}
	}
	return false
}

// isScalar tells whether values of the type have no parts.
func isScalar(t *types.Type) bool {
	switch t.Kind() {
	case types.BoolKind, types.StringKind, types.IntKind, types.DoubleKind,
		types.TimestampKind, types.DurationKind:
		return true
	}
	return isDecimal(t)
}

func isDecimal(t *types.Type) bool {
	return t.Kind() == types.OpaqueKind && t.TypeName() == decimalType.TypeName()
}
