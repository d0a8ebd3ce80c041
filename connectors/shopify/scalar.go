package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// The scalars of Shopify's JSON. Each accepts null as nothing, and reports what it cannot take as a
// *json.UnmarshalTypeError, to which the decoder adds the path of the field.

func noScalar[T any](raw []byte) error {
	return &json.UnmarshalTypeError{Value: fmt.Sprintf("%.60s", raw), Type: reflect.TypeFor[T]()}
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// unquote returns the text of a JSON string; ok is false for any other value.
func unquote(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// id is the id of a resource, without prefix: 820982911946154508, "820982911946154508" and
// "gid://shopify/Order/820982911946154508" are the same. Digits are never read as a number: ids go beyond 2^53.
type id string

func (i *id) UnmarshalJSON(raw []byte) error {
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		s = string(raw)
		if s == "" || strings.Trim(s, "0123456789") != "" {
			return noScalar[id](raw)
		}
	}
	if s, ok = plainID(s); !ok {
		return noScalar[id](raw)
	}
	*i = id(s)
	return nil
}

// plainID takes the prefix gid://shopify/Kind/ off an id. Only printable ASCII without / is an id, since ids
// become parts of paths and identities. "" is none.
func plainID(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "gid://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		s = rest[strings.LastIndexByte(rest, '/')+1:]
		if s == "" {
			return "", false
		}
	}
	if len(s) > 255 {
		return "", false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '/' {
			return "", false
		}
	}
	return s, true
}

// amount is an exact decimal, written as text or number. "" is 0.
type amount struct {
	commerce.Decimal
	set bool // neither missing nor null
}

func (a *amount) UnmarshalJSON(raw []byte) error {
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		s = string(raw)
	} else if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	d, err := commerce.ParseDecimal(s)
	if err != nil {
		return noScalar[amount](raw)
	}
	*a = amount{d, true}
	return nil
}

// orElse returns the amount, or another where there is none.
func (a amount) orElse(b commerce.Decimal) commerce.Decimal {
	if a.set {
		return a.Decimal
	}
	return b
}

func (a amount) pointer() *commerce.Decimal {
	if !a.set {
		return nil
	}
	return &a.Decimal
}

// moment is a time in RFC 3339, made UTC. "" is none, and so is the year 1.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(raw []byte) error {
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		return noScalar[moment](raw)
	}
	if s == "" {
		return nil
	}
	t, ok := parseTime(s)
	if !ok {
		return noScalar[moment](raw)
	}
	m.Time = t
	return nil
}

// parseTime reads a time and makes it UTC. It refuses those that UTC takes out of the years that JSON can hold.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, false
	}
	t = t.UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

func (m moment) pointer() *time.Time {
	if m.IsZero() {
		return nil
	}
	return &m.Time
}

// version is a time as the version of a resource.
func (m moment) version() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339Nano)
}

// text is text where a person or an app may have put any value: a number keeps its digits, a list or an object
// its JSON.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return err
		}
		s = compact.String()
	}
	*t = text(s)
	return nil
}

// list is a list written as text with commas, as tags are, or as a list.
type list []string

func (l *list) UnmarshalJSON(raw []byte) error {
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		var all []string
		if err := json.Unmarshal(raw, &all); err != nil {
			return noScalar[list](raw)
		}
		*l = all
		return nil
	}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}

func (l list) strings() []string {
	if l == nil {
		return []string{}
	}
	return l
}

// pairs are named values, written as [{"name": …, "value": …}] or, in carts, as an object.
type pairs map[string]string

func (p *pairs) UnmarshalJSON(raw []byte) error {
	if isNull(raw) || string(raw) == "[]" || string(raw) == "{}" {
		return nil
	}
	out := pairs{}
	if raw[0] == '[' {
		var all []struct{ Name, Value text }
		if err := json.Unmarshal(raw, &all); err != nil {
			return noScalar[pairs](raw)
		}
		for _, e := range all {
			out[string(e.Name)] = string(e.Value)
		}
	} else {
		var all map[string]text
		if err := json.Unmarshal(raw, &all); err != nil {
			return noScalar[pairs](raw)
		}
		for name, value := range all {
			out[name] = string(value)
		}
	}
	*p = out
	return nil
}

func (p pairs) strings() map[string]string {
	if p == nil {
		return map[string]string{}
	}
	return p
}

// moneySet is an amount in the shop's currency and in the buyer's.
type moneySet struct {
	Shop        money `json:"shop_money"`
	Presentment money `json:"presentment_money"`
}

type money struct {
	Amount   amount `json:"amount"`
	Currency string `json:"currency_code"`
}
