package woosim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// encode writes JSON as PHP's json_encode does by default: / as \/, everything beyond ASCII as \u with small hex
// digits, and no other escapes than JSON asks for.
func encode(v any) []byte {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("woosim: " + err.Error()) // our own types, which can be encoded
	}
	return escape(bytes.TrimSuffix(plain.Bytes(), []byte("\n")))
}

// escape turns valid JSON into PHP's form. Slashes and characters beyond ASCII stand in JSON's strings only.
func escape(plain []byte) []byte {
	out := make([]byte, 0, len(plain)+len(plain)/8)
	for len(plain) > 0 {
		r, n := utf8.DecodeRune(plain)
		switch {
		case r == '/':
			out = append(out, '\\', '/')
		case r < utf8.RuneSelf:
			out = append(out, plain[0])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		plain = plain[n:]
	}
	return out
}
