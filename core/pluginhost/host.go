package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/shophand/shophand/sdk/wire"
)

// Host runs plugins. It is safe for concurrent use. Close it: until then its processes live.
type Host struct {
	config    Config
	spawner   *spawner
	life      context.Context // ends when no call is waited for any more
	end       context.CancelFunc
	processes sync.WaitGroup // starts, processes and health checks
	closed    chan struct{}  // Close is done

	mu      sync.Mutex
	closing bool
	calls   sync.WaitGroup // none is added once closing
	plugins map[string]*supervisor
}

// New returns a host; it starts no plugin. The error names all that is wrong with the configuration.
func New(c Config) (*Host, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.ScratchDir != "" {
		dir, err := filepath.Abs(c.ScratchDir)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the plugins' working folders: %w", err)
		}
		if err := removeScratch(dir); err != nil {
			return nil, fmt.Errorf("removing an earlier host's working folders: %w", err)
		}
		c.ScratchDir = dir
	}
	h := &Host{config: c, spawner: newSpawner(), closed: make(chan struct{}), plugins: map[string]*supervisor{}}
	h.life, h.end = context.WithCancel(context.Background())
	for _, p := range c.Programs {
		h.plugins[p.Name] = newSupervisor(h, p)
	}
	return h, nil
}

// enter begins a call; the caller ends it with h.calls.Done where there is no error.
func (h *Host) enter(plugin string) (*supervisor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.plugins[plugin]
	switch {
	case !ok:
		return nil, noSuchPlugin(plugin)
	case h.closing:
		return nil, stopping(plugin)
	}
	h.calls.Add(1)
	return s, nil
}

// Describe returns what a plugin says of itself. It starts the plugin only if that is not known yet. The error is
// a *NotStarted.
func (h *Host) Describe(ctx context.Context, plugin string) (wire.Description, error) {
	s, err := h.enter(plugin)
	if err != nil {
		return wire.Description{}, err
	}
	defer h.calls.Done()
	s.mu.Lock()
	known := s.description
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	ctx, cancel := h.deadline(ctx)
	defer cancel()
	p, err := s.acquire(ctx)
	if err != nil {
		return wire.Description{}, err
	}
	defer s.release(p, answered)
	return p.description, nil
}

// Configure has a plugin check the configuration of a connection. The error is the *wire.Failure by which the
// plugin refuses it, a *NotStarted, or an *Unknown where the plugin gave no answer.
func (h *Host) Configure(ctx context.Context, plugin string, config json.RawMessage, shop wire.Shop) error {
	return h.call(ctx, plugin, "configure", func(ctx context.Context, p *process) error {
		return p.wire.Configure(ctx, config, shop)
	})
}

// Invoke carries out one attempt. data answers the plugin's reads and may be nil. What went wrong inside the
// action is in the result's Failure; the error is a *NotStarted or an *Unknown.
func (h *Host) Invoke(ctx context.Context, plugin string, inv wire.Invocation, data wire.Data) (wire.Result, error) {
	const other = 64 << 10 // keys, names and framing
	if n := len(inv.Input) + len(inv.Config) + len(inv.Event) + other; n > wire.MaxToPlugin {
		return wire.Result{}, &NotStarted{Plugin: plugin, Permanent: true, Reason: fmt.Sprintf(
			"plugin %s is not called: input, event and configuration have %s together; at most %s are sent", plugin, size(n-other), size(wire.MaxToPlugin-other))}
	}
	var result wire.Result
	err := h.call(ctx, plugin, inv.Action, func(ctx context.Context, p *process) (err error) {
		result, err = p.wire.Invoke(ctx, inv, bounded(data))
		return err
	})
	if err != nil {
		return wire.Result{}, err
	}
	if result, err = checkResult(result); err != nil {
		return wire.Result{}, &Unknown{Plugin: plugin, Action: inv.Action, Reason: fmt.Sprintf("plugin %s %v", plugin, err)}
	}
	return result, nil
}

// Install adds a plugin, or replaces one by another version of itself without failing a call: the new process
// is started and asked what it is, takes the calls from then on, and the old one ends when its last call has.
// On an error all is as before.
func (h *Host) Install(ctx context.Context, program Program) error {
	if err := program.check(); err != nil {
		return err
	}
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return stopping(program.Name)
	}
	h.calls.Add(1)
	h.mu.Unlock()
	defer h.calls.Done()

	p, err := h.start(ctx, program)
	if err != nil {
		return fmt.Errorf("plugin %s %w", program.Name, err)
	}
	h.mu.Lock()
	s, ok := h.plugins[program.Name]
	if !ok && !h.closing {
		s = newSupervisor(h, program)
		h.plugins[program.Name] = s
	}
	h.mu.Unlock()
	if s == nil || !s.install(program, p) { // the host is closing, or the plugin was removed meanwhile
		p.stop(0)
		return stopping(program.Name)
	}
	return nil
}

// Remove forgets a plugin. It waits until the calls to it have ended and then for its process, or kills that when
// ctx ends.
func (h *Host) Remove(ctx context.Context, plugin string) error {
	h.mu.Lock()
	s, ok := h.plugins[plugin]
	delete(h.plugins, plugin)
	h.mu.Unlock()
	if !ok {
		return noSuchPlugin(plugin)
	}
	s.close()
	return s.gone(ctx)
}

// Close takes no more calls, waits for those in flight until ctx ends, and stops all plugins; when it returns
// none lives. Its error says that calls were cut short. Closing again waits for the first.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		<-h.closed
		return nil
	}
	h.closing = true
	plugins := slices.Collect(maps.Values(h.plugins))
	h.mu.Unlock()
	defer close(h.closed)

	drained := make(chan struct{})
	go func() {
		h.calls.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		cut := 0
		for _, s := range plugins {
			cut += s.status().Calls
		}
		if cut > 0 {
			err = fmt.Errorf("stopping plugins: %d calls were cut short: %w", cut, context.Cause(ctx))
		}
	}
	h.end()
	for _, s := range plugins {
		s.close()
	}
	stopped := context.AfterFunc(ctx, func() {
		for _, s := range plugins {
			s.kill("was killed: the host stopped")
		}
	})
	h.processes.Wait()
	stopped()
	<-drained
	h.spawner.close()
	return err
}

// deadline gives a context a deadline if it has none.
func (h *Host) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, h.config.CallTimeout)
}

// isFailure says whether err is a plugin's own answer.
func isFailure(err error) bool {
	var f *wire.Failure
	return errors.As(err, &f)
}
