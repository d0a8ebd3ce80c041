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
	defaults bool            // some field has a default
	secret   map[string]bool // fields whose values no error may quote
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
	out := &schema[T]{document: document, resolved: resolved, secret: map[string]bool{}}
	for name, p := range s.Properties {
		out.defaults = out.defaults || p.Default != nil
		if HoldsSecret(p) {
			out.secret[name] = true
		}
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
	if s.defaults {
		var exact map[string]any
		if err := decodeExact(raw, &exact); err != nil {
			return value, fmt.Errorf("not a JSON object: %w", err)
		}
		if err := s.resolved.ApplyDefaults(&exact); err != nil {
			return value, err
		}
		filled, err := json.Marshal(exact)
		if err != nil {
			return value, err
		}
		raw = filled
	}
	// The library takes a json.Number for text, so what it validates is decoded with floats; the value itself
	// is decoded from the digits.
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		return value, fmt.Errorf("not a JSON object: %w", err)
	}
	if err := s.resolved.Validate(document); err != nil {
		return value, s.plain(err)
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

// plain says a validation error without the library's path through the schema, of which only the names of
// the fields mean something to the author of a flow.
func (s *schema[T]) plain(err error) error {
	parts := strings.Split(err.Error(), ": ")
	var field []string
	for len(parts) > 1 && strings.HasPrefix(parts[0], "validating ") {
		field = nil
		path := strings.Split(strings.TrimPrefix(parts[0], "validating "), "/")
		for i := 1; i+1 < len(path); i++ {
			if path[i] == "properties" {
				field = append(field, path[i+1])
				i++
			}
		}
		parts = parts[1:]
	}
	text := strings.Join(parts, ": ")
	if len(field) > 0 && s.secret[field[0]] {
		text = "the value is not of the right form"
	}
	if len(field) > 0 {
		text = strings.Join(field, ".") + ": " + text
	}
	return errors.New(text)
}
