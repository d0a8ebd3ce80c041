package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

const defaultLimit = 50

// Run implements engine.Engine.
func (e *Engine) Run(_ context.Context, id string) (engine.Run, error) {
	var out engine.Run
	err := e.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketRuns).Get([]byte(id))
		if raw == nil || len(id) != idLength {
			return fmt.Errorf("run %s: %w", id, engine.ErrNotFound)
		}
		var record runRecord
		if err := json.Unmarshal(raw, &record); err != nil {
			return fmt.Errorf("reading run %s: %w", id, err)
		}
		out = runOf(record)
		var frames []run.Frame
		c := tx.Bucket(bucketFrames).Cursor()
		for k, v := c.Seek([]byte(id)); k != nil && string(k[:idLength]) == id; k, v = c.Next() {
			var f run.Frame
			if err := json.Unmarshal(v, &f); err != nil {
				return fmt.Errorf("reading a step of run %s: %w", id, err)
			}
			frames = append(frames, f)
		}
		slices.SortFunc(frames, func(a, b run.Frame) int { return a.Order - b.Order })
		out.Steps = []engine.Step{}
		for _, f := range frames {
			out.Steps = append(out.Steps, stepOf(f))
		}
		return nil
	})
	return out, err
}

func runOf(r runRecord) engine.Run {
	return engine.Run{
		Steps: []engine.Step{}, ID: r.ID, Flow: r.Flow, Version: r.Version, Shop: r.Shop.Name, EventID: r.EventID, Subject: r.Subject,
		Status: r.Status, Reason: r.Reason, StartedAt: r.StartedAt, EndedAt: optional(r.EndedAt),
	}
}

func stepOf(f run.Frame) engine.Step {
	return engine.Step{
		ID: f.Path, Action: f.Action, Status: f.Status, Attempts: f.Attempts, StartedAt: f.StartedAt,
		EndedAt: optional(f.EndedAt), Until: f.Until, Input: f.Input, Output: f.Output, Error: f.Error, IdempotencyKey: f.Key,
	}
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Runs implements engine.Engine.
func (e *Engine) Runs(_ context.Context, q engine.RunQuery) ([]engine.Run, error) {
	out := []engine.Run{}
	err := e.view(func(tx *bbolt.Tx) error {
		return newestFirst(tx.Bucket(bucketRuns), func(v []byte) (bool, error) {
			var r runRecord
			if err := json.Unmarshal(v, &r); err != nil {
				return false, err
			}
			if !q.Since.IsZero() && r.StartedAt.Before(q.Since) {
				return false, nil
			}
			switch {
			case q.Shop != "" && q.Shop != r.Shop.Name, q.Flow != "" && q.Flow != r.Flow,
				q.Status != "" && q.Status != r.Status, q.EventID != "" && q.EventID != r.EventID:
				return true, nil
			}
			if q.Type != "" {
				ev, err := getEvent(tx, r.EventID)
				if err != nil || ev.Type != q.Type {
					return true, nil
				}
			}
			out = append(out, runOf(r))
			return len(out) < limit(q.Limit), nil
		})
	})
	return out, err
}

// newestFirst visits values from the last key on until visit returns false.
func newestFirst(b *bbolt.Bucket, visit func(v []byte) (bool, error)) error {
	c := b.Cursor()
	for k, v := c.Last(); k != nil; k, v = c.Prev() {
		on, err := visit(v)
		if err != nil || !on {
			return err
		}
	}
	return nil
}

func limit(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return n
}

// Events implements engine.Engine.
func (e *Engine) Events(_ context.Context, q engine.EventQuery) ([]engine.Event, error) {
	out := []engine.Event{}
	err := e.view(func(tx *bbolt.Tx) error {
		return newestFirst(tx.Bucket(bucketEvents), func(v []byte) (bool, error) {
			var r eventRecord
			if err := json.Unmarshal(v, &r); err != nil {
				return false, err
			}
			if !q.Since.IsZero() && r.ReceivedAt.Before(q.Since) {
				return false, nil
			}
			if q.Subject != "" && q.Subject != r.Subject || q.Flow != "" && !concerns(tx, r, q.Flow) {
				return true, nil
			}
			if q.Shop != "" && q.Shop != r.Shop || q.Type != "" && q.Type != r.Type || q.Outcome != "" && q.Outcome != r.Outcome {
				return true, nil
			}
			out = append(out, r.Event)
			return len(out) < limit(q.Limit), nil
		})
	})
	return out, err
}

// concerns tells whether an event started a flow or was passed over by it.
func concerns(tx *bbolt.Tx, r eventRecord, flow string) bool {
	for _, s := range r.Skipped {
		if s.Flow == flow {
			return true
		}
	}
	for _, id := range r.Runs {
		var record runRecord
		if json.Unmarshal(tx.Bucket(bucketRuns).Get([]byte(id)), &record) == nil && record.Flow == flow {
			return true
		}
	}
	return false
}

// Event implements engine.Engine.
func (e *Engine) Event(_ context.Context, id string) (engine.Event, error) {
	var out engine.Event
	err := e.view(func(tx *bbolt.Tx) error {
		record, err := getEvent(tx, id)
		if err != nil {
			return err
		}
		out = record.Event
		if body := tx.Bucket(bucketBodies).Get([]byte(id)); body != nil {
			content, _, err := decodeBody(body)
			if err != nil {
				return err
			}
			out.Content = &content
		}
		if raw := tx.Bucket(bucketDeliveries).Get([]byte(id)); raw != nil {
			out.Delivery = &event.Delivery{}
			return json.Unmarshal(raw, out.Delivery)
		}
		return nil
	})
	return out, err
}

func getEvent(tx *bbolt.Tx, id string) (eventRecord, error) {
	var record eventRecord
	raw := tx.Bucket(bucketEvents).Get([]byte(id))
	if raw == nil {
		return record, fmt.Errorf("event %s: %w", id, engine.ErrNotFound)
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return record, fmt.Errorf("reading event %s: %w", id, err)
	}
	return record, nil
}
