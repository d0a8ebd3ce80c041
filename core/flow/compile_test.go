package flow_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/event"
)

var update = flag.Bool("update", false, "rewrite the expected findings")

// catalog is a small one, with the shapes of schema that actions have.
type catalog map[string]flow.Action

func (c catalog) EventType(name string) (event.Type, bool) { return event.Find(name) }
func (c catalog) EventTypes() (names []string) {
	for _, t := range event.Types() {
		names = append(names, t.Name)
	}
	return names
}
func (c catalog) Action(name string) (flow.Action, bool) { a, ok := c[name]; return a, ok }
func (c catalog) Actions() (names []string) {
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func newCompiler(t testing.TB) *flow.Compiler {
	t.Helper()
	language, err := expr.New()
	if err != nil {
		t.Fatal(err)
	}
	text, number := &jsonschema.Schema{Type: "string"}, &jsonschema.Schema{Type: "integer"}
	closed := func(required []string, p map[string]*jsonschema.Schema) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "object", Required: required, Properties: p, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}}
	}
	return flow.NewCompiler(language, catalog{
		"http/request": {Outcome: flow.Keyed, Input: closed([]string{"url"}, map[string]*jsonschema.Schema{
			"url": text, "method": {Type: "string", Enum: []any{"GET", "POST", "PUT"}}, "json": {}, "headers": {Type: "object", AdditionalProperties: text},
		}), Output: closed(nil, map[string]*jsonschema.Schema{"status": number, "json": {}, "body": text})},
		"loyalty/award": {Outcome: flow.Keyed, Input: closed([]string{"customer", "points"}, map[string]*jsonschema.Schema{
			"customer": text, "points": number, "note": text,
		}), Output: closed(nil, map[string]*jsonschema.Schema{"balance": number})},
		"shop/tag_order": {Outcome: flow.Idempotent, Causes: []string{"order.updated"}, Input: closed([]string{"order", "tags"}, map[string]*jsonschema.Schema{
			"order": text, "tags": {Type: "array", Items: text},
		})},
	})
}

// TestFindings compiles every flow of testdata and compares what was found. A flow without a golden file of
// findings must have none.
func TestFindings(t *testing.T) {
	t.Parallel()
	compiler := newCompiler(t)
	files, _ := filepath.Glob("testdata/*.yaml")
	if len(files) == 0 {
		t.Fatal("no flows in testdata")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, findings := compiler.Compile(source)
			var got strings.Builder
			for _, f := range findings {
				got.WriteString(f.Text(filepath.Base(file)) + "\n")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("found:\n%swant:\n%s", got.String(), want)
			}
		})
	}
}

// The version is the content: layout and comments do not count, a changed value does, and so does its type.
func TestVersion(t *testing.T) {
	t.Parallel()
	compiler := newCompiler(t)
	version := func(source string) string {
		f, findings := compiler.Compile([]byte(source))
		if findings.Wrong() {
			t.Fatalf("%s: %v", source, findings)
		}
		return f.Version
	}
	a := version("flow: a\non: order.paid\nsteps:\n  - stop: done\n")
	if b := version("# thanks\non:   order.paid\nflow: \"a\"\nsteps: [{stop: done}] # now\n"); a != b {
		t.Errorf("layout changes the version: %s, %s", a, b)
	}
	if b := version(`{"flow": "a", "on": "order.paid", "steps": [{"stop": "done"}]}`); a != b {
		t.Errorf("JSON changes the version: %s, %s", a, b)
	}
	for _, other := range []string{"flow: a\non: order.paid\nsteps:\n  - stop: Done\n", "flow: a\non: order.paid\nsteps:\n  - stop: 1\n", "flow: a\non: order.paid\nsteps:\n  - stop: '1'\n"} {
		if b := version(other); a == b {
			t.Errorf("%q has the version of another content", other)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "15m": 15 * time.Minute, "2d": 48 * time.Hour, "1w": 168 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0,
		"": -1, "5": -1, "d": -1, "2 days": -1, "-1d": -1, "1.5h": -1, "99999999999999w": -1, "100000w100000w": -1,
	} {
		got, err := flow.ParseDuration(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

// FuzzCompile: no text makes the compiler panic, and what it finds lies in the text.
func FuzzCompile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	compiler := newCompiler(f)
	f.Fuzz(func(t *testing.T, source []byte) {
		compiled, findings := compiler.Compile(source)
		if compiled == nil && !findings.Wrong() {
			t.Error("no flow, and nothing found")
		}
		for _, finding := range findings {
			if finding.Line < 1 || finding.Column < 1 || finding.Message == "" || finding.Fix == "" {
				t.Errorf("a finding without place, message or fix: %+v", finding)
			}
		}
	})
}
