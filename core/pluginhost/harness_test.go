//go:build unix

package pluginhost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk/wire"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// builtin is the test plugin under that name, started as a built-in is.
func builtin(name string, args ...string) pluginhost.Program {
	return pluginhost.Program{Name: name, Args: append([]string{"plugin", name}, args...)}
}

type harness struct {
	*pluginhost.Host
	t    testing.TB
	logs *records
}

// newHost returns a host that is closed when the test ends, with its plugins' processes.
func newHost(t testing.TB, c pluginhost.Config, programs ...pluginhost.Program) *harness {
	t.Helper()
	logs := newRecords()
	c.Log = slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.Programs = programs
	h, err := pluginhost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // calls that a test left hanging are cut short
		_ = h.Close(ctx)
	})
	return &harness{Host: h, t: t, logs: logs}
}

// try makes one call within d, with the output as text.
func (h *harness) try(d time.Duration, plugin, action, input string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	r, err := h.Invoke(ctx, plugin, wire.Invocation{Action: action, Input: json.RawMessage(input)}, nil)
	if err == nil && r.Failure != nil {
		err = r.Failure
	}
	return string(r.Output), err
}

// must is try of what must work.
func (h *harness) must(plugin, action, input string) string {
	h.t.Helper()
	out, err := h.try(patience, plugin, action, input)
	if err != nil {
		h.t.Fatalf("%s/%s: %v", plugin, action, err)
	}
	return out
}

func (h *harness) pid(plugin string) int {
	h.t.Helper()
	var pid int
	if err := json.Unmarshal([]byte(h.must(plugin, "pid", "null")), &pid); err != nil {
		h.t.Fatal(err)
	}
	return pid
}

func (h *harness) status(plugin string) pluginhost.Status {
	h.t.Helper()
	for _, s := range h.Status() {
		if s.Name == plugin {
			return s
		}
	}
	h.t.Fatalf("no status of %s", plugin)
	return pluginhost.Status{}
}

func asUnknown(t testing.TB, err error) *pluginhost.Unknown {
	t.Helper()
	var u *pluginhost.Unknown
	if !errors.As(err, &u) {
		t.Fatalf("got %T %v, want an Unknown", err, err)
	}
	return u
}

func asNotStarted(t testing.TB, err error) *pluginhost.NotStarted {
	t.Helper()
	var n *pluginhost.NotStarted
	if !errors.As(err, &n) {
		t.Fatalf("got %T %v, want a NotStarted", err, err)
	}
	return n
}

// gate is plugin data whose reads wait until it is opened, so that a test decides how long a call takes.
type gate struct {
	reached chan struct{} // gets a value for each read that began
	opened  chan struct{}
}

func newGate() *gate { return &gate{reached: make(chan struct{}, 100), opened: make(chan struct{})} }

func (g *gate) Get(ctx context.Context, key string) (wire.Item, error) {
	g.reached <- struct{}{}
	select {
	case <-g.opened:
		return wire.Item{Key: key}, nil
	case <-ctx.Done():
		return wire.Item{}, ctx.Err()
	}
}

func (*gate) List(context.Context, string, string, int) ([]wire.Item, error) { return nil, nil }

// block makes a call that waits at g, and returns when it does. The channel gives how it ended.
func (h *harness) block(plugin string, g *gate) <-chan error {
	h.t.Helper()
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err := h.Invoke(ctx, plugin, wire.Invocation{Action: "block"}, g)
		done <- err
	}()
	receive(h.t, g.reached, "the call to reach the plugin")
	return done
}

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
		panic("unreachable")
	}
}

// eventually waits until is holds.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited %s until %s", patience, what)
		}
	}
}

// waitGone waits until a process has ended: that it is gone, or that nobody but the system's first process has
// yet to ask for its status.
func waitGone(t testing.TB, pid int, within time.Duration) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if _, rest, ok := bytes.Cut(raw, []byte(") ")); ok && rest[0] == 'Z' {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("process %d lives %s later: %s", pid, within, raw)
		}
	}
}

// records are the log.
type records struct {
	mu    sync.Mutex
	lines []string
	added chan struct{} // closed and replaced at each line
}

func newRecords() *records { return &records{added: make(chan struct{})} }

func (r *records) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(b))
	close(r.added)
	r.added = make(chan struct{})
	return len(b), nil
}

func (r *records) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// wait returns the first record with all these texts.
func (r *records) wait(t testing.TB, texts ...string) string {
	t.Helper()
	late := time.After(patience)
	for {
		r.mu.Lock()
		added := r.added
		lines := r.lines
		r.mu.Unlock()
	next:
		for _, line := range lines {
			for _, text := range texts {
				if !strings.Contains(line, text) {
					continue next
				}
			}
			return line
		}
		select {
		case <-added:
		case <-late:
			t.Fatalf("no record with %q in\n%s", texts, strings.Join(lines, ""))
		}
	}
}

// clock is a time that the test sets.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.ahead.Load()))
}

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }
