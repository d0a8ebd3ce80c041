package connectortest

import (
	"bytes"
	"encoding/json"
)

// indented is a JSON document with much white space; nil if it is none.
func indented(body []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, body, " ", "\t ") != nil {
		return nil
	}
	return append(append([]byte("\r\n "), out.Bytes()...), "\n\n"...)
}

// reordered is a JSON document with the keys of every object in the opposite order and the values untouched,
// byte for byte; nil if it is none.
func reordered(body []byte) []byte {
	if !json.Valid(body) {
		return nil
	}
	var out bytes.Buffer
	writeReordered(&out, bytes.TrimSpace(body))
	return out.Bytes()
}

func writeReordered(out *bytes.Buffer, raw json.RawMessage) {
	switch raw[0] {
	case '{':
		members := members(raw)
		out.WriteByte('{')
		for i := len(members) - 1; i >= 0; i-- {
			out.Write(members[i].key)
			out.WriteByte(':')
			writeReordered(out, members[i].value)
			if i > 0 {
				out.WriteByte(',')
			}
		}
		out.WriteByte('}')
	case '[':
		out.WriteByte('[')
		for i, e := range elements(raw) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeReordered(out, e)
		}
		out.WriteByte(']')
	default:
		out.Write(raw)
	}
}

// member is a key, quoted as it stood, with its value.
type member struct{ key, value json.RawMessage }

// members are those of a valid JSON object, in order.
func members(object json.RawMessage) []member {
	var out []member
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token()
	for d.More() {
		before := d.InputOffset()
		if _, err := d.Token(); err != nil {
			return out
		}
		m := member{key: bytes.TrimLeft(object[before:d.InputOffset()], ", \t\r\n")}
		if d.Decode(&m.value) != nil {
			return out
		}
		out = append(out, m)
	}
	return out
}

// elements are those of a valid JSON array.
func elements(array json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	_ = json.Unmarshal(array, &out)
	return out
}
