package connectortest

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

// hostile checks bodies that a platform does not send: those that can be nothing are rejected; those that are
// a case's body with one value replaced are rejected, or come to events that keep the rules. Bulk is tried with
// the first case of a kind only.
func hostile(t *testing.T, s Subject, c Case, firstOfKind bool) {
	t.Helper()
	bodies := nonsense(c.Body)
	if firstOfKind {
		maps.Copy(bodies, bulk())
	}
	for name, body := range bodies {
		events, err := Translate(t, s.Connector, s.delivery(c.Header, body))
		if err == nil {
			t.Errorf("a body that is %s: %d events and no error", name, len(events))
		}
	}
	if testing.Short() || !json.Valid(c.Body) || len(c.Body) > 64<<10 {
		return
	}
	all := mutations(c.Body)
	few := 50
	if firstOfKind {
		few = 400
	}
	step := max(len(all)/few, 1)
	for i := len(c.Name) % step; i < len(all); i += step { // other ones in each case
		body := all[i]
		_, _ = Translate(t, s.Connector, s.delivery(c.Header, body))
		if t.Failed() {
			t.Fatalf("with the body %.3000s", body)
		}
	}
}

// nonsense are bodies that hold no event, whatever the topic.
func nonsense(body []byte) map[string][]byte {
	return map[string][]byte{
		"empty":              {},
		"white space":        []byte(" \n"),
		"not JSON":           []byte("<html><body>502 Bad Gateway</body></html>"),
		"null":               []byte("null"),
		"a string":           []byte(`"id"`),
		"a number":           []byte("7"),
		"true":               []byte("true"),
		"an array":           []byte("[]"),
		"an array of itself": append(append([]byte("["), body...), ']'),
		"an empty object":    []byte("{}"),
		"an object of nulls": []byte(`{"id":null,"token":null,"inventory_item_id":null,"order_id":null}`),
		"cut short":          body[:len(body)/2],
		"followed by more":   append(bytes.Clone(body), "{}"...),
		"a huge number":      []byte(`{"id":1e999999999,"total":1e999999999}`),
		"not UTF-8":          append(append([]byte("{\"x\":\"\xff\xfe\","), bytes.TrimLeft(body, " \t\r\n{")...), "\n"...),
	}
}

// bulk are bodies that hold no event and are big, or deep enough to exhaust a stack.
func bulk() map[string][]byte {
	return map[string][]byte{
		"a deep array":    bytes.Repeat([]byte("["), 1<<20),
		"a deep object":   bytes.Repeat([]byte(`{"id":`), 1<<18),
		"a deep document": []byte(strings.Repeat(`{"line_items":[`, 20000) + strings.Repeat("]}", 20000)),
		"5 MiB of space":  bytes.Repeat([]byte(" "), 5<<20),
		"5 MiB of text":   []byte(`{"name":"` + strings.Repeat("x", 5<<20) + `"}`),
	}
}

// replacements are what mutations put in the place of a value.
func replacements() []string {
	return []string{
		`""`, `"x"`, `" 1 "`, `0`, `-1`, `1.5`, `1e999999999`, `-9e-99999`, `123456789012345678901234567890`,
		`true`, `[]`, `{}`, `[null]`, `[{}]`, `["x",1,null]`, `{"id":1}`, `"0000-00-00T00:00:00"`, `"9999-99-99"`,
		`"\ud800\u0000"`, `"` + strings.Repeat("9", 400) + `"`, `"gid://shopify/Order/x"`, `"NaN"`,
	}
}

// mutations are bodies of which one value was replaced or left out. Each value is replaced by null and by some
// others, another few each time so that all come to their turn; of a list, the first element stands for all.
func mutations(body []byte) [][]byte {
	var out [][]byte
	all := replacements()
	var walk func(raw json.RawMessage, depth int, wrap func([]byte) []byte)
	walk = func(raw json.RawMessage, depth int, wrap func([]byte) []byte) {
		if depth > 0 {
			out = append(out, wrap([]byte("null")))
			for range max(6-2*depth, 1) {
				out = append(out, wrap([]byte(all[len(out)%len(all)])))
			}
		}
		switch raw[0] {
		case '{':
			of := members(raw)
			for i, m := range of {
				out = append(out, wrap(join(of, i, nil)))
				walk(m.value, depth+1, func(v []byte) []byte { return wrap(join(of, i, v)) })
			}
		case '[':
			if of := elements(raw); len(of) > 0 {
				walk(of[0], depth+1, func(v []byte) []byte { return wrap(append(append([]byte("["), v...), ']')) })
			}
		}
	}
	walk(bytes.TrimSpace(body), 0, func(v []byte) []byte { return v })
	return out
}

// join puts an object together with value in the place of the i-th one, or without that member.
func join(of []member, i int, value []byte) []byte {
	out := []byte{'{'}
	for j, m := range of {
		v := []byte(m.value)
		if j == i {
			if value == nil {
				continue
			}
			v = value
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.key...), ':'), v...)
	}
	return append(out, '}')
}
