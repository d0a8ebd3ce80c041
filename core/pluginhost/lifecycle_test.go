//go:build unix

package pluginhost_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk/wire"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for want, programs := range map[string][]pluginhost.Program{
		`plugin name "My Plugin"`:      {{Name: "My Plugin"}},
		`given twice`:                  {{Name: "one"}, {Name: "one"}},
		`must be absolute`:             {{Name: "one", Path: "bin/one"}},
		`no checksum of its own`:       {{Name: "one", SHA256: make([]byte, 32)}},
		`the checksum has 3 bytes`:     {{Name: "one", Path: "/one", SHA256: make([]byte, 3)}},
		`says that its name is "two"`:  {{Name: "one", Description: &wire.Description{Name: "two"}}},
		`configuration is not JSON`:    {{Name: "one", Description: &wire.Description{Name: "one", Config: json.RawMessage("{")}}},
		`input schema of a is not JSO`: {{Name: "one", Description: &wire.Description{Name: "one", Actions: []wire.Action{{Name: "a", Input: json.RawMessage("{")}}}}},
	} {
		if _, err := pluginhost.New(pluginhost.Config{Programs: programs}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestStartFailures shows the reasons that a person gets.
func TestStartFailures(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("hello"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		program pluginhost.Program
		want    string
	}{
		"prints before the handshake": {builtin("victim", "print=hello | world"), `^plugin victim printed "hello \| world" on standard output before the handshake`},
		"prints something long":       {builtin("victim", "print="+strings.Repeat("x", 5000)), `^plugin victim printed "x{190,}….? on standard output before`},
		"exits":                       {builtin("victim", "exit=3"), `^plugin victim exited with status 3 before it was ready; last words: no licence found$`},
		"another version":             {builtin("victim", "print=1|9|tcp|127.0.0.1:1|grpc|", "block"), `^plugin victim speaks version 9 of the plugin contract, which this host does not`},
		"another protocol":            {builtin("victim", "print=1|1|tcp|127.0.0.1:1|netrpc|", "block"), `^plugin victim could not be used: unsupported plugin protocol "netrpc"`},
		"another machine":             {builtin("victim", "print=1|1|tcp|192.0.2.1:1|grpc|", "block"), `^plugin victim could not be used: it listens on "192.0.2.1:1"; only a loopback`},
		"nobody listens":              {builtin("victim", "print=1|1|tcp|127.0.0.1:1|grpc|", "block"), `^plugin victim could not be used: .*connection refused`},
		"says nothing":                {builtin("victim", "block"), `^plugin victim was not ready within 1\.5s$`},
		"another name":                {builtin("victim", "name=other"), `^plugin victim could not be used: it says that its name is "other"$`},
		"bad description":             {builtin("victim", "baddescription"), `^plugin victim could not be used: the schema of its configuration is not JSON$`},
		"no such file":                {pluginhost.Program{Name: "victim", Path: "/nonexistent/victim"}, `^plugin victim could not be started: fork/exec /nonexistent/victim: no such file or directory$`},
		"not a program":               {pluginhost.Program{Name: "victim", Path: text}, `^plugin victim could not be started: fork/exec .*/text: exec format error$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if name == "says nothing" {
				timeout = 1500 * time.Millisecond
			}
			time := clock{}
			scratch := t.TempDir()
			h := newHost(t, pluginhost.Config{StartTimeout: timeout, ScratchDir: scratch, Now: time.now}, c.program)
			_, err := h.try(patience, "victim", "echo", "1")
			n := asNotStarted(t, err)
			if !regexp.MustCompile(c.want).MatchString(n.Reason) || n.Permanent || n.RetryAfter != 100e6 {
				t.Errorf("got %+v, want %s", n, c.want)
			}
			if s := h.status("victim"); s.State != pluginhost.BackingOff || s.PID != 0 || "plugin victim "+s.LastError != n.Reason {
				t.Errorf("status %+v", s)
			}
			if left, _ := os.ReadDir(scratch); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestUnknownPlugin is a mistake in a flow, not a plugin in trouble.
func TestUnknownPlugin(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{})
	_, err := h.try(patience, "nobody", "echo", "1")
	if n := asNotStarted(t, err); !n.Permanent || !errors.Is(err, pluginhost.ErrUnknownPlugin) || !strings.Contains(n.Reason, `"nobody"`) {
		t.Errorf("got %+v", n)
	}
	if _, err := h.Describe(t.Context(), "nobody"); !errors.Is(err, pluginhost.ErrUnknownPlugin) {
		t.Error(err)
	}
	if err := h.Remove(t.Context(), "nobody"); !errors.Is(err, pluginhost.ErrUnknownPlugin) {
		t.Error(err)
	}
}

// TestStartedOnceWhenNeeded: the description of a built-in needs no process, and all who come first share one.
func TestStartedOnceWhenNeeded(t *testing.T) {
	t.Parallel()
	known := builtin("one")
	known.Description = &wire.Description{Name: "one", Version: "0.9.0"}
	h := newHost(t, pluginhost.Config{}, known, builtin("two"))
	if d, err := h.Describe(t.Context(), "one"); err != nil || d.Version != "0.9.0" {
		t.Fatal(d, err)
	}
	if s := h.status("one"); s.State != pluginhost.Stopped || s.Version != "0.9.0" {
		t.Errorf("status %+v", s)
	}
	if d, err := h.Describe(t.Context(), "two"); err != nil || d.Version != "1.0.0" {
		t.Fatal(d, err)
	}
	if s := h.status("two"); s.State != pluginhost.Running || s.PID == 0 || s.StartedAt.IsZero() {
		t.Errorf("status %+v", s)
	}
	var wg sync.WaitGroup
	pids := make(chan string, 16)
	for range cap(pids) {
		wg.Go(func() {
			out, err := h.try(patience, "one", "pid", "1")
			if err != nil {
				t.Error(err)
			}
			pids <- out
		})
	}
	wg.Wait()
	for range cap(pids) {
		if got := <-pids; got != fmt.Sprint(h.status("one").PID) {
			t.Errorf("process %s, want %d", got, h.status("one").PID)
		}
	}
	if s := h.status("one"); s.Restarts != 0 || s.Version != "1.0.0" || s.Calls != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestStartOutlivesWhoAskedForIt: the start goes on when the time of the call that caused it is over, and a
// process lives on when the context of its first call ends.
func TestStartOutlivesWhoAskedForIt(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, pluginhost.Config{}, builtin("slow", "wait="+pipe))
	_, err := h.try(50*time.Millisecond, "slow", "echo", "1")
	if n := asNotStarted(t, err); !strings.Contains(n.Reason, "plugin slow was still starting") {
		t.Errorf("got %v", n)
	}
	if s := h.status("slow"); s.State != pluginhost.Starting {
		t.Errorf("status %+v", s)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	pid := h.pid("slow")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Invoke(ctx, "slow", wire.Invocation{Action: "echo"}, nil); !strings.Contains(asNotStarted(t, err).Reason, "before it began") {
		t.Error(err)
	}
	if h.pid("slow") != pid || h.status("slow").Restarts != 0 {
		t.Errorf("started again: %+v", h.status("slow"))
	}
}

// TestBackOff: at once after the first failure, then after a time that doubles, until a process lived for long.
func TestBackOff(t *testing.T) {
	t.Parallel()
	time := clock{}
	h := newHost(t, pluginhost.Config{Now: time.now}, builtin("victim"))
	crash := func() {
		t.Helper()
		_, err := h.try(patience, "victim", "exit", "1")
		asUnknown(t, err)
	}
	crash()
	crash() // the first restart is immediate
	for _, want := range []string{"100ms", "200ms", "400ms", "800ms", "1.6s", "3.2s", "6.4s", "12.8s", "25.6s", "30s", "30s"} {
		_, err := h.try(patience, "victim", "echo", "1")
		n := asNotStarted(t, err)
		if n.RetryAfter.String() != want || !strings.Contains(n.Reason, "exited with status 1; last words: bye") {
			t.Fatalf("got %s: %s, want %s", n.RetryAfter, n.Reason, want)
		}
		if s := h.status("victim"); s.State != pluginhost.BackingOff || !s.RetryAt.Equal(time.now().Add(n.RetryAfter)) {
			t.Fatalf("status %+v", s)
		}
		time.advance(n.RetryAfter)
		if s := h.status("victim"); s.State != pluginhost.Failed {
			t.Fatalf("status %+v", s)
		}
		crash()
	}
	time.advance(30e9)
	h.must("victim", "echo", "1")
	time.advance(60e9)
	crash()
	h.must("victim", "echo", "1")
	if s := h.status("victim"); s.State != pluginhost.Running || s.Restarts != 14 {
		t.Errorf("status %+v", s)
	}
}

// TestHungPluginIsReplaced, and ends only when the calls that still go on have ended.
func TestHungPluginIsReplaced(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{HungCalls: 2}, builtin("victim"))
	g := newGate()
	slow := h.block("victim", g)
	first := h.pid("victim")
	hang := func() {
		t.Helper()
		_, err := h.try(50*time.Millisecond, "victim", "hang", "1")
		asUnknown(t, err)
	}
	hang()
	if h.pid("victim") != first { // and an answer begins the count anew
		t.Fatal("replaced after one call")
	}
	hang()
	hang()
	second := h.pid("victim")
	if second == first {
		t.Fatal("not replaced")
	}
	close(g.opened)
	if err := receive(t, slow, "the slow call"); err != nil {
		t.Errorf("slow call: %v", err)
	}
	waitGone(t, first, patience)
	if s := h.status("victim"); s.Restarts != 1 || s.PID != second || s.LastError != "let 2 calls in a row hang" {
		t.Errorf("status %+v", s)
	}
}

func TestIdlePluginIsStopped(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{IdleStop: 50 * time.Millisecond}, builtin("one"))
	g := newGate()
	slow := h.block("one", g)
	pid := h.status("one").PID
	close(g.opened)
	if err := receive(t, slow, "the call"); err != nil {
		t.Fatal(err)
	}
	h.logs.wait(t, "plugin stopped: nobody called it")
	waitGone(t, pid, patience)
	if s := h.status("one"); s.State != pluginhost.Stopped || s.LastError != "" {
		t.Errorf("status %+v", s)
	}
	h.must("one", "echo", "1")
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{}, builtin("one"))
	if err := h.Configure(t.Context(), "one", json.RawMessage(`{"token":"right"}`), wire.Shop{}); err != nil {
		t.Error(err)
	}
	err := h.Configure(t.Context(), "one", json.RawMessage(`{}`), wire.Shop{Name: "a.example.com"})
	var f *wire.Failure
	if !errors.As(err, &f) || f.Code != wire.Unauthorized || f.Message != "wrong token for a.example.com" || !f.Permanent {
		t.Errorf("got %v", err)
	}
}

func TestCallWithoutDeadlineGetsOne(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{CallTimeout: 200 * time.Millisecond, StartTimeout: patience}, builtin("victim"))
	h.must("victim", "echo", "1")
	_, err := h.Invoke(context.Background(), "victim", wire.Invocation{Action: "hang"}, nil)
	if u := asUnknown(t, err); u.Reason != "plugin victim did not answer within 200ms" {
		t.Error(u)
	}
}

// TestChecksum: checked at each start, by a hash of its own.
func TestChecksum(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, raw, 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	time := clock{}
	right := pluginhost.Program{Name: "right", Path: path, Args: []string{"plugin", "right"}, SHA256: sum[:]}
	wrong := right
	wrong.Name, wrong.SHA256 = "wrong", make([]byte, sha256.Size)
	h := newHost(t, pluginhost.Config{Now: time.now}, right, wrong)
	_, err = h.try(patience, "wrong", "echo", "1")
	if n := asNotStarted(t, err); !strings.Contains(n.Reason, fmt.Sprintf("plugin wrong is not the program that was installed: %s has the SHA-256 %x, not 00", path, sum)) {
		t.Error(n)
	}
	for range 2 {
		h.must("right", "echo", "1")
		_, err := h.try(patience, "right", "kill", "1")
		asUnknown(t, err)
		time.advance(1e9)
	}
	other := path + ".new" // the file that runs cannot be written
	if err := os.WriteFile(other, append(raw, 'x'), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	_, err = h.try(patience, "right", "echo", "1")
	if n := asNotStarted(t, err); !strings.Contains(n.Reason, "is not the program that was installed") {
		t.Error(n)
	}
}
