package expr

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/google/jsonschema-go/jsonschema"
)

// maxSchemaDepth bounds how deep a schema is followed; below it, and where it refers to itself, all is dyn.
const maxSchemaDepth = 16

// schemaReader makes types of the JSON Schema of a step's output. Objects with properties become object
// types of their own, other objects maps, and what a schema leaves open is dyn. A property that may be null
// is optional where it is a scalar, else empty; one that may be left out is the zero of its type, as in Go.
type schemaReader struct {
	model *model
	reg   *registry
	root  *jsonschema.Schema
	refs  map[string]jsonType // types behind references; dyn while they are being read
}

func (r *schemaReader) typeOf(s *jsonschema.Schema, name, label string, depth int) jsonType {
	dyn := jsonType{cel: types.DynType}
	if s == nil || depth > maxSchemaDepth {
		return dyn
	}
	if s.Ref != "" {
		if t, ok := r.refs[s.Ref]; ok {
			return t
		}
		r.refs[s.Ref] = dyn
		if target, ok := r.resolve(s.Ref); ok {
			r.refs[s.Ref] = r.typeOf(target, name, label, depth+1)
		}
		return r.refs[s.Ref]
	}
	kinds, nullable := schemaKinds(s)
	var t jsonType
	switch {
	case s.Format == "decimal" || slices.Equal(kinds, []string{"number"}) ||
		slices.Equal(kinds, []string{"number", "string"}) || slices.Equal(kinds, []string{"integer", "number"}):
		t = jsonType{cel: decimalType, read: readDecimal}
	case len(kinds) != 1:
		return dyn
	case kinds[0] == "string" && s.Format == "date-time":
		t = jsonType{cel: types.TimestampType, read: readTime}
	case kinds[0] == "string":
		t = jsonType{cel: types.StringType, read: readText}
	case kinds[0] == "integer":
		t = jsonType{cel: types.IntType, read: readInt}
	case kinds[0] == "boolean":
		t = jsonType{cel: types.BoolType, read: readBool}
	case kinds[0] == "array":
		return r.list(r.typeOf(s.Items, name+"[]", label+" item", depth+1), nullable)
	case kinds[0] == "object" && len(s.Properties) > 0:
		return r.object(s, name, label, nullable, depth)
	case kinds[0] == "object" && s.AdditionalProperties != nil && !isFalse(s.AdditionalProperties):
		return r.mapOf(r.typeOf(s.AdditionalProperties, name+"{}", label+" entry", depth+1), nullable)
	default:
		return dyn
	}
	if nullable {
		return optional(t)
	}
	return t
}

// schemaKinds returns the JSON types that the schema allows, sorted, without null.
func schemaKinds(s *jsonschema.Schema) (kinds []string, nullable bool) {
	all := s.Types
	if s.Type != "" {
		all = []string{s.Type}
	}
	for _, k := range all {
		if k == "null" {
			nullable = true
		} else {
			kinds = append(kinds, k)
		}
	}
	if kinds == nil && s.Properties != nil {
		kinds = []string{"object"}
	}
	slices.Sort(kinds)
	return kinds, nullable
}

func isFalse(s *jsonschema.Schema) bool {
	return s.Not != nil && s.Not.Type == "" && s.Not.Types == nil && s.Not.Properties == nil
}

func optional(t jsonType) jsonType {
	return jsonType{
		cel: types.NewOptionalType(t.cel),
		read: func(v any) (any, error) {
			got, err := t.read(v)
			if err != nil {
				return nil, err
			}
			return types.OptionalOf(got.(ref.Val)), nil
		},
		empty: types.OptionalNone,
	}
}

func (r *schemaReader) list(elem jsonType, nullable bool) jsonType {
	t := jsonType{cel: types.NewListType(elem.cel), read: func(v any) (any, error) {
		list, ok := v.([]any)
		if !ok {
			return nil, wrongKind("a list", v)
		}
		if elem.read == nil {
			return list, nil
		}
		vals := make([]ref.Val, len(list))
		for i, e := range list {
			got, err := elem.value(e, true)
			if err != nil {
				return nil, fmt.Errorf("its item %d: %w", i, err)
			}
			vals[i] = r.model.NativeToValue(got)
		}
		return vals, nil
	}}
	if nullable {
		t.empty = []any{}
	}
	return t
}

func (r *schemaReader) mapOf(elem jsonType, nullable bool) jsonType {
	t := jsonType{cel: types.NewMapType(types.StringType, elem.cel), read: func(v any) (any, error) {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, wrongKind("an object", v)
		}
		if elem.read == nil {
			return m, nil
		}
		vals := make(map[string]any, len(m))
		for k, e := range m {
			got, err := elem.value(e, true)
			if err != nil {
				return nil, fmt.Errorf("its entry %q: %w", k, err)
			}
			vals[k] = got
		}
		return vals, nil
	}}
	if nullable {
		t.empty = map[string]any{}
	}
	return t
}

func (r *schemaReader) object(s *jsonschema.Schema, name, label string, nullable bool, depth int) jsonType {
	st := newStructType(name, label)
	r.reg.register(st)
	for _, prop := range propertyOrder(s) {
		t := r.typeOf(s.Properties[prop], name+"."+prop, label+"."+prop, depth+1)
		if !slices.Contains(s.Required, prop) && t.empty == nil {
			t = r.zero(t)
		}
		st.add(prop, jsonField(prop, t))
	}
	t := jsonType{cel: st.cel, read: readObject}
	if nullable {
		t.empty = map[string]any{}
	}
	return t
}

// zero makes a type that may be absent: the zero of its kind stands for it; a time has none and is optional.
func (r *schemaReader) zero(t jsonType) jsonType {
	switch t.cel.Kind() {
	case types.StringKind:
		t.empty = types.String("")
	case types.IntKind:
		t.empty = types.IntZero
	case types.BoolKind:
		t.empty = types.False
	case types.ListKind:
		t.empty = []any{}
	case types.MapKind, types.StructKind:
		t.empty = map[string]any{}
	case types.TimestampKind:
		return optional(t)
	case types.OpaqueKind:
		t.empty = &decimal{}
	}
	return t
}

func propertyOrder(s *jsonschema.Schema) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	at := func(name string) int {
		if i := slices.Index(s.PropertyOrder, name); i >= 0 {
			return i
		}
		return len(s.PropertyOrder)
	}
	slices.SortStableFunc(names, func(a, b string) int { return at(a) - at(b) })
	return names
}

// jsonField reads one property of a decoded JSON object.
func jsonField(prop string, t jsonType) *types.FieldType {
	return &types.FieldType{
		Type: t.cel,
		IsSet: func(obj any) bool {
			m, ok := obj.(map[string]any)
			return ok && m[prop] != nil
		},
		GetFrom: func(obj any) (any, error) {
			m, ok := obj.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("an object was expected, not %s", describe(obj))
			}
			v, present := m[prop]
			got, err := t.value(v, present)
			if err != nil {
				return nil, fieldError{prop, err}
			}
			return got, nil
		},
	}
}

// fieldError says what is wrong with the value of a field, so that an error can name the whole path.
type fieldError struct {
	field string
	err   error
}

func (e fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e fieldError) Unwrap() error { return e.err }

// resolve follows a reference within the schema: "#/$defs/Name", "#/definitions/Name", "#".
func (r *schemaReader) resolve(pointer string) (*jsonschema.Schema, bool) {
	if pointer == "#" {
		return r.root, true
	}
	for prefix, defs := range map[string]map[string]*jsonschema.Schema{
		"#/$defs/": r.root.Defs, "#/definitions/": r.root.Definitions,
	} {
		if name, ok := strings.CutPrefix(pointer, prefix); ok {
			s, ok := defs[name]
			return s, ok
		}
	}
	return nil, false
}

// decodeStep reads the output of a step as its schema promises it.
func decodeStep(raw json.RawMessage, t jsonType) (any, error) {
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, err
	}
	return t.value(v, true)
}
