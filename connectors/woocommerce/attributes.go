package woocommerce

import (
	"bytes"
	"encoding/json"
	"strings"
)

// tagsKey is the key of an order's meta data that holds its tags, separated by commas: WooCommerce has no tags
// of orders. The shop/tag_order action writes it.
const tagsKey = "_shophand_tags"

// Limits of the attributes of one object. What is beyond them is left out whole, never cut, and still stands in
// the event's raw body.
const (
	maxAttributes      = 250
	maxAttributeLength = 8 << 10
)

// attributes turns meta data into attributes: text as it is, numbers with their digits, true and false, anything
// else as compact JSON with sorted keys. Keys that start with "_", which WordPress hides from the shop's pages,
// are kept: most plugins that add fields to a checkout name them so. Of a key that is there more than once the
// first counts, as in WordPress. Keys in except, and those without a value, are left out.
func attributes(of []meta, except ...string) map[string]string {
	out := map[string]string{}
next:
	for _, m := range of {
		key := m.Key.text()
		if key == "" || len(key) > maxAttributeLength || len(m.Value) > maxAttributeLength || len(out) == maxAttributes {
			continue
		}
		for _, e := range except {
			if key == e {
				continue next
			}
		}
		if _, taken := out[key]; taken {
			continue
		}
		if value, ok := attribute(m.Value); ok {
			out[key] = value
		}
	}
	return out
}

// attribute is one value of meta data as text; ok is false where there is none.
func attribute(raw json.RawMessage) (text string, ok bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case 'n':
		return "", false
	case '"':
		return unquote(raw), true
	case '[', '{':
		return compact(raw), true
	}
	return string(raw), true
}

// compact writes a document anew with sorted keys and digits as they are, so that what says the same is the same.
func compact(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return ""
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(document) // what was decoded can be encoded
	return strings.TrimSuffix(out.String(), "\n")
}

// tagsOf returns the tags that meta data holds; never nil.
func tagsOf(of []meta) []string {
	for _, m := range of {
		if m.Key != tagsKey || len(m.Value) == 0 || m.Value[0] != '"' {
			continue
		}
		return addTags([]string{}, unquote(m.Value))
	}
	return []string{}
}

// addTags appends those of the tags in each text, separated by commas, that are not there yet. Case makes no
// difference, as on the platforms that have tags of their own.
func addTags(tags []string, texts ...string) []string {
	for _, text := range texts {
		for tag := range strings.SplitSeq(text, ",") {
			if tag = strings.TrimSpace(tag); tag != "" && !hasTag(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

func hasTag(tags []string, tag string) bool {
	for _, t := range tags {
		if strings.EqualFold(t, tag) {
			return true
		}
	}
	return false
}
