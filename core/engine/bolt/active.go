package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
)

// activeRun is a run at work, in memory. What it holds is on disk as well.
type activeRun struct {
	users int // guarded by Engine.mu; at 0 it is dropped

	mu       sync.Mutex // one transition at a time
	loaded   bool
	flow     *flow.Flow
	state    run.State
	frames   *frameCache
	inputs   uint64
	document json.RawMessage // the event, for plugins
}

// frameCache reads a run's frames from the file and remembers them.
type frameCache struct {
	db    *bbolt.DB
	runID string
	known map[string]run.Frame
}

var _ run.Frames = (*frameCache)(nil)

// Frame implements run.Frames.
func (c *frameCache) Frame(path string) (f run.Frame, ok bool, err error) {
	if f, ok := c.known[path]; ok {
		return f, true, nil
	}
	if c.db == nil { // a run that is not on disk yet
		return run.Frame{}, false, nil
	}
	err = c.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketFrames).Get(pathKey(c.runID, path))
		if raw == nil {
			return nil
		}
		ok = true
		return json.Unmarshal(raw, &f)
	})
	if err != nil {
		return run.Frame{}, false, fmt.Errorf("reading %s of run %s: %w", path, c.runID, err)
	}
	if ok {
		c.known[path] = f
	}
	return f, ok, nil
}

// acquire returns the run with its lock held; release gives it back.
func (e *Engine) acquire(runID string) (*activeRun, error) {
	e.mu.Lock()
	a := e.active[runID]
	if a == nil {
		a = &activeRun{}
		e.active[runID] = a
	}
	a.users++
	e.mu.Unlock()
	a.mu.Lock()
	if a.loaded {
		return a, nil
	}
	if err := e.load(a, runID); err != nil {
		e.release(a, runID)
		return nil, err
	}
	return a, nil
}

func (e *Engine) release(a *activeRun, runID string) {
	a.mu.Unlock()
	e.drop(a, runID)
}

func (e *Engine) drop(a *activeRun, runID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.users--; a.users == 0 && e.active[runID] == a {
		delete(e.active, runID)
	}
}

func (e *Engine) load(a *activeRun, runID string) error {
	var record runRecord
	var body []byte
	err := e.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketRuns).Get([]byte(runID))
		if raw == nil {
			return fmt.Errorf("run %s: %w", runID, engine.ErrNotFound)
		}
		if err := json.Unmarshal(raw, &record); err != nil {
			return fmt.Errorf("reading run %s: %w", runID, err)
		}
		body = append(body, tx.Bucket(bucketBodies).Get([]byte(record.EventID))...)
		return nil
	})
	if err != nil {
		return err
	}
	ev, document, err := decodeBody(body)
	if err != nil {
		return fmt.Errorf("run %s: %w", runID, err)
	}
	if a.flow, err = e.config.Flows.Version(record.Flow, record.Version); err != nil {
		return fmt.Errorf("run %s: %w", runID, err)
	}
	a.frames = &frameCache{db: e.db, runID: runID, known: map[string]run.Frame{}}
	a.state = run.Load(record.Header, &ev, a.frames)
	a.inputs, a.document, a.loaded = record.Inputs, document, true
	return nil
}

// transition is one step of a run, computed and ready to be written.
type transition struct {
	state   run.State
	effects []run.Effect
	inputs  uint64
	change  change
}

// advance computes a transition; nil means that the input changes nothing. extra is written along.
func (a *activeRun) advance(runID string, in run.Input, extra change) (*transition, error) {
	state, effects, err := run.Advance(a.flow, a.state, in)
	if err != nil {
		return nil, err
	}
	changed := state.Changed()
	if len(effects) == 0 && len(changed) == 0 && state.Header == a.state.Header {
		return nil, nil
	}
	t := &transition{state: state, effects: effects, inputs: a.inputs + 1}
	encodedInput, err := run.MarshalInput(in)
	if err != nil {
		return nil, err
	}
	record, err := json.Marshal(runRecord{state.Header, t.inputs})
	if err != nil {
		return nil, err
	}
	frames := make([][]byte, len(changed))
	for i, f := range changed {
		if frames[i], err = json.Marshal(f); err != nil {
			return nil, err
		}
	}
	pending := make([][]byte, len(effects))
	for i, eff := range effects {
		if invoke, ok := eff.(run.InvokeAction); ok {
			if pending[i], err = json.Marshal(pendingAction{InvokeAction: invoke}); err != nil {
				return nil, err
			}
		}
	}
	ended := endedPath(in)
	t.change = func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketRuns).Put([]byte(runID), record); err != nil {
			return err
		}
		if err := tx.Bucket(bucketInputs).Put(inputKey(runID, t.inputs), encodedInput); err != nil {
			return err
		}
		for i, f := range changed {
			if err := tx.Bucket(bucketFrames).Put(pathKey(runID, f.Path), frames[i]); err != nil {
				return err
			}
		}
		if ended != "" {
			if err := tx.Bucket(bucketPending).Delete(pathKey(runID, ended)); err != nil {
				return err
			}
		}
		for i, eff := range effects {
			switch eff := eff.(type) {
			case run.InvokeAction:
				if err := tx.Bucket(bucketPending).Put(pathKey(runID, eff.Path), pending[i]); err != nil {
					return err
				}
			case run.StartTimer:
				if err := tx.Bucket(bucketTimers).Put(timerKey(eff.At, runID, eff.Timer), nil); err != nil {
					return err
				}
			}
		}
		if extra != nil {
			return extra(tx)
		}
		return nil
	}
	return t, nil
}

// endedPath is the attempt that an input ends.
func endedPath(in run.Input) string {
	switch in := in.(type) {
	case run.ActionSucceeded:
		return in.Path
	case run.ActionFailed:
		return in.Path
	case run.ActionUnknown:
		return in.Path
	}
	return ""
}

// committed takes a transition over after it is on disk.
func (a *activeRun) committed(t *transition) {
	for _, f := range t.state.Changed() {
		a.frames.known[f.Path] = f
	}
	a.state, a.inputs = t.state.Stored(), t.inputs
}

// feed gives a run an input, writes what follows, and performs it.
func (e *Engine) feed(ctx context.Context, runID string, in run.Input, extra change) error {
	a, err := e.acquire(runID)
	if err != nil {
		return err
	}
	defer e.release(a, runID)
	t, err := a.advance(runID, in, extra)
	if err != nil {
		return err
	}
	if t == nil {
		if extra == nil {
			return nil
		}
		return e.writer.commit(ctx, extra)
	}
	if err := e.writer.commit(ctx, t.change); err != nil {
		return err
	}
	a.committed(t)
	e.perform(a, runID, t.effects)
	return nil
}

// perform carries effects out that are on disk. The run's lock is held.
func (e *Engine) perform(a *activeRun, runID string, effects []run.Effect) {
	for _, eff := range effects {
		switch eff := eff.(type) {
		case run.InvokeAction:
			e.invoke(a, runID, a.state.Header.Shop.Name, eff)
		case run.StartTimer:
			e.timers.added(eff.At)
		}
	}
}

// invoke queues an attempt. The run stays in memory until the attempt is over, unless very many wait.
func (e *Engine) invoke(a *activeRun, runID, shop string, action run.InvokeAction) {
	e.mu.Lock()
	a.users++
	e.mu.Unlock()
	if !e.lanes.add(job{run: a, runID: runID, shop: shop, action: action}) {
		e.drop(a, runID)
	}
}
