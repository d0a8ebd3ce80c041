package bolt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/admit"
	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/resource"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// Positions implements engine.Engine.
func (e *Engine) Positions(context.Context) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := e.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketPositions).ForEach(func(k, v []byte) error {
			out[string(k)] = binary.BigEndian.Uint64(v)
			return nil
		})
	})
	return out, err
}

// Accept implements engine.Engine. All that needs no stored state (conditions, first transitions, encoding)
// is done before the transaction, where it holds nobody up.
func (e *Engine) Accept(ctx context.Context, arrivals []engine.Arrival) error {
	now := e.now()
	prepared := make([]*preparedArrival, len(arrivals))
	for i, a := range arrivals {
		prepared[i] = e.prepareArrival(a, now)
	}
	var started []*startedRun
	err := e.writer.commit(ctx, func(tx *bbolt.Tx) error {
		started = started[:0]
		for _, p := range prepared {
			runs, err := e.accept(tx, p, now)
			if err != nil {
				return err
			}
			started = append(started, runs...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.begin(started)
	return nil
}

// begin performs the first effects of runs that are on disk now. A run that waits for an action is kept in
// memory: nobody else can have moved it since. One that waits for a timer may have been woken already.
func (e *Engine) begin(started []*startedRun) {
	for _, s := range started {
		for _, eff := range s.effects {
			switch eff := eff.(type) {
			case run.InvokeAction:
				e.mu.Lock()
				e.active[s.id] = s.run
				e.mu.Unlock()
				e.invoke(s.run, s.id, s.shop, eff)
			case run.StartTimer:
				e.timers.added(eff.At)
			}
		}
	}
}

// preparedArrival is an arrival with all that is known of it before its transaction.
type preparedArrival struct {
	engine.Arrival
	shop   engine.Shop
	events []*preparedEvent
}

// preparedEvent is an event with the runs that it starts if it turns out to be new.
type preparedEvent struct {
	event   event.Event
	body    []byte
	runs    []*startedRun
	skipped []engine.Skipped
	failed  error // preparing it showed a bug of ours
}

// startedRun is a run with its first transition.
type startedRun struct {
	id      string
	shop    string
	run     *activeRun
	effects []run.Effect
	change  change
}

func (e *Engine) prepareArrival(a engine.Arrival, now time.Time) *preparedArrival {
	p := &preparedArrival{Arrival: a}
	p.shop, _ = e.config.Shops.Shop(a.Shop)
	if p.shop.Name == "" {
		p.shop.Name, p.shop.Platform = a.Shop, a.Delivery.Platform
	}
	for i, ev := range a.Events {
		ev.ID = newID(a.Delivery.ReceivedAt, a.Shop, strconv.FormatUint(a.Seq, 10), strconv.Itoa(i))
		p.events = append(p.events, e.prepareEvent(ev, p.shop, now, ""))
	}
	return p
}

// prepareEvent decides which flows an event starts and computes their first transitions. nonce makes the ids
// of runs differ from those of an earlier time.
func (e *Engine) prepareEvent(ev event.Event, shop engine.Shop, now time.Time, nonce string) *preparedEvent {
	p := &preparedEvent{event: ev}
	var document json.RawMessage
	if p.body, document, p.failed = encodeBody(ev); p.failed != nil {
		return p
	}
	for _, f := range e.config.Flows.Starting(shop.Name, ev.Type) {
		s, reason, err := e.prepareRun(f, &p.event, document, shop, now, nonce)
		switch {
		case err != nil:
			p.failed = err
			return p
		case s == nil:
			p.skipped = append(p.skipped, engine.Skipped{Flow: f.ID, Reason: reason})
		default:
			p.runs = append(p.runs, s)
		}
	}
	return p
}

// prepareRun returns a run that begins with an event, or nil and the reason why it does not.
func (e *Engine) prepareRun(f *flow.Flow, ev *event.Event, document json.RawMessage, shop engine.Shop, now time.Time, nonce string) (*startedRun, string, error) {
	decision := admit.Decide(f, ev, shop.Shop, now)
	if !decision.Start {
		return nil, decision.Reason, nil
	}
	id := newID(now, ev.ID, f.ID, nonce)
	a := &activeRun{loaded: true, flow: f, document: document, frames: &frameCache{db: e.db, runID: id, known: map[string]run.Frame{}}}
	a.state = run.Load(run.Header{}, ev, &frameCache{runID: id, known: map[string]run.Frame{}})
	t, err := a.advance(id, run.Started{At: now, RunID: id, Shop: shop.Shop, Event: ev, Failure: decision.Reason}, nil)
	if err != nil {
		return nil, "", err
	}
	for _, frame := range t.state.Changed() {
		a.frames.known[frame.Path] = frame
	}
	a.state = run.Load(t.state.Header, ev, a.frames)
	a.inputs = t.inputs
	return &startedRun{id: id, shop: shop.Name, run: a, effects: t.effects, change: t.change}, "", nil
}

// accept writes one arrival. It may run more than once for one arrival, see change.
func (e *Engine) accept(tx *bbolt.Tx, p *preparedArrival, now time.Time) ([]*startedRun, error) {
	positions := tx.Bucket(bucketPositions)
	if last := positions.Get([]byte(p.Shop)); last != nil && binary.BigEndian.Uint64(last) >= p.Seq {
		return nil, nil
	}
	if err := positions.Put([]byte(p.Shop), binary.BigEndian.AppendUint64(nil, p.Seq)); err != nil {
		return nil, err
	}
	if p.Rejected != "" {
		return nil, e.putRejected(tx, p, p.Rejected)
	}
	var started []*startedRun
	for _, pe := range p.events {
		if pe.failed != nil {
			e.config.Logger.Error("an event could not be taken in: this is a bug; the delivery is kept as rejected", "shop", p.Shop, "type", pe.event.Type, "error", pe.failed)
			return nil, e.putRejected(tx, p, "Shophand failed on it: "+pe.failed.Error())
		}
	}
	for _, pe := range p.events {
		if reason := mistaken(tx, p.Shop, &pe.event); reason != "" {
			if err := putMistaken(tx, p, pe, reason); err != nil {
				return nil, err
			}
			continue
		}
		runs, err := e.acceptEvent(tx, p, pe, now)
		if err != nil {
			return nil, err
		}
		started = append(started, runs...)
	}
	return started, nil
}

func (e *Engine) acceptEvent(tx *bbolt.Tx, p *preparedArrival, pe *preparedEvent, now time.Time) ([]*startedRun, error) {
	state, known, err := getResource(tx, p.Shop, &pe.event)
	if err != nil {
		return nil, err
	}
	state, restored := resource.Restore(state, &pe.event)
	if restored {
		if err := putResource(tx, p.Shop, &pe.event, state); err != nil {
			return nil, err
		}
	}
	identity := pe.event.Identity.WithRestores(strconv.Itoa(state.Restores))
	if earlier := tx.Bucket(bucketIdentities).Get(join(p.Shop, string(identity))); earlier != nil {
		return nil, putEvent(tx, recordOf(pe, p.Delivery.ReceivedAt, identity, engine.Duplicate, "the same event came before as "+string(earlier)), nil)
	}
	next, verdict := resource.Apply(state, known, &pe.event, p.shop.Since)
	if err := putResource(tx, p.Shop, &pe.event, next); err != nil {
		return nil, err
	}
	if err := tx.Bucket(bucketIdentities).Put(join(p.Shop, string(identity)), []byte(pe.event.ID)); err != nil {
		return nil, err
	}
	var started []*startedRun
	if verdict.Superseded {
		err = putEvent(tx, recordOf(pe, p.Delivery.ReceivedAt, identity, engine.Superseded, verdict.Reason), pe.body)
	} else {
		started, err = putProcessed(tx, pe, p.Delivery.ReceivedAt, identity, "")
	}
	if err != nil {
		return nil, err
	}
	for j, derived := range verdict.Derived {
		key := join(p.Shop, string(derived.Identity))
		if tx.Bucket(bucketIdentities).Get(key) != nil {
			continue // the platform told of it before
		}
		derived.ID = newID(p.Delivery.ReceivedAt, pe.event.ID, strconv.Itoa(j))
		de := e.prepareEvent(derived, p.shop, now, "")
		if de.failed != nil {
			return nil, de.failed
		}
		if err := tx.Bucket(bucketIdentities).Put(key, []byte(derived.ID)); err != nil {
			return nil, err
		}
		runs, err := putProcessed(tx, de, p.Delivery.ReceivedAt, derived.Identity, "derived from "+pe.event.ID)
		if err != nil {
			return nil, err
		}
		started = append(started, runs...)
	}
	return started, nil
}

// putProcessed writes an event and the runs that it starts.
func putProcessed(tx *bbolt.Tx, pe *preparedEvent, received time.Time, identity event.Identity, reason string) ([]*startedRun, error) {
	record := recordOf(pe, received, identity, engine.Processed, reason)
	for _, s := range pe.runs {
		record.Runs = append(record.Runs, s.id)
		if err := s.change(tx); err != nil {
			return nil, err
		}
	}
	record.Skipped = pe.skipped
	return pe.runs, putEvent(tx, record, pe.body)
}

func recordOf(pe *preparedEvent, received time.Time, identity event.Identity, outcome engine.Outcome, reason string) eventRecord {
	ev := pe.event
	return eventRecord{Identity: identity, Event: engine.Event{
		ID: ev.ID, Type: ev.Type, Shop: ev.Shop, Subject: ev.Subject, ReceivedAt: received.UTC(),
		Outcome: outcome, Reason: reason, Runs: []string{}, Platform: ev.Platform, Topic: ev.Topic,
	}}
}

// putEvent writes an event; body nil leaves its content out.
func putEvent(tx *bbolt.Tx, record eventRecord, body []byte) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if body != nil {
		if err := tx.Bucket(bucketBodies).Put([]byte(record.ID), body); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketEvents).Put([]byte(record.ID), raw)
}

// putRejected keeps a delivery that means nothing (yet), with the reason.
func (e *Engine) putRejected(tx *bbolt.Tx, p *preparedArrival, reason string) error {
	id := newID(p.Delivery.ReceivedAt, p.Shop, strconv.FormatUint(p.Seq, 10))
	delivery, err := json.Marshal(p.Delivery)
	if err != nil {
		return fmt.Errorf("encoding a delivery: %w", err)
	}
	if err := tx.Bucket(bucketDeliveries).Put([]byte(id), delivery); err != nil {
		return err
	}
	return putEvent(tx, eventRecord{Event: engine.Event{
		ID: id, Shop: p.Shop, ReceivedAt: p.Delivery.ReceivedAt.UTC(), Outcome: engine.Rejected, Reason: reason,
		Runs: []string{}, Platform: p.Delivery.Platform,
	}}, nil)
}

// mistaken returns why a deletion does not mean the resource that it names; see resource.Mistaken.
func mistaken(tx *bbolt.Tx, shop string, ev *event.Event) string {
	return resource.Mistaken(ev, func(key string) bool { return tx.Bucket(bucketResources).Get(join(shop, key)) != nil })
}

// putMistaken keeps an event that is not what it says, with its delivery and the reason.
func putMistaken(tx *bbolt.Tx, p *preparedArrival, pe *preparedEvent, reason string) error {
	delivery, err := json.Marshal(p.Delivery)
	if err != nil {
		return fmt.Errorf("encoding a delivery: %w", err)
	}
	if err := tx.Bucket(bucketDeliveries).Put([]byte(pe.event.ID), delivery); err != nil {
		return err
	}
	return putEvent(tx, recordOf(pe, p.Delivery.ReceivedAt, pe.event.Identity, engine.Rejected, reason), nil)
}

func getResource(tx *bbolt.Tx, shop string, ev *event.Event) (s resource.State, known bool, err error) {
	key := resource.Key(ev)
	if key == "" {
		return s, false, nil
	}
	raw := tx.Bucket(bucketResources).Get(join(shop, key))
	if raw == nil {
		return s, false, nil
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, false, fmt.Errorf("reading what is known of %s of %s: %w", key, shop, err)
	}
	return s, true, nil
}

func putResource(tx *bbolt.Tx, shop string, ev *event.Event, s resource.State) error {
	key := resource.Key(ev)
	if key == "" {
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketResources).Put(join(shop, key), raw)
}
