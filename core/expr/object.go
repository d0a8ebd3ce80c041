package expr

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/shophand/shophand/sdk/commerce"
)

// structType is an object type: one of the common model's structs, an event, the steps of a flow, or an
// object that a schema describes.
type structType struct {
	// name identifies the type. It starts with "@", so that no expression can name it.
	name   string
	label  string // in the words of findings
	cel    *types.Type
	fields map[string]*types.FieldType
	names  []string
	// goType is the struct behind the object, nil for objects of JSON.
	goType reflect.Type
	// adapter turns what a field holds into a value, for objects of the common model.
	adapter types.Adapter
	// explain says what to tell of a field that does not exist, where there is more to say than that.
	explain func(field string) (message, fix string)
}

func newStructType(name, label string) *structType {
	return &structType{
		name: name, label: label, cel: types.NewObjectType(name), fields: make(map[string]*types.FieldType),
	}
}

func (s *structType) add(name string, f *types.FieldType) {
	if _, ok := s.fields[name]; !ok {
		s.names = append(s.names, name)
	}
	s.fields[name] = f
}

// registry finds object types by name. It is the type provider of CEL.
type registry struct {
	structs map[string]*structType
	parents []*registry
}

var _ types.Provider = (*registry)(nil)

func newRegistry(parents ...*registry) *registry {
	return &registry{structs: make(map[string]*structType), parents: parents}
}

func (r *registry) register(s *structType) { r.structs[s.name] = s }

func (r *registry) find(name string) (*structType, bool) {
	if s, ok := r.structs[name]; ok {
		return s, true
	}
	for _, p := range r.parents {
		if s, ok := p.find(name); ok {
			return s, true
		}
	}
	return nil, false
}

// EnumValue implements types.Provider; there are no enumerations.
func (r *registry) EnumValue(string) ref.Val {
	return types.NewErrFromString("there are no enumerations")
}

// FindIdent implements types.Provider; types have no names in expressions.
func (r *registry) FindIdent(string) (ref.Val, bool) { return nil, false }

// FindStructType implements types.Provider.
func (r *registry) FindStructType(name string) (*types.Type, bool) {
	if s, ok := r.find(name); ok {
		return types.NewTypeTypeWithParam(s.cel), true
	}
	return nil, false
}

// FindStructFieldNames implements types.Provider.
func (r *registry) FindStructFieldNames(name string) ([]string, bool) {
	if s, ok := r.find(name); ok {
		return s.names, true
	}
	return nil, false
}

// FindStructFieldType implements types.Provider.
func (r *registry) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if s, ok := r.find(name); ok {
		f, ok := s.fields[field]
		return f, ok
	}
	return nil, false
}

// NewValue implements types.Provider; expressions make no objects.
func (r *registry) NewValue(string, map[string]ref.Val) ref.Val {
	return types.NewErrFromString("objects are not made in expressions")
}

// model is the registry of Go structs. Reading a field of one is an index into the struct that was computed
// when the model was built; nothing is converted that is not read.
type model struct {
	*registry
	byGoType map[reflect.Type]*structType
	err      error // the first field of a type that expressions cannot read
}

func newModel() *model {
	return &model{registry: newRegistry(), byGoType: make(map[reflect.Type]*structType)}
}

// addStruct registers the struct type t and all that its fields lead to, under their JSON names.
func (m *model) addStruct(t reflect.Type) *structType {
	if s, ok := m.byGoType[t]; ok {
		return s
	}
	label := words(t.Name())
	s := newStructType("@"+t.Name(), label)
	s.goType, s.adapter = t, m
	m.byGoType[t] = s
	m.register(s)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		s.add(name, m.field(f.Type, i))
	}
	return s
}

// words turns a Go name into the words of findings: LineItem is "line item".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte(' ')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// field returns how the field of type t at index i of a struct is seen and read.
func (m *model) field(t reflect.Type, i int) *types.FieldType {
	celType, read := m.reader(t)
	return &types.FieldType{
		Type: celType,
		IsSet: func(obj any) bool {
			v, err := structOf(obj)
			if err != nil {
				return false
			}
			v = v.Field(i)
			if v.Kind() == reflect.Struct {
				if e := v.FieldByName("Exists"); e.IsValid() && e.Kind() == reflect.Bool {
					return e.Bool()
				}
			}
			return !v.IsZero()
		},
		GetFrom: func(obj any) (any, error) {
			v, err := structOf(obj)
			if err != nil {
				return nil, err
			}
			return read(v.Field(i)), nil
		},
	}
}

func structOf(obj any) (reflect.Value, error) {
	v := reflect.ValueOf(obj)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("an object was expected, not %T", obj)
	}
	return v.Elem(), nil
}

// reader returns the CEL type of Go's type t, and how an addressable value of it becomes a CEL value.
// Nested structs are passed on as pointers into the event, which nobody changes.
func (m *model) reader(t reflect.Type) (*types.Type, func(reflect.Value) any) {
	switch t {
	case reflect.TypeFor[commerce.Decimal]():
		return decimalType, func(v reflect.Value) any {
			return (*decimal)(v.Addr().Interface().(*commerce.Decimal))
		}
	case reflect.TypeFor[time.Time]():
		return types.TimestampType, func(v reflect.Value) any {
			return types.Timestamp{Time: *v.Addr().Interface().(*time.Time)}
		}
	}
	switch t.Kind() {
	case reflect.String:
		return types.StringType, func(v reflect.Value) any { return types.String(v.String()) }
	case reflect.Bool:
		return types.BoolType, func(v reflect.Value) any { return types.Bool(v.Bool()) }
	case reflect.Int64:
		return types.IntType, func(v reflect.Value) any { return types.Int(v.Int()) }
	case reflect.Struct:
		return m.addStruct(t).cel, func(v reflect.Value) any { return v.Addr().Interface() }
	case reflect.Pointer:
		elem, read := m.reader(t.Elem())
		return types.NewOptionalType(elem), func(v reflect.Value) any {
			if v.IsNil() {
				return types.OptionalNone
			}
			return types.OptionalOf(read(v.Elem()).(ref.Val))
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return types.NewListType(types.StringType), func(v reflect.Value) any {
				return types.NewStringList(m, *v.Addr().Interface().(*[]string))
			}
		}
		if t.Elem().Kind() == reflect.Struct {
			elem := m.addStruct(t.Elem())
			return types.NewListType(elem.cel), func(v reflect.Value) any { return objects(m, elem, v) }
		}
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return types.NewMapType(types.StringType, types.StringType), func(v reflect.Value) any {
				return types.NewStringStringMap(m, *v.Addr().Interface().(*map[string]string))
			}
		}
	}
	if m.err == nil {
		m.err = fmt.Errorf("the common model has a field of type %v, which expressions cannot read", t)
	}
	return types.DynType, func(reflect.Value) any { return types.NullValue }
}

// objects makes a list of a slice of structs.
func objects(a types.Adapter, elem *structType, slice reflect.Value) ref.Val {
	n := slice.Len()
	list, vals := make([]object, n), make([]ref.Val, n)
	for i := range n {
		list[i] = object{typ: elem, ptr: slice.Index(i).Addr().Interface()}
		vals[i] = &list[i]
	}
	return types.NewRefValList(a, vals)
}

// object is a struct of the common model as a value of CEL.
type object struct {
	typ *structType
	ptr any // pointer to the struct
}

var (
	_ ref.Val            = (*object)(nil)
	_ traits.Indexer     = (*object)(nil)
	_ traits.FieldTester = (*object)(nil)
)

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(to reflect.Type) (any, error) {
	if t := reflect.TypeOf(o.ptr); t.AssignableTo(to) {
		return o.ptr, nil
	}
	return nil, fmt.Errorf("%s cannot become %v", o.typ.label, to)
}

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(to ref.Type) ref.Val {
	if to.TypeName() == types.TypeType.TypeName() {
		return o.typ.cel
	}
	return types.NewErr("%s cannot become %s", o.typ.label, to.TypeName())
}

// Equal implements ref.Val.
func (o *object) Equal(ref.Val) ref.Val {
	return types.NewErr("objects are not compared: compare a field of %s", o.typ.label)
}

// Get implements traits.Indexer, for objects whose type was not known when the expression was compiled.
func (o *object) Get(index ref.Val) ref.Val {
	f, err := o.field(index)
	if err != nil {
		return types.WrapErr(err)
	}
	v, err := f.GetFrom(o.ptr)
	if err != nil {
		return types.WrapErr(err)
	}
	return o.typ.adapter.NativeToValue(v)
}

// IsSet implements traits.FieldTester.
func (o *object) IsSet(index ref.Val) ref.Val {
	f, err := o.field(index)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(f.IsSet(o.ptr))
}

func (o *object) field(index ref.Val) (*types.FieldType, error) {
	name, ok := index.(types.String)
	if !ok {
		return nil, fmt.Errorf("a field is named by text, not %v", index)
	}
	f, ok := o.typ.fields[string(name)]
	if !ok {
		return nil, fmt.Errorf("%s has no field %q", o.typ.label, string(name))
	}
	return f, nil
}

// Type implements ref.Val.
func (o *object) Type() ref.Type { return o.typ.cel }

// Value implements ref.Val: the pointer, from which fields are read.
func (o *object) Value() any { return o.ptr }
