package flow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/core/expr"
)

// checkValue holds what a step gives to an action against the action's schema, as far as it is known before
// any run: names, required inputs, the types of constants and of expressions.
func (c *compilation) checkValue(n *yaml.Node, v *Value, schema *jsonschema.Schema, what string) {
	if v == nil || schema == nil {
		return
	}
	switch {
	case v.isMap:
		c.checkMapping(n, v, schema, what)
	case v.isList:
		if !allows(schema, "array") {
			c.wrong(n, fmt.Sprintf("%s takes %s, and this is a list", what, wants(schema)), "write "+wants(schema))
			return
		}
		for i, item := range v.list {
			if i < len(n.Content) {
				c.checkValue(n.Content[i], item, schema.Items, fmt.Sprintf("%s[%d]", what, i))
			}
		}
	case v.template != nil:
		if t, ok := v.exprType(); ok && !fits(t, schema) {
			c.wrong(n, fmt.Sprintf("%s takes %s, and %s is %s", what, wants(schema), n.Value, t), "write an expression that is "+wants(schema))
		}
	default:
		c.checkLiteral(n, v, schema, what)
	}
}

func (c *compilation) checkMapping(n *yaml.Node, v *Value, schema *jsonschema.Schema, what string) {
	if !allows(schema, "object") {
		c.wrong(n, fmt.Sprintf("%s takes %s, and this is a mapping", what, wants(schema)), "write "+wants(schema))
		return
	}
	names := make([]string, 0, len(schema.Properties))
	for name := range schema.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	at := 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if at >= len(v.names) || v.names[at] != key.Value {
			continue // refused before
		}
		sub := schema.Properties[key.Value]
		switch {
		case sub != nil:
		case schema.AdditionalProperties != nil && isFalse(schema.AdditionalProperties):
			c.wrong(key, fmt.Sprintf("%s has no input %q", what, key.Value), didYouMean(key.Value, names))
		default:
			sub = schema.AdditionalProperties
		}
		c.checkValue(value, v.fields[at], sub, inputName(what, key.Value))
		at++
	}
	for _, name := range schema.Required {
		if !contains(v.names, name) {
			c.wrong(n, fmt.Sprintf("%s needs %s", what, name), fmt.Sprintf("add %s: with %s", name, wants(schema.Properties[name])))
		}
	}
}

// inputName names an input as people do: "url" of http/request, "to.city" of what is in it.
func inputName(what, name string) string {
	if strings.Contains(what, "/") {
		return name
	}
	return what + "." + name
}

func (c *compilation) checkLiteral(n *yaml.Node, v *Value, schema *jsonschema.Schema, what string) {
	kind := "null"
	switch raw := v.literal; {
	case raw[0] == '"':
		kind = "string"
	case raw[0] == 't', raw[0] == 'f':
		kind = "boolean"
	case strings.ContainsRune(string(raw), '.'):
		kind = "number"
	case raw[0] != 'n':
		kind = "integer"
	}
	if !allows(schema, kind) {
		c.wrong(n, fmt.Sprintf("%s takes %s, and %s is %s", what, wants(schema), n.Value, word(kind)), "write "+wants(schema))
		return
	}
	if len(schema.Enum) > 0 {
		var value any
		_ = json.Unmarshal(v.literal, &value)
		if !slices.ContainsFunc(schema.Enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(value) }) {
			var names []string
			for _, e := range schema.Enum {
				names = append(names, fmt.Sprint(e))
			}
			c.wrong(n, fmt.Sprintf("%s cannot be %s", what, n.Value), didYouMean(n.Value, names))
		}
	}
}

func isFalse(s *jsonschema.Schema) bool { return s.Not != nil }

// allows tells whether a schema takes values of a JSON type. A schema without types takes all.
func allows(s *jsonschema.Schema, kind string) bool {
	types := schemaTypes(s)
	return len(types) == 0 || contains(types, kind) || kind == "integer" && contains(types, "number")
}

func schemaTypes(s *jsonschema.Schema) []string {
	if s == nil {
		return nil
	}
	if s.Type != "" {
		return []string{s.Type}
	}
	return s.Types
}

// fits tells whether an expression of that type can give what the schema takes. A decimal becomes a JSON
// string, so it fits where text does.
func fits(t expr.Type, s *jsonschema.Schema) bool {
	switch t.Kind() {
	case expr.Bool:
		return allows(s, "boolean")
	case expr.Text:
		return allows(s, "string")
	case expr.Time, expr.Duration, expr.Decimal:
		return allows(s, "string")
	case expr.Int:
		return allows(s, "integer")
	case expr.List:
		return allows(s, "array")
	case expr.Map, expr.Object:
		return allows(s, "object")
	}
	return true
}

// wants says in words what a schema takes.
func wants(s *jsonschema.Schema) string {
	if s == nil {
		return "a value"
	}
	if s.Format == "decimal" {
		return "a decimal number"
	}
	var words []string
	for _, t := range schemaTypes(s) {
		if t != "null" {
			words = append(words, word(t))
		}
	}
	if len(words) == 0 {
		return "a value"
	}
	return strings.Join(words, " or ")
}

func word(kind string) string {
	switch kind {
	case "string":
		return "a text"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "a mapping"
	}
	return "nothing"
}
