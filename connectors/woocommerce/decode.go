package woocommerce

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// decode reads a payload. What has another type than the field that it is for is passed over, and a list that
// PHP wrote as an object is read as the list that it was. ok is false where body is not a JSON object.
func decode[T any](body []byte) (payload T, ok bool) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || !utf8.Valid(body) {
		return payload, false
	}
	err := json.Unmarshal(body, &payload)
	if err == nil {
		return payload, true
	}
	// encoding/json reads all the rest of a document that has a value of another type than its field.
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return payload, false
	}
	if repaired := listsAsLists(body); repaired != nil {
		var again T
		_ = json.Unmarshal(repaired, &again)
		return again, true
	}
	return payload, true
}

// listFields are the fields of which plugins remove elements without numbering the rest anew, upon which PHP
// writes the list as an object: {"0":{…},"2":{…}}.
func listFields() []string {
	return []string{"line_items", "shipping_lines", "fee_lines", "coupon_lines", "refunds", "meta_data", "categories", "tags", "brands", "attributes"}
}

// listsAsLists returns the document with such objects turned into lists, nil where there is none.
func listsAsLists(body []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var document map[string]any
	if d.Decode(&document) != nil {
		return nil
	}
	found := false
	var repair func(object map[string]any)
	repair = func(object map[string]any) {
		for _, field := range listFields() {
			if numbered, ok := object[field].(map[string]any); ok {
				if l := asList(numbered); l != nil {
					object[field], found = l, true
				}
			}
			if l, ok := object[field].([]any); ok {
				for _, element := range l {
					if o, ok := element.(map[string]any); ok {
						repair(o)
					}
				}
			}
		}
	}
	repair(document)
	if !found {
		return nil
	}
	repaired, err := json.Marshal(document)
	if err != nil {
		return nil
	}
	return repaired
}

// asList returns the values of an object by the numbers that its keys are, nil where one is no number.
func asList(object map[string]any) []any {
	var numbers []int
	for key := range object {
		n, err := strconv.Atoi(key)
		if err != nil || strconv.Itoa(n) != key {
			return nil
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var out []any
	for _, n := range numbers {
		out = append(out, object[strconv.Itoa(n)])
	}
	return out
}
