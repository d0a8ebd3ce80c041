package expr

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/shophand/shophand/sdk/commerce"
)

// Value is the value of an expression. The zero Value is null.
type Value struct{ v ref.Val }

func (v Value) ref() ref.Val {
	if v.v == nil {
		return types.NullValue
	}
	return v.v
}

// inner is the value without the optional around it.
func (v Value) inner() ref.Val {
	for {
		opt, ok := v.ref().(*types.Optional)
		if !ok {
			return v.ref()
		}
		if !opt.HasValue() {
			return types.NullValue
		}
		v.v = opt.GetValue()
	}
}

// Missing tells whether there is nothing: null, or an optional that holds nothing.
func (v Value) Missing() bool { return v.inner() == types.NullValue }

// Kind returns the kind of the value, that of what it holds if it is an optional.
func (v Value) Kind() Kind {
	switch v.inner().(type) {
	case types.Bool:
		return Bool
	case types.String, types.Bytes:
		return Text
	case types.Int, types.Uint:
		return Int
	case *decimal, types.Double:
		return Decimal
	case types.Timestamp:
		return Time
	case types.Duration:
		return Duration
	case traits.Lister:
		return List
	case traits.Mapper:
		return Map
	case *object:
		return Object
	case types.Null:
		return Null
	}
	return Dyn
}

// Bool returns the value if it is true or false; ok tells whether it is.
func (v Value) Bool() (b, ok bool) {
	x, ok := v.inner().(types.Bool)
	return bool(x), ok
}

// Text returns the value if it is text.
func (v Value) Text() (string, bool) {
	s, ok := v.inner().(types.String)
	return string(s), ok
}

// Int returns the value if it is an int.
func (v Value) Int() (int64, bool) {
	n, ok := v.inner().(types.Int)
	return int64(n), ok
}

// Decimal returns the value if it is a number.
func (v Value) Decimal() (commerce.Decimal, bool) {
	d, ok, err := toDecimal(v.inner())
	return d, ok && err == nil
}

// Time returns the value if it is a time, in UTC.
func (v Value) Time() (time.Time, bool) {
	t, ok := v.inner().(types.Timestamp)
	return t.Time.UTC(), ok
}

// Duration returns the value if it is a duration.
func (v Value) Duration() (time.Duration, bool) {
	d, ok := v.inner().(types.Duration)
	return d.Duration, ok
}

// Len returns the number of a list's elements; ok tells whether it is a list.
func (v Value) Len() (n int, ok bool) {
	l, ok := v.inner().(traits.Lister)
	if !ok {
		return 0, false
	}
	size, _ := l.Size().(types.Int)
	return int(size), true
}

// Index returns the i-th element of a list. It is an error if the value is no list, or not that long.
func (v Value) Index(i int) (Value, error) {
	n, ok := v.Len()
	if !ok {
		return Value{}, fmt.Errorf("a %s has no items", kindOf(v.inner()))
	}
	if i < 0 || i >= n {
		return Value{}, fmt.Errorf("a list of %d has no item %d", n, i)
	}
	item := v.inner().(traits.Lister).Get(types.Int(i))
	if err, ok := item.(*types.Err); ok {
		return Value{}, err
	}
	return Value{item}, nil
}

// String is the value as text inside of other text: an amount with its digits, a time in RFC 3339, nothing
// for null. Lists, maps and objects have no such text; they are shown as JSON.
func (v Value) String() string {
	if s, ok := v.text(); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(b)
}

// text returns the text of a scalar.
func (v Value) text() (string, bool) {
	switch x := v.inner().(type) {
	case types.Null:
		return "", true
	case types.Bool:
		return strconv.FormatBool(bool(x)), true
	case types.String:
		return string(x), true
	case types.Int:
		return strconv.FormatInt(int64(x), 10), true
	case *decimal:
		return x.String(), true
	case types.Double:
		return formatDouble(x), true
	case types.Timestamp:
		return x.Time.UTC().Format(time.RFC3339Nano), true
	case types.Duration:
		return formatDuration(x.Duration), true
	}
	return "", false
}

func formatDouble(f types.Double) string { return strconv.FormatFloat(float64(f), 'f', -1, 64) }

// formatDuration prints seconds, as CEL and JSON do: "90s", "0.5s".
func formatDuration(d time.Duration) string {
	s := strconv.FormatInt(int64(d/time.Second), 10)
	if frac := d % time.Second; frac != 0 {
		if frac < 0 {
			frac = -frac
			if d > -time.Second {
				s = "-" + s
			}
		}
		s += strings.TrimRight(fmt.Sprintf(".%09d", frac), "0")
	}
	return s + "s"
}

// MarshalJSON writes the value as JSON: a decimal as a string with its digits, an int as a number, a time in
// RFC 3339, nothing as null, an object of the common model as the model writes it. Data that came as JSON is
// written as it came.
func (v Value) MarshalJSON() ([]byte, error) {
	w := jsonWriter{}
	if err := w.value(v.ref()); err != nil {
		return nil, err
	}
	return w.out, nil
}

// jsonWriter writes at most maxJSON bytes: a value may hold another one very many times.
type jsonWriter struct{ out []byte }

const maxJSON = 8 << 20

func (w *jsonWriter) raw(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.append(b...)
}

func (w *jsonWriter) append(b ...byte) error {
	if len(w.out)+len(b) > maxJSON {
		return fmt.Errorf("a value is larger than %d MiB as JSON", maxJSON>>20)
	}
	w.out = append(w.out, b...)
	return nil
}

func (w *jsonWriter) value(v ref.Val) error {
	switch v := v.(type) {
	case *types.Err:
		return v
	case *types.Optional, types.Null:
		inner := Value{v}.inner()
		if inner == types.NullValue {
			return w.append([]byte("null")...)
		}
		return w.value(inner)
	case types.Bool:
		return w.append(strconv.AppendBool(nil, bool(v))...)
	case types.Int:
		return w.append(strconv.AppendInt(nil, int64(v), 10)...)
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%v is not a number that JSON has", f)
		}
		return w.raw(formatDouble(v))
	case types.String, *decimal, types.Timestamp, types.Duration:
		s, _ := Value{v}.text()
		return w.raw(s)
	case *object:
		return w.raw(v.ptr)
	case traits.Lister:
		return w.list(v)
	case traits.Mapper:
		return w.mapping(v)
	}
	return fmt.Errorf("a %s has no JSON", kindOf(v))
}

func (w *jsonWriter) list(l traits.Lister) error {
	if decoded, ok := l.Value().([]any); ok {
		return w.raw(decoded)
	}
	if err := w.append('['); err != nil {
		return err
	}
	for i := range l.Size().(types.Int) {
		if i > 0 {
			if err := w.append(','); err != nil {
				return err
			}
		}
		if err := w.value(l.Get(i)); err != nil {
			return err
		}
	}
	return w.append(']')
}

func (w *jsonWriter) mapping(m traits.Mapper) error {
	if decoded, ok := m.Value().(map[string]any); ok && !holdsValues(decoded) {
		return w.raw(decoded)
	}
	entries := make(map[string]ref.Val)
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := Value{key}.text()
		if !ok {
			return fmt.Errorf("the names in a map are text, not a %s", kindOf(key))
		}
		entries[name] = m.Get(key)
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := w.append('{'); err != nil {
		return err
	}
	for i, name := range names {
		if i > 0 {
			if err := w.append(','); err != nil {
				return err
			}
		}
		if err := w.raw(name); err != nil {
			return err
		}
		if err := w.append(':'); err != nil {
			return err
		}
		if err := w.value(entries[name]); err != nil {
			return err
		}
	}
	return w.append('}')
}

// holdsValues tells whether the map was made of values of CEL and not decoded from JSON.
func holdsValues(m map[string]any) bool {
	for _, v := range m {
		_, ok := v.(ref.Val)
		return ok
	}
	return false
}

// Decode makes a value of the type of its JSON, as [Value.MarshalJSON] wrote it. With it a loop's item that
// was stored is given back to the expressions of the loop.
func (l *Language) Decode(t Type, raw json.RawMessage) (Value, error) {
	decoded, err := decodeJSON(raw)
	if err != nil {
		return Value{}, err
	}
	v, err := l.decode(t, raw, decoded)
	if err != nil {
		return Value{}, fmt.Errorf("reading a stored value of type %s: %w", t, err)
	}
	return Value{v}, nil
}

func (l *Language) decode(t Type, raw json.RawMessage, decoded any) (ref.Val, error) {
	read := func(f func(any) (any, error)) (ref.Val, error) {
		v, err := f(decoded)
		if err != nil {
			return nil, err
		}
		return l.model.NativeToValue(v), nil
	}
	switch t.Kind() {
	case Text:
		return read(readText)
	case Bool:
		return read(readBool)
	case Int:
		return read(readInt)
	case Decimal:
		return read(readDecimal)
	case Time:
		return read(readTime)
	case Duration:
		s, _ := decoded.(string)
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, wrongKind("a duration", decoded)
		}
		return types.Duration{Duration: d}, nil
	case Optional:
		if decoded == nil {
			return types.OptionalNone, nil
		}
		elem, _ := t.Elem()
		v, err := l.decode(elem, raw, decoded)
		if err != nil {
			return nil, err
		}
		return types.OptionalOf(v), nil
	case Object:
		if s, ok := t.object(); ok && s.goType != nil {
			ptr := reflect.New(s.goType)
			if err := json.Unmarshal(raw, ptr.Interface()); err != nil {
				return nil, err
			}
			return &object{typ: s, ptr: ptr.Interface()}, nil
		}
		return read(readObject)
	case List, Map:
		return l.decodeParts(t, raw)
	}
	return l.model.NativeToValue(decoded), nil
}

func (l *Language) decodeParts(t Type, raw json.RawMessage) (ref.Val, error) {
	elem, _ := t.Elem()
	one := func(raw json.RawMessage) (ref.Val, error) {
		decoded, err := decodeJSON(raw)
		if err != nil {
			return nil, err
		}
		return l.decode(elem, raw, decoded)
	}
	if t.IsList() {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, err
		}
		vals := make([]ref.Val, len(items))
		for i, item := range items {
			v, err := one(item)
			if err != nil {
				return nil, err
			}
			vals[i] = v
		}
		return types.NewRefValList(l.model, vals), nil
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	vals := make(map[string]any, len(entries))
	for name, entry := range entries {
		v, err := one(entry)
		if err != nil {
			return nil, err
		}
		vals[name] = v
	}
	return types.NewStringInterfaceMap(l.model, vals), nil
}

// JSONValue makes a value of JSON of unknown shape.
func (l *Language) JSONValue(raw json.RawMessage) (Value, error) { return l.Decode(DynType(), raw) }

// TextValue makes a value of text.
func TextValue(s string) Value { return Value{types.String(s)} }
