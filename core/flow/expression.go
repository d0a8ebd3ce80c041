package flow

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/core/expr"
)

// env returns the environment of the expressions at a place.
func (c *compilation) env(s scope) (*expr.Env, error) {
	hidden := map[string]string{}
	for id, why := range c.hidden {
		if _, ok := s.steps[id]; !ok {
			hidden[id] = why
		}
	}
	return c.language.Env(expr.Scope{Objects: c.objects, Types: c.types, Steps: s.steps, Hidden: hidden, Locals: s.locals})
}

// condition compiles an expression that is true or false.
func (c *compilation) condition(key, n *yaml.Node, s scope) *Expression {
	e := c.expression(n, s)
	if e == nil || e.Program == nil {
		return e
	}
	if t := e.Program.Type(); !t.IsBool() && !t.IsDyn() {
		c.wrong(n, fmt.Sprintf("%s needs true or false, and %s is %s", key.Value, e.Text, t), "compare it with something")
	}
	return e
}

// expression compiles a CEL expression. Where YAML would silently make something else of the text than what
// stands there, the finding shows the form that keeps it.
func (c *compilation) expression(n *yaml.Node, s scope) *Expression {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode && isNull(n) && n.Style&yaml.TaggedStyle == 0 {
		c.wrong(n, "the expression is empty", "write one, or leave the line out")
		return nil
	}
	text, ok := c.text(n, "an expression")
	if !ok {
		return nil
	}
	if inner, ok := strings.CutPrefix(strings.TrimSpace(text), "${"); ok && strings.HasSuffix(inner, "}") {
		c.wrong(n, "this is an expression already, without ${…}", "write "+quoted(strings.TrimSuffix(inner, "}")))
		return nil
	}
	env, err := c.env(s)
	if err != nil {
		c.wrong(n, err.Error(), "this is a bug of Shophand: please report it")
		return nil
	}
	program, problems := env.Compile(text)
	e := &Expression{Text: text, Program: program}
	e.Broken = c.problems(n, text, problems)
	return e
}

// problems turns an expression's problems into findings at their place in the file and returns them as text.
func (c *compilation) problems(n *yaml.Node, text string, problems []expr.Problem) string {
	var all []string
	for _, p := range problems {
		f := Finding{Line: n.Line, Column: n.Column, Message: p.Message, Fix: p.Fix}
		switch {
		case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			f.Line += p.Line // the text begins on the line behind the indicator
			f.Column = p.Column
		case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
			f.Column += p.Column // the quote
		case cutByComment(n, text):
			f.Message = fmt.Sprintf("YAML takes %s for a comment and leaves %s", n.LineComment, text)
			f.Fix = "quote it: " + quoted(text+" "+n.LineComment)
		default:
			f.Column += p.Column - 1
		}
		c.findings = append(c.findings, f)
		all = append(all, p.Message)
	}
	return strings.Join(all, "; ")
}

// cutByComment tells whether a comment behind an unquoted expression has swallowed a part of it: a quote that
// was opened before it is closed in it.
func cutByComment(n *yaml.Node, text string) bool {
	return n.LineComment != "" && (strings.Count(text, `"`)%2 == 1 || strings.Count(text, `'`)%2 == 1)
}
