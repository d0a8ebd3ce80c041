package pluginhost_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/core/pluginhost"
)

// TestNothingIsInherited: the environment is what the program names, and no file of the host's is open.
func TestNothingIsInherited(t *testing.T) {
	t.Parallel()
	p := builtin("one")
	p.Env = []string{"GREETING=hello", "PLUGIN_MIN_PORT=overridden"}
	h := newHost(t, pluginhost.Config{}, builtin("two"), p)
	h.pid("two") // its pipes must not reach the other
	var got environment
	if err := json.Unmarshal([]byte(h.must("one", "surroundings", "null")), &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pair := range got.Env {
		name, value, _ := strings.Cut(pair, "=")
		names = append(names, name)
		if strings.Contains(value, "hunter2") || strings.Contains(value, "overridden") {
			t.Errorf("inherited %s", pair)
		}
	}
	slices.Sort(names)
	want := []string{"GREETING", "PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR", "SHOPHAND_PLUGIN"}
	if !slices.Equal(names, want) {
		t.Errorf("environment %q, want %q", names, want)
	}
	checkFiles(t, got)
}

// checkFiles finds files that a plugin did not open itself.
func checkFiles(t *testing.T, e environment) {
	t.Helper()
	if !strings.HasPrefix(filepath.Base(e.Dir), "shp-") {
		t.Errorf("works in %s", e.Dir)
	}
	for fd, what := range e.Files {
		own := strings.HasPrefix(what, "pipe:") || strings.HasPrefix(what, "socket:") || strings.HasPrefix(what, "anon_inode:") || what == "" || strings.HasPrefix(what, "/proc/") || strings.HasPrefix(what, "/sys/fs/cgroup/") // Go's runtime reads its share of the processors
		if !own {
			t.Errorf("file %s is %s", fd, what)
		}
	}
}

// hosted is a host in a process of its own.
type hosted struct {
	kill         func()
	PIDs         []int // of its plugins and their children
	Surroundings environment
}

// startHosted starts one from path, with leak as a file that is not marked close-on-exec.
func startHosted(t *testing.T, path string, leak *os.File, args ...string) hosted {
	t.Helper()
	scratch, err := os.MkdirTemp("", "host") // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"host", scratch}, args...)...)
	if leak != nil {
		cmd.ExtraFiles = []*os.File{leak}
	}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := hosted{kill: sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})}
	t.Cleanup(func() {
		h.kill()
		_ = os.RemoveAll(scratch)
	})
	if err := json.NewDecoder(stdout).Decode(&h); err != nil {
		t.Fatal(err)
	}
	if len(h.PIDs) != 4 {
		t.Fatalf("processes %v", h.PIDs)
	}
	return h
}

// TestNoOrphans kills hosts and finds none of their plugins, nor of the plugins' children, 3 s later: plugins
// with the SDK, and one without it that has closed its standard input. The files of a host that are not
// marked close-on-exec reach no plugin.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	leak, err := os.Create(filepath.Join(t.TempDir(), "leak"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = leak.Close() }()
	for range 5 {
		h := startHosted(t, "/proc/self/exe", leak)
		checkFiles(t, h.Surroundings)
		h.kill()
		deadline := time.Now().Add(3 * time.Second)
		for _, pid := range h.PIDs {
			waitGone(t, pid, time.Until(deadline))
		}
	}
}

// TestGrandchildrenEndWithTheirPlugin, however that ends.
func TestGrandchildrenEndWithTheirPlugin(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{HealthyAfter: 1}, builtin("one"))
	for _, end := range []func(){
		func() { _, err := h.try(patience, "one", "exit", "0"); asUnknown(t, err) },
		func() { _, err := h.try(patience, "one", "kill", "0"); asUnknown(t, err) },
		func() {
			if err := h.Remove(t.Context(), "one"); err != nil {
				t.Error(err)
			}
		},
	} {
		var pids []int
		if err := json.Unmarshal([]byte(h.must("one", "grandchild", "null")), &pids); err != nil {
			t.Fatal(err)
		}
		end()
		for _, pid := range pids {
			waitGone(t, pid, 3*time.Second)
		}
	}
}

// TestBuiltinIsTheRunningFile: an upgrade that replaced the binary does not change what a running host starts.
func TestBuiltinIsTheRunningFile(t *testing.T) {
	t.Parallel()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "host")
	if err := os.WriteFile(path, self, 0o700); err != nil {
		t.Fatal(err)
	}
	startHosted(t, path, nil, path)
}
