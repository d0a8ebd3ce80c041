package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/event"
)

// Start implements engine.Engine.
func (e *Engine) Start(ctx context.Context, f *flow.Flow, ev event.Event) (string, string, error) {
	now := e.now()
	shop, ok := e.config.Shops.Shop(ev.Shop)
	if !ok {
		return "", "", fmt.Errorf("shop %s: %w", ev.Shop, engine.ErrNotFound)
	}
	ev.ID = newID(now, ev.Shop, f.ID, string(ev.Identity), e.nonce(now))
	pe := &preparedEvent{event: ev}
	var document json.RawMessage
	var err error
	if pe.body, document, err = encodeBody(ev); err != nil {
		return "", "", err
	}
	s, reason, err := e.prepareRun(f, &pe.event, document, shop, now, "")
	if err != nil {
		return "", "", err
	}
	if s == nil {
		pe.skipped = []engine.Skipped{{Flow: f.ID, Reason: reason}}
	} else {
		pe.runs = []*startedRun{s}
	}
	err = e.writer.commit(ctx, func(tx *bbolt.Tx) error {
		_, err := putProcessed(tx, pe, now, ev.Identity, "started by hand")
		return err
	})
	if err != nil || s == nil {
		return "", reason, err
	}
	e.begin(pe.runs)
	return s.id, "", nil
}

// nonce makes ids differ that are made from the same content, also in the same instant.
func (e *Engine) nonce(now time.Time) string {
	return now.Format(time.RFC3339Nano) + " " + strconv.FormatUint(e.byHand.Add(1), 10)
}

// Replay implements engine.Engine.
func (e *Engine) Replay(ctx context.Context, eventID string) ([]string, error) {
	now := e.now()
	var record eventRecord
	var body []byte
	if err := e.view(func(tx *bbolt.Tx) error {
		var err error
		record, err = getEvent(tx, eventID)
		body = append(body, tx.Bucket(bucketBodies).Get([]byte(eventID))...)
		return err
	}); err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("event %s is %s and has no content of its own (replay the one that its reason names): %w", eventID, record.Outcome, engine.ErrNotReplayable)
	}
	ev, _, err := decodeBody(body)
	if err != nil {
		return nil, err
	}
	shop, ok := e.config.Shops.Shop(ev.Shop)
	if !ok {
		return nil, fmt.Errorf("shop %s: %w", ev.Shop, engine.ErrNotFound)
	}
	pe := e.prepareEvent(ev, shop, now, "replay "+e.nonce(now))
	if pe.failed != nil {
		return nil, pe.failed
	}
	var ids []string
	err = e.writer.commit(ctx, func(tx *bbolt.Tx) error {
		ids = ids[:0]
		record, err := getEvent(tx, eventID)
		if err != nil {
			return err
		}
		for _, s := range pe.runs {
			if err := s.change(tx); err != nil {
				return err
			}
			ids = append(ids, s.id)
		}
		record.Outcome = engine.Processed
		record.Runs = append(record.Runs, ids...)
		record.Skipped = append(record.Skipped, pe.skipped...)
		record.Replays++
		return putEvent(tx, record, nil)
	})
	if err != nil {
		return nil, err
	}
	e.begin(pe.runs)
	return ids, nil
}

// Understood implements engine.Engine.
func (e *Engine) Understood(ctx context.Context, rejectedID string, events []event.Event) ([]string, error) {
	now := e.now()
	var started []*startedRun
	err := e.writer.commit(ctx, func(tx *bbolt.Tx) error {
		started = started[:0]
		record, err := getEvent(tx, rejectedID)
		if err != nil {
			return err
		}
		if record.Outcome != engine.Rejected {
			return fmt.Errorf("event %s was not rejected: %w", rejectedID, engine.ErrNotReplayable)
		}
		shop, ok := e.config.Shops.Shop(record.Shop)
		if !ok {
			return fmt.Errorf("shop %s: %w", record.Shop, engine.ErrNotFound)
		}
		p := &preparedArrival{Arrival: engine.Arrival{Shop: record.Shop, Delivery: event.Delivery{ReceivedAt: record.ReceivedAt}}, shop: shop}
		for i, ev := range events {
			ev.ID = newID(record.ReceivedAt, rejectedID, strconv.Itoa(i))
			pe := e.prepareEvent(ev, shop, now, "")
			if pe.failed != nil {
				return pe.failed
			}
			if reason := mistaken(tx, p.Shop, &pe.event); reason != "" {
				return fmt.Errorf("event %s is still not understood (%s): %w", rejectedID, reason, engine.ErrNotReplayable)
			}
			runs, err := e.acceptEvent(tx, p, pe, now)
			if err != nil {
				return err
			}
			started = append(started, runs...)
			record.Reason = "understood later, as event " + ev.ID
		}
		record.Outcome = engine.Processed
		return putEvent(tx, record, nil)
	})
	if err != nil {
		return nil, err
	}
	e.begin(started)
	var ids []string
	for _, s := range started {
		ids = append(ids, s.id)
	}
	return ids, nil
}
