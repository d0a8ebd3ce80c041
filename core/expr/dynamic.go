package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/shophand/shophand/sdk/commerce"
)

// decodeJSON reads JSON without losing a digit: numbers stay text until they are used.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is not JSON: there is more after its end")
	}
	return v, nil
}

// NativeToValue implements types.Adapter for what expressions read: values of CEL, decoded JSON and the
// structs of the common model.
func (m *model) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case ref.Val:
		return v
	case nil:
		return types.NullValue
	case string:
		return types.String(v)
	case bool:
		return types.Bool(v)
	case json.Number:
		return number(v)
	case map[string]any:
		return types.NewStringInterfaceMap(m, v)
	case []any:
		return types.NewDynamicList(m, v)
	case []ref.Val:
		return types.NewRefValList(m, v)
	}
	if t := reflect.TypeOf(v); t.Kind() == reflect.Pointer {
		if s, ok := m.byGoType[t.Elem()]; ok {
			return &object{typ: s, ptr: v}
		}
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// number is an int where the JSON number has neither fraction nor exponent and fits, else a decimal.
func number(n json.Number) ref.Val {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
			return types.Int(i)
		}
	}
	d, err := commerce.ParseDecimal(string(n))
	if err != nil {
		return types.WrapErr(err)
	}
	return newDecimal(d)
}

// describe names a value of decoded JSON in the words of findings.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "the text " + quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

// jsonType says how a place in JSON is seen and read. A nil read leaves the decoded value as it is.
type jsonType struct {
	cel *types.Type
	// read checks and converts a decoded value that is there; the error says what it is instead.
	read func(v any) (any, error)
	// empty is what stands for a value that is absent or null and may be.
	empty any
}

func wrongKind(want string, v any) error {
	return fmt.Errorf("it is %s where %s is promised", describe(v), want)
}

func readText(v any) (any, error) {
	if s, ok := v.(string); ok {
		return types.String(s), nil
	}
	return nil, wrongKind("text", v)
}

func readBool(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return types.Bool(b), nil
	}
	return nil, wrongKind("true or false", v)
}

func readInt(v any) (any, error) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, wrongKind("a whole number", v)
	}
	switch n := number(n).(type) {
	case types.Int:
		return n, nil
	case *decimal: // JSON Schema calls 2.0 an integer too
		if i, ok := n.number().Floor(); ok && n.number().Cmp(commerce.DecimalFromInt(i)) == 0 {
			return types.Int(i), nil
		}
	}
	return nil, wrongKind("a whole number", v)
}

func readDecimal(v any) (any, error) {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = string(v)
	case string:
		s = strings.TrimSpace(v)
	default:
		return nil, wrongKind("a number", v)
	}
	d, err := commerce.ParseDecimal(s)
	if err != nil {
		return nil, wrongKind("a number", v)
	}
	return newDecimal(d), nil
}

func readTime(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, wrongKind("a time", v)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, wrongKind("a time", v)
	}
	return types.Timestamp{Time: t.UTC()}, nil
}

func readObject(v any) (any, error) {
	if m, ok := v.(map[string]any); ok {
		return m, nil
	}
	return nil, wrongKind("an object", v)
}

// value reads v, which is null or absent where present is false.
func (t jsonType) value(v any, present bool) (any, error) {
	if !present || v == nil {
		if t.empty != nil {
			return t.empty, nil
		}
		if !present {
			return nil, errors.New("it is missing")
		}
		if t.read == nil {
			return types.NullValue, nil
		}
	}
	if t.read == nil {
		return v, nil
	}
	return t.read(v)
}
