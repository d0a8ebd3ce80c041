package woocommerce

import (
	"encoding/json"
	"html"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// loose is a scalar of a payload, whatever JSON type PHP gave it: the text of a string, the digits of a number,
// "1" for true. "" stands for all that means nothing there: null, false, "", and arrays and objects, since PHP
// writes [] for an empty anything.
type loose string

// UnmarshalJSON never fails.
func (l *loose) UnmarshalJSON(b []byte) error {
	*l = ""
	switch b[0] {
	case '"':
		*l = loose(unquote(b))
	case 't':
		*l = "1"
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		*l = loose(b)
	}
	return nil
}

// unquote reads a valid JSON string.
func unquote(b []byte) string {
	for _, c := range b[1 : len(b)-1] {
		if c == '\\' || c >= 0x80 {
			var s string
			_ = json.Unmarshal(b, &s) // valid: the decoder has checked it
			return s
		}
	}
	return string(b[1 : len(b)-1])
}

// maxIDLength is the length of the greatest id, an unsigned 64-bit number.
const maxIDLength = 20

// id returns l as an id: digits, not zero. WooCommerce writes 0 for "none".
func (l loose) id() string {
	if len(l) == 0 || len(l) > maxIDLength || l[0] == '0' {
		return ""
	}
	for _, c := range l {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return string(l)
}

// text returns l as it is.
func (l loose) text() string { return string(l) }

// title returns l with HTML's entities decoded: WordPress stores and sends titles with them, "Tea &amp; Co".
func (l loose) title() string { return html.UnescapeString(string(l)) }

// yes tells whether l is true in PHP's eyes, or in those of WooCommerce, which stores "yes" and "no".
func (l loose) yes() bool {
	switch l {
	case "", "0", "no", "false":
		return false
	}
	return true
}

// count returns l as a whole number, nil where it is none. Of 2.5, which plugins for goods by weight write, the
// whole part counts.
func (l loose) count() *int64 {
	s := strings.TrimSpace(string(l))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return &n
	}
	d, err := commerce.ParseDecimal(s)
	if err != nil {
		return nil
	}
	if n, ok := d.Floor(); ok {
		return &n
	}
	return nil
}

// decimal returns l as an amount with its digits; "" is 0. An amount that cannot be read is an error, never 0.
func (l loose) decimal() (commerce.Decimal, error) {
	s := strings.TrimSpace(string(l))
	if s == "" {
		return commerce.Decimal{}, nil
	}
	return commerce.ParseDecimal(s)
}

// time returns l, one of the fields named …_gmt, as a time; nil where it is none. WooCommerce writes no zone
// there and means UTC.
func (l loose) time() *time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339, time.DateTime} {
		t, err := time.Parse(layout, string(l))
		if err != nil {
			continue
		}
		// Outside of these years a time cannot be written in JSON, or is MySQL's "0000-00-00".
		if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
			return nil
		}
		return &t
	}
	return nil
}
