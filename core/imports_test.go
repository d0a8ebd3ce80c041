// Package core holds only this test: who may import whom, in one table for the whole repository.
package core

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/shophand/shophand/"

// rule says which packages may not import which others directly. Patterns are paths within the module, or
// import paths of others; "..." stands for anything.
type rule struct {
	packages  string
	forbidden []string
	except    []string // of the forbidden ones
	reason    string
}

func rules() []rule {
	pure := []string{"os", "os/...", "net", "net/...", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "sync", "syscall", "go.etcd.io/...", "google.golang.org/grpc...", "github.com/hashicorp/..."}
	own := []string{"core/...", "connectors/...", "plugins/...", "cmd/..."}
	return []rule{
		{"sdk/...", own, nil, "an author's plugin must not draw the host in"},
		{"plugins/...", []string{"core/...", "connectors/...", "cmd/..."}, nil, "first-party plugins prove that outsiders can do the same"},
		{"connectors/...", []string{"core/...", "plugins/...", "cmd/..."}, nil, "a connector satisfies the core by shape"},
		{"connectors/shopify/...", []string{"connectors/woocommerce/..."}, nil, "platforms do not know each other"},
		{"connectors/woocommerce/...", []string{"connectors/shopify/..."}, nil, "platforms do not know each other"},
		{"core/...", []string{"connectors/...", "plugins/...", "cmd/..."}, nil, "the core knows connectors and plugins by their contracts"},
		{"core/expr", append([]string{"core/..."}, pure...), []string{"sync"}, "pure, and at the bottom"},
		{"core/flow", append([]string{"core/..."}, pure...), []string{"core/expr"}, "pure; stands on expressions"},
		{"core/run", append([]string{"core/..."}, pure...), []string{"core/expr", "core/flow"}, "pure: a run is a function of its inputs"},
		{"core/admit", append([]string{"core/..."}, pure...), []string{"core/expr", "core/flow"}, "pure: admission is a function of its inputs"},
		{"core/resource", append([]string{"core/..."}, pure...), nil, "pure: what an event means is a function of what is known"},
		{"core/engine", []string{"core/..."}, []string{"core/expr", "core/flow", "core/run", "core/admit"}, "the contract stands on the pure rooms only"},
		{"core/engine/bolt", []string{"core/..."}, []string{"core/bolt", "core/engine", "core/expr", "core/flow", "core/run", "core/admit", "core/resource"}, "a driver knows its contract and the pure rooms"},
		{"core/store/...", []string{"core/..."}, []string{"core/bolt", "core/store", "core/store/storetest", "core/flow"}, "the store is below all who use it"},
		{"core/ingest/...", []string{"core/..."}, []string{"core/bolt", "core/ingest", "core/ingest/ingesttest"}, "the intake waits for nobody"},
		{"core/bolt", []string{"core/..."}, nil, "what the drivers share stands below them"},
		{"core/pluginhost", []string{"core/..."}, nil, "plugin processes are no business of the core's other rooms"},
		{"core/secret", []string{"core/..."}, nil, "secrets are at the bottom"},
		{"core/api", []string{"core/host"}, nil, "the host wires the API, not the other way round"},
	}
}

// onlyIn says in which packages alone a library may be used.
func onlyIn() map[string][]string {
	return map[string][]string{
		"go.etcd.io/bbolt...":                   {"core/bolt", "core/engine/bolt", "core/store/bolt", "core/ingest/bolt"},
		"github.com/hashicorp/go-plugin...":     {"sdk", "sdk/wire", "core/pluginhost"},
		"cel.dev/cel-go...":                     {"core/expr"},
		"github.com/gin-gonic/gin...":           {"core/api", "core/host"},
		"github.com/spf13/cobra...":             {"cmd/shophand"},
		"github.com/EasyPost/easypost-go/v5...": {"plugins/labels"},
	}
}

type listed struct {
	ImportPath   string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := list(t)
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, r := range rules() {
			if !match(r.packages, name) {
				continue
			}
			for _, imported := range p.Imports {
				target := strings.TrimPrefix(imported, module)
				if target != name && matchAny(r.forbidden, target) && !matchAny(r.except, target) && !within(target, name) {
					t.Errorf("%s imports %s: %s", name, target, r.reason)
				}
			}
		}
		for library, allowed := range onlyIn() {
			for _, imported := range p.Imports {
				if match(library, imported) && !matchAny(allowed, name) {
					t.Errorf("%s imports %s, which belongs to %s alone", name, imported, strings.Join(allowed, ", "))
				}
			}
		}
		checkSimulators(t, name, p)
	}
	for _, r := range rules() { // a rule about a package that is gone would hold for ever
		found := false
		for _, p := range packages {
			found = found || match(r.packages, strings.TrimPrefix(p.ImportPath, module))
		}
		if !found {
			t.Errorf("the rule for %s holds for no package any more", r.packages)
		}
	}
}

// checkSimulators: a simulator is for cmd and tests, never imports testing, and is never imported by what it
// simulates; a …test package is for tests only.
func checkSimulators(t *testing.T, name string, p listed) {
	t.Helper()
	simulator := strings.HasSuffix(name, "sim")
	suite := strings.HasSuffix(name, "test")
	for _, imported := range p.Imports {
		target := strings.TrimPrefix(imported, module)
		if simulator && (imported == "testing" || within(name, target) && target == filepath.Dir(name)) {
			t.Errorf("the simulator %s imports %s", name, target)
		}
		if !strings.HasPrefix(imported, module) {
			continue
		}
		if strings.HasSuffix(target, "sim") && !strings.HasPrefix(name, "cmd/") {
			t.Errorf("%s imports the simulator %s outside of a test", name, target)
		}
		if strings.HasSuffix(target, "test") && !suite {
			t.Errorf("%s imports %s, which is for tests only", name, target)
		}
	}
}

// Names that say nothing, and what hides who registers what.
func TestNamesAndState(t *testing.T) {
	t.Parallel()
	badName := regexp.MustCompile(`(^|/)(util|utils|common|helper|helpers|types|models|interfaces|pkg|misc|shared)$`)
	initFunc := regexp.MustCompile(`(?m)^func init\(\)`)
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if badName.MatchString(name) {
			t.Errorf("the package %s has a name that says nothing", name)
		}
		for _, file := range p.GoFiles {
			if strings.HasSuffix(file, ".pb.go") {
				continue
			}
			source, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if initFunc.Match(source) {
				t.Errorf("%s/%s has an init function", name, file)
			}
		}
	}
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func match(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	}
	if prefix, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

// within tells whether a package lies in another's folder.
func within(inner, outer string) bool { return strings.HasPrefix(inner, outer+"/") }
