//go:build unix

package pluginhost_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk/wire"
)

// TestCloseDrains: what goes on may end, nothing new begins, and then no process lives.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	scratch := t.TempDir()
	h := newHost(t, pluginhost.Config{ScratchDir: scratch}, builtin("one"), builtin("two"), builtin("never"))
	g := newGate()
	call := h.block("one", g)
	pids := []int{h.pid("one"), h.pid("two")}
	closed := make(chan error, 1)
	go func() { closed <- h.Close(context.Background()) }()
	var refused error
	eventually(t, "Close began", func() bool {
		_, refused = h.try(patience, "two", "echo", "1")
		return refused != nil
	})
	if n := asNotStarted(t, refused); n.Permanent || !strings.Contains(n.Reason, "the host is stopping") {
		t.Error(n)
	}
	select {
	case err := <-closed:
		t.Fatalf("closed with a call in flight: %v", err)
	default:
	}
	close(g.opened)
	if err := receive(t, call, "the call"); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if err := receive(t, closed, "Close"); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		waitGone(t, pid, 0)
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := h.Close(context.Background()); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// TestCloseEndsInTime: calls that go on when Close may wait no more are cut short, and their outcome is unknown.
func TestCloseEndsInTime(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{}, builtin("one"), builtin("slow", "block"))
	g := newGate()
	call := h.block("one", g)
	starting := make(chan error, 1)
	go func() {
		_, err := h.try(patience, "slow", "echo", "1")
		starting <- err
	}()
	eventually(t, "the plugin starts", func() bool { return h.status("slow").State == pluginhost.Starting })
	pid := h.status("one").PID
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Close(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 calls were cut short") {
		t.Errorf("got %v", err)
	}
	waitGone(t, pid, 0)
	if u := asUnknown(t, receive(t, call, "the call")); u.Reason != "plugin one was killed: the host stopped while carrying out block" {
		t.Error(u)
	}
	asNotStarted(t, receive(t, starting, "the start"))
}

// TestUpgradeUnderLoad: another version takes over while calls go on, and none fails.
func TestUpgradeUnderLoad(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{}, builtin("one", "version=1"))
	g := newGate()
	long := h.block("one", g) // begins on the first version and ends after all others came
	first := h.status("one").PID
	var stop atomic.Bool
	var wg sync.WaitGroup
	seen := make([]map[string]int, 4)
	for i := range seen {
		seen[i] = map[string]int{}
		wg.Go(func() {
			for !stop.Load() {
				version, err := h.try(patience, "one", "version", "1")
				if err != nil {
					t.Error(err)
					return
				}
				seen[i][version]++
			}
		})
	}
	for v := 2; v <= 4; v++ {
		if err := h.Install(t.Context(), builtin("one", fmt.Sprintf("version=%d", v))); err != nil {
			t.Fatal(err)
		}
		if got := h.must("one", "version", "1"); got != fmt.Sprintf(`"%d"`, v) {
			t.Errorf("version %s, want %d", got, v)
		}
	}
	if err := h.Install(t.Context(), builtin("one", "version=5", "exit=1")); err == nil || !strings.Contains(err.Error(), "plugin one exited with status 1 before it was ready") {
		t.Errorf("got %v", err)
	}
	stop.Store(true)
	wg.Wait()
	if s := h.status("one"); s.Version != "4" || s.State != pluginhost.Running || s.LastError != "" {
		t.Errorf("status %+v", s)
	}
	close(g.opened)
	if err := receive(t, long, "the long call"); err != nil {
		t.Errorf("the long call: %v", err)
	}
	waitGone(t, first, patience)
	t.Log("calls per version and caller", seen)
}

func TestInstallAndRemove(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{})
	if err := h.Install(t.Context(), builtin("one")); err != nil {
		t.Fatal(err)
	}
	g := newGate()
	call := h.block("one", g)
	pid := h.status("one").PID
	removed := make(chan error, 1)
	go func() { removed <- h.Remove(context.Background(), "one") }()
	eventually(t, "the plugin is forgotten", func() bool { return len(h.Status()) == 0 })
	_, err := h.try(patience, "one", "echo", "1")
	asNotStarted(t, err)
	close(g.opened)
	if err := receive(t, call, "the call"); err != nil {
		t.Error(err)
	}
	if err := receive(t, removed, "Remove"); err != nil {
		t.Error(err)
	}
	waitGone(t, pid, 0)

	if err := h.Install(t.Context(), builtin("one")); err != nil {
		t.Fatal(err)
	}
	call = h.block("one", newGate())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Remove(ctx, "one"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	asUnknown(t, receive(t, call, "the call"))
}

// items is plugin data with large entries.
type items struct{ n, size int }

func (items) Get(_ context.Context, key string) (wire.Item, error) {
	return wire.Item{Key: key, Value: []byte(`"value of ` + key + `"`), Version: 1}, nil
}

func (d items) List(_ context.Context, prefix, after string, limit int) ([]wire.Item, error) {
	if limit < 1 || limit > 1000 {
		return nil, fmt.Errorf("asked for %d", limit)
	}
	var out []wire.Item
	for i := range min(limit, d.n) {
		out = append(out, wire.Item{Key: fmt.Sprint(prefix, i), Value: make([]byte, d.size), Version: 1})
	}
	return out, nil
}

// TestDataReads go through the host within limits, and too large a reply does not end them.
func TestDataReads(t *testing.T) {
	t.Parallel()
	h := newHost(t, pluginhost.Config{}, builtin("one"))
	for _, c := range []struct {
		data  items
		limit string
		want  string
	}{
		{items{3, 10}, "2", `"\"value of key\" 2"`},
		{items{3, 10}, "-1", `"\"value of key\" 1"`},
		{items{5000, 10}, "5000", `"\"value of key\" 1000"`},
		{items{1000, 64 << 10}, "1000", `"\"value of key\" the 1000 entries have 62.5 MiB together, and one reply may have 7.9 MiB: ask with a smaller limit"`},
		{items{1000, 64 << 10}, "100", `"\"value of key\" 100"`},
	} {
		r, err := h.Invoke(t.Context(), "one", wire.Invocation{Action: "read", Input: []byte(c.limit)}, c.data)
		if err != nil || r.Failure != nil || string(r.Output) != c.want {
			t.Errorf("limit %s: got %s %v %v, want %s", c.limit, r.Output, r.Failure, err, c.want)
		}
	}
}
