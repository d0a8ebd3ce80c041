package flow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxSource is the largest text of a flow, in bytes.
const maxSource = 256 << 10

// document is the parsed text: YAML nodes that have been checked to mean what they look like.
type document struct {
	findings Findings
}

func (d *document) wrong(n *yaml.Node, message, fix string) {
	d.findings = append(d.findings, Finding{Line: n.Line, Column: n.Column, Message: message, Fix: fix})
}

// parse returns the top mapping, or nil with findings.
func (d *document) parse(source []byte) *yaml.Node {
	at := func(line int, message, fix string) *yaml.Node {
		d.findings = append(d.findings, Finding{Line: max(line, 1), Column: 1, Message: message, Fix: fix})
		return nil
	}
	if len(source) > maxSource {
		return at(1, fmt.Sprintf("the flow has %d bytes", len(source)), fmt.Sprintf("at most %d; split it", maxSource))
	}
	var root yaml.Node
	if err := yaml.Unmarshal(source, &root); err != nil {
		line, text := yamlError(err)
		return at(line, "this is not YAML: "+text, "check indentation and quotes; expressions inside {…} and […] must be quoted")
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		return at(1, "the flow is empty", "begin with flow: ID, on: EVENT and steps:")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var first, second yaml.Node
	if decoder.Decode(&first) == nil && decoder.Decode(&second) == nil && len(second.Content) > 0 {
		d.wrong(second.Content[0], "a second document begins here, behind ---", "a file holds one flow: put the next into a file of its own")
	}
	top := root.Content[0]
	if top.Kind != yaml.MappingNode {
		d.wrong(top, "a flow is a mapping", "begin with flow: ID, on: EVENT and steps:")
		return nil
	}
	return top
}

func yamlError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`line (\d+)(?:, column \d+)?: ?`).FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	return line, text
}

// plain reports what YAML offers but flows do not take, because it hides what is meant: tags, anchors, aliases.
func (d *document) plain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.wrong(n, "*"+n.Value+" is a YAML alias", "write the value out, or quote it if a text is meant")
	case n.Anchor != "":
		d.wrong(n, "&"+n.Anchor+" is a YAML anchor", "leave it out, or quote the value if a text is meant")
	case n.Style&yaml.TaggedStyle != 0:
		d.wrong(n, fmt.Sprintf("YAML reads %s as a tag", n.Tag), "quote it: "+quoted(strings.TrimSpace(n.Tag+" "+n.Value)))
	default:
		return true
	}
	return false
}

func quoted(s string) string {
	if !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}

// field is one key of a mapping with its value.
type field struct {
	key, value *yaml.Node
}

// mapping returns the fields of n by name, refusing keys that are not among known.
func (d *document) mapping(n *yaml.Node, what string, known ...string) map[string]field {
	if !d.plain(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.wrong(n, what+" is not a mapping", "write it as keys with values: "+strings.Join(known, ", "))
		return nil
	}
	out := map[string]field{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch _, double := out[key.Value]; {
		case key.Value == "<<":
			d.wrong(key, "<< is a YAML merge key", "write the keys out")
		case key.Kind != yaml.ScalarNode:
			d.wrong(key, "a key must be a word", "one of "+strings.Join(known, ", "))
		case double:
			d.wrong(key, fmt.Sprintf("%s stands twice", key.Value), "keep one of them")
		case !contains(known, key.Value):
			d.wrong(key, fmt.Sprintf("%s has no key %q", what, key.Value), didYouMean(key.Value, known))
		default:
			out[key.Value] = field{key, value}
		}
	}
	return out
}

// text returns the text of a scalar.
func (d *document) text(n *yaml.Node, what string) (string, bool) {
	if !d.plain(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.wrong(n, what+" must be a text", "write one, quoted if it contains : or #")
		return "", false
	}
	return n.Value, true
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// didYouMean names the nearest of the known words, or all of them.
func didYouMean(word string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if n := editDistance(word, k); n < distance {
			best, distance = k, n
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	var sorted []string
	for _, k := range known {
		if sameFamily(word, k) {
			sorted = append(sorted, k)
		}
	}
	if len(sorted) == 0 {
		sorted = append(sorted, known...)
	}
	sort.Strings(sorted)
	return "one of " + strings.Join(sorted, ", ")
}

// sameFamily tells whether two names with a dot or slash begin alike: order.nonsense and order.paid.
func sameFamily(a, b string) bool {
	i := strings.IndexAny(a, "./")
	return i > 0 && strings.HasPrefix(b, a[:i+1])
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := before
			if a[i-1] != b[j-1] {
				cost++
			}
			before, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// version is the hash of the content: the document as canonical JSON.
func version(top *yaml.Node) string {
	canonical, err := json.Marshal(content(top))
	if err != nil { // content returns only maps, slices and strings
		panic("flow: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:6])
}

// content turns nodes into plain values; a scalar is its tag with its text, so that 1 and "1" differ.
func content(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = content(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		s := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			s = append(s, content(c))
		}
		return s
	}
	return n.ShortTag() + " " + n.Value
}
