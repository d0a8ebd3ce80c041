package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/core/expr"
)

// Value is a value that a step is given: JSON with expressions in it.
type Value struct {
	literal  json.RawMessage // of a scalar without expressions
	template *Expression     // of a text with ${…}
	list     []*Value
	names    []string // of a mapping, in the order of the text
	fields   []*Value
	isList   bool
	isMap    bool
}

// Eval returns the value as JSON.
func (v *Value) Eval(vars expr.Values) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	var b bytes.Buffer
	if err := v.write(&b, vars); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// EvalExpr returns the value of a lone expression or text, with its type.
func (v *Value) EvalExpr(vars expr.Values) (expr.Value, error) {
	return v.template.Eval(vars)
}

// Text returns the value as text: a JSON string without its quotes, anything else as JSON.
func (v *Value) Text(vars expr.Values) (string, error) {
	raw, err := v.Eval(vars)
	if err != nil {
		return "", err
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	return string(raw), nil
}

func (v *Value) write(b *bytes.Buffer, vars expr.Values) error {
	switch {
	case v.isMap:
		b.WriteByte('{')
		for i, f := range v.fields {
			if i > 0 {
				b.WriteByte(',')
			}
			name, err := json.Marshal(v.names[i])
			if err != nil {
				return err
			}
			b.Write(name)
			b.WriteByte(':')
			if err := f.write(b, vars); err != nil {
				return fmt.Errorf("%s: %w", v.names[i], err)
			}
		}
		b.WriteByte('}')
	case v.isList:
		b.WriteByte('[')
		for i, item := range v.list {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := item.write(b, vars); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		b.WriteByte(']')
	case v.template != nil:
		value, err := v.EvalExpr(vars)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b.Write(raw)
	default:
		b.Write(v.literal)
	}
	return nil
}

// exprType returns the type of a value that is one expression.
func (v *Value) exprType() (expr.Type, bool) {
	if v == nil || v.template == nil || v.template.Program == nil {
		return expr.Type{}, false
	}
	return v.template.Program.Type(), true
}

// value compiles a node of with: and the like.
func (c *compilation) value(n *yaml.Node, s scope) *Value {
	null := &Value{literal: json.RawMessage("null")}
	refused := &Value{template: &Expression{Broken: "the flow's text is wrong here"}}
	if n == nil {
		return null
	}
	if !c.plain(n) {
		return refused
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := &Value{isMap: true}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Value == "<<":
				c.wrong(key, "<< is a YAML merge key", "write the keys out")
			case contains(out.names, key.Value):
				c.wrong(key, fmt.Sprintf("%s stands twice", key.Value), "keep one of them")
			default:
				out.names = append(out.names, key.Value)
				out.fields = append(out.fields, c.value(n.Content[i+1], s))
			}
		}
		return out
	case yaml.SequenceNode:
		out := &Value{isList: true}
		for _, item := range n.Content {
			out.list = append(out.list, c.value(item, s))
		}
		return out
	}
	switch n.ShortTag() {
	case "!!null":
		return null
	case "!!bool":
		if n.Value == "true" || n.Value == "false" {
			return &Value{literal: json.RawMessage(n.Value)}
		}
		c.wrong(n, fmt.Sprintf("YAML reads %s as true or false", n.Value), "write true or false, or quote it: "+quoted(n.Value))
		return refused
	case "!!int", "!!float":
		if regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`).MatchString(n.Value) {
			return &Value{literal: json.RawMessage(n.Value)}
		}
		c.wrong(n, fmt.Sprintf("YAML reads %s as a number of another form", n.Value), "write it in plain digits, or quote it: "+quoted(n.Value))
		return refused
	}
	return c.textValue(n, s)
}

func (c *compilation) textValue(n *yaml.Node, s scope) *Value {
	if !strings.Contains(n.Value, "${") {
		literal, err := json.Marshal(n.Value)
		if err != nil {
			c.wrong(n, err.Error(), "write a text")
		}
		return &Value{literal: literal}
	}
	env, err := c.env(s)
	if err != nil {
		c.wrong(n, err.Error(), "this is a bug of Shophand: please report it")
		return &Value{literal: json.RawMessage("null")}
	}
	program, problems := env.CompileTemplate(n.Value)
	e := &Expression{Text: n.Value, Program: program}
	e.Broken = c.problems(n, n.Value, problems)
	return &Value{template: e}
}
