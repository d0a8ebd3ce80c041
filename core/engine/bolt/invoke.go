package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
)

// carryOut makes one attempt and feeds its result to the run.
func (e *Engine) carryOut(j job) {
	if j.run == nil && !e.warm(&j) {
		return
	}
	defer e.drop(j.run, j.runID)
	ctx := e.work
	if j.action.Outcome == flow.Unsafe {
		if err := e.markSent(ctx, j); err != nil {
			e.logError("an attempt could not be marked as begun and was not made; it is made at the next start", err, "run", j.runID, "step", j.action.Path)
			return
		}
	}
	j.run.mu.Lock()
	inv := engine.Invocation{InvokeAction: j.action, RunID: j.runID, Flow: j.run.flow.ID, Shop: j.shop, Event: j.run.document}
	j.run.mu.Unlock()
	result := e.config.Invoker.Invoke(ctx, inv)
	if ctx.Err() != nil { // closing: whatever came of it, the attempt is taken up again
		return
	}
	e.retryFeed(j.runID, inputOf(j.action, result, e.now()))
}

// warm reads the run of a job that waited without it; false means that the attempt is not wanted any more, or
// cannot be read, which the next start tries again.
func (e *Engine) warm(j *job) bool {
	a, err := e.acquire(j.runID)
	if err != nil {
		e.logError("a run could not be taken up; it is at the next start", err, "run", j.runID, "step", j.action.Path)
		return false
	}
	frame, ok, err := a.frames.Frame(j.action.Path)
	e.logError("a run could not be taken up; it is at the next start", err, "run", j.runID, "step", j.action.Path)
	if err != nil || !ok || frame.Status != run.Running || frame.Attempts != j.action.Attempt {
		e.release(a, j.runID)
		return false
	}
	j.run, j.action.Input = a, frame.Input
	a.mu.Unlock() // and stay one of its users
	return true
}

// markSent remembers that an attempt which must not be repeated unasked has begun.
func (e *Engine) markSent(ctx context.Context, j job) error {
	raw, err := json.Marshal(pendingAction{InvokeAction: j.action, Sent: true})
	if err != nil {
		return err
	}
	return e.writer.commit(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketPending).Put(pathKey(j.runID, j.action.Path), raw)
	})
}

func inputOf(a run.InvokeAction, r engine.Result, at time.Time) run.Input {
	switch {
	case r.Unknown:
		return run.ActionUnknown{At: at, Path: a.Path, Attempt: a.Attempt, Error: r.Error}
	case r.Error == "" && r.Output != nil && !json.Valid(r.Output):
		return run.ActionFailed{At: at, Path: a.Path, Attempt: a.Attempt, Permanent: true, Error: "it was carried out, but what it returned is not JSON"}
	case r.Error != "":
		return run.ActionFailed{At: at, Path: a.Path, Attempt: a.Attempt, Error: r.Error, Permanent: r.Permanent, RetryAfter: r.RetryAfter, Free: r.Free}
	}
	return run.ActionSucceeded{At: at, Path: a.Path, Attempt: a.Attempt, Output: r.Output}
}

// retryFeed feeds an input until the disk takes it: an outcome is never dropped while the engine lives.
func (e *Engine) retryFeed(runID string, in run.Input) {
	pause := 50 * time.Millisecond
	for {
		err := e.feed(e.work, runID, in, nil)
		if err == nil || e.work.Err() != nil {
			return
		}
		e.logError("an input of a run could not be written; trying again", err, "run", runID)
		timer := time.NewTimer(pause)
		select {
		case <-e.work.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, 10*time.Second)
	}
}

// interrupted lists the attempts that were at work or waited for their turn when the engine was stopped, before
// anything new is asked for: what is at work from now on must not be taken for one of them.
func (e *Engine) interrupted() (keys [][]byte, err error) {
	err = e.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketPending).ForEach(func(k, _ []byte) error {
			keys = append(keys, bytes.Clone(k))
			return nil
		})
	})
	return keys, err
}

// resumeAll takes up interrupted attempts. One that cannot be taken up does not hold up the others.
func (e *Engine) resumeAll(keys [][]byte) {
	for _, key := range keys {
		if e.work.Err() != nil {
			return
		}
		var p pendingAction
		err := e.view(func(tx *bbolt.Tx) error {
			return json.Unmarshal(tx.Bucket(bucketPending).Get(key), &p)
		})
		runID := string(key[:idLength])
		if err == nil {
			err = e.resume(runID, p)
		}
		e.logError("a run could not be taken up", err, "run", runID, "step", string(key[idLength:]))
	}
}

// resume takes up one attempt: it is made again under the same key, unless it had begun and must not be
// repeated unasked.
func (e *Engine) resume(runID string, p pendingAction) error {
	if p.Sent {
		e.group.Go(func() {
			e.retryFeed(runID, run.ActionUnknown{
				At: e.now(), Path: p.Path, Attempt: p.Attempt, Crash: true, Error: "the host was stopped while the attempt was at work",
			})
		})
		return nil
	}
	shop, err := e.shopOf(runID)
	if err != nil {
		return err
	}
	p.Input = nil
	e.lanes.add(job{runID: runID, shop: shop, action: p.InvokeAction})
	return nil
}

// shopOf reads whose a run is.
func (e *Engine) shopOf(runID string) (string, error) {
	var record runRecord
	err := e.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketRuns).Get([]byte(runID))
		if raw == nil {
			return fmt.Errorf("run %s: %w", runID, engine.ErrNotFound)
		}
		return json.Unmarshal(raw, &record)
	})
	return record.Shop.Name, err
}
