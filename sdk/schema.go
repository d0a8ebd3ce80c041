package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk/commerce"
)

// refiner is implemented by structs that say more about their schema than tags can.
type refiner interface{ JSONSchema(*jsonschema.Schema) }

// schema reads and checks values of type T.
type schema[T any] struct {
	document json.RawMessage
	resolved *jsonschema.Resolved
	defaults bool // some field has a default
}

// newSchema infers the schema of T, a struct.
func newSchema[T any]() (*schema[T], error) {
	if t := reflect.TypeFor[T](); t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[commerce.Decimal](): commerce.DecimalSchema(),
		reflect.TypeFor[Secret]():           secretSchema(),
		reflect.TypeFor[time.Time]():        {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage]():  {},
	}})
	if err != nil {
		return nil, err
	}
	var zero T
	if r, ok := any(zero).(refiner); ok {
		r.JSONSchema(s)
	} else if r, ok := any(&zero).(refiner); ok {
		r.JSONSchema(s)
	}
	document, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		return nil, err
	}
	out := &schema[T]{document: document, resolved: resolved}
	for _, p := range s.Properties {
		out.defaults = out.defaults || p.Default != nil
	}
	return out, nil
}

// decode checks a document as it came, before Go's decoding can bend it, fills in defaults and returns the
// value. Its errors name the field.
func (s *schema[T]) decode(raw json.RawMessage) (T, error) {
	var value T
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	var document map[string]any
	if err := decodeExact(raw, &document); err != nil {
		return value, fmt.Errorf("not a JSON object: %w", err)
	}
	if s.defaults {
		if err := s.resolved.ApplyDefaults(&document); err != nil {
			return value, err
		}
	}
	if err := s.resolved.Validate(document); err != nil {
		return value, plain(err)
	}
	if s.defaults {
		filled, err := json.Marshal(document)
		if err != nil {
			return value, err
		}
		raw = filled
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, err
	}
	return value, nil
}

// decodeExact keeps numbers digit for digit and refuses what follows the document.
func decodeExact(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// plain takes the library's path to the schema's keyword off a validation error, which says nothing to the
// author of a flow: what is wrong stands after the last colon group.
func plain(err error) error {
	parts := strings.Split(err.Error(), ": ")
	for len(parts) > 1 && strings.HasPrefix(parts[0], "validating ") {
		parts = parts[1:]
	}
	return errors.New(strings.Join(parts, ": "))
}
