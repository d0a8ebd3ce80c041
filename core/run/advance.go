package run

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
)

// breath is how many steps one transition carries out before the run pauses for a moment, so that a
// transaction stays small however long a loop is.
const breath = 200

// Advance applies one input to a run and returns its new state and the effects to perform, in order. f must
// be the version that the run started with. An error means that the state cannot be read; nothing has
// changed then. What is wrong with the flow or its data is no error: it fails the step.
func Advance(f *flow.Flow, s State, in Input) (State, []Effect, error) {
	m := &machine{flow: f, state: s, now: in.Time()}
	m.state.changed = maps.Clone(s.changed)
	if m.state.changed == nil {
		m.state.changed = map[string]Frame{}
	}
	moved, err := m.apply(in)
	if err != nil {
		return s, nil, err
	}
	if !moved {
		return s, nil, nil
	}
	if !m.state.Header.Status.Over() {
		m.proceed()
	}
	if m.err != nil {
		return s, nil, m.err
	}
	return m.state, m.effects, nil
}

// attemptTime is the most that one attempt takes away from the time within which a step is tried. Whatever goes
// beyond was a wait for its turn, or for a host that was down, neither of which makes a step fail.
const attemptTime = time.Minute

// machine is one call of Advance.
type machine struct {
	flow    *flow.Flow
	state   State
	now     time.Time
	effects []Effect
	steps   int   // begun in this transition
	err     error // reading the state failed
	// blocked by statuses: what the run waits for
	waiting, parked bool
}

// result of carrying a step or block out.
type result int

const (
	done    result = iota
	blocked        // until an input comes
	failed         // for good; the reason is in machine.reason
	stopped
)

// apply puts the input into the state; false means that it is stale and changes nothing.
func (m *machine) apply(in Input) (bool, error) {
	h := &m.state.Header
	if start, ok := in.(Started); ok {
		if h.ID != "" {
			return false, nil
		}
		*h = Header{
			ID: start.RunID, Flow: m.flow.ID, Version: m.flow.Version, Semantics: Semantics, Shop: start.Shop,
			EventID: start.Event.ID, Subject: start.Event.Subject, Status: Running, StartedAt: start.At,
		}
		m.state.Event = start.Event
		if start.Failure != "" {
			m.complete(Failed, start.Failure)
		}
		return true, nil
	}
	if h.ID == "" || h.Status.Over() {
		return false, nil
	}
	switch in := in.(type) {
	case ActionSucceeded:
		return m.withAttempt(in.Path, in.Attempt, func(f *Frame, _ *flow.Do) {
			f.Status, f.EndedAt, f.Output, f.Error = Succeeded, m.now, in.Output, ""
		})
	case ActionFailed:
		return m.withAttempt(in.Path, in.Attempt, func(f *Frame, do *flow.Do) { m.attemptFailed(f, do, in) })
	case ActionUnknown:
		return m.withAttempt(in.Path, in.Attempt, func(f *Frame, do *flow.Do) { m.attemptUnknown(f, do, in) })
	case TimerFired:
		return m.timerFired(in)
	}
	return false, fmt.Errorf("run %s: %T is no input", h.ID, in)
}

// withAttempt has do change the frame of an attempt that is at work.
func (m *machine) withAttempt(path string, attempt int, change func(*Frame, *flow.Do)) (bool, error) {
	f, ok, err := m.state.frame(path)
	if err != nil {
		return false, err
	}
	if !ok || f.Status != Running || f.Attempts != attempt || f.Action == "" {
		return false, nil
	}
	step := m.find(path)
	if step == nil || step.Do == nil {
		return false, fmt.Errorf("run %s: flow %s has no step at %s", m.state.Header.ID, m.flow.Version, path)
	}
	change(&f, step.Do)
	m.put(f)
	return true, nil
}

func (m *machine) attemptFailed(f *Frame, do *flow.Do, in ActionFailed) {
	f.Error = in.Error
	f.Spent += min(max(m.now.Sub(f.AskedAt), 0), attemptTime)
	counted := !in.Free && in.RetryAfter <= 0
	if counted {
		f.Counted++
	}
	pause := in.RetryAfter
	if pause > 0 { // not counted, so not free to make a storm either
		pause = max(pause, time.Second)
	} else {
		pause = backoff(m.state.Header.ID, f.Path, max(f.Counted, 1))
	}
	switch {
	case in.Permanent:
		f.Status, f.EndedAt = Failed, m.now
	case counted && f.Counted >= do.Retry.Attempts:
		f.Status, f.EndedAt = Failed, m.now
		f.Error = fmt.Sprintf("%s (tried %s)", in.Error, times(f.Counted))
	case pause > do.Retry.Within-f.Spent:
		f.Status, f.EndedAt = Failed, m.now
		f.Error = fmt.Sprintf("%s (gave up after %s: the next try would be later than %s)", in.Error, f.Spent.Round(time.Second), do.Retry.Within)
	default:
		at := m.now.Add(pause)
		f.Status, f.Until = Waiting, &at
		f.Spent += pause
		m.effects = append(m.effects, StartTimer{Timer: timerID(*f), At: at})
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func (m *machine) attemptUnknown(f *Frame, do *flow.Do, in ActionUnknown) {
	switch {
	case do.Outcome == flow.Unsafe:
		f.Status = Parked
		f.Error = in.Error + "; nobody knows whether it took effect, and its outcome policy is unsafe: look, then decide"
	case in.Crash:
		f.Error = in.Error
		m.invoke(f, do)
	default:
		m.attemptFailed(f, do, ActionFailed{Error: in.Error})
	}
}

// backoff is the pause before the next attempt: 1 s after the first, doubled each time up to an hour, and
// up to a quarter longer by a hash, so that steps that failed together do not come back together.
func backoff(runID, path string, failures int) time.Duration {
	base := time.Hour
	if failures <= 12 {
		base = min(base, time.Second<<(failures-1))
	}
	sum := sha256.Sum256([]byte(runID + "\x00" + path + "\x00" + strconv.Itoa(failures)))
	return base + time.Duration(binary.BigEndian.Uint64(sum[:8])%uint64(base/4))
}

// key is the idempotency key of a step: 26 letters and digits that any vendor's field takes.
func key(runID, path string) string {
	sum := sha256.Sum256([]byte(runID + "\x00" + path))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

// timerID names the timer that a frame waits for now; one that was overtaken has another name.
func timerID(f Frame) string { return f.Path + "#" + strconv.Itoa(f.Attempts) }

func (m *machine) timerFired(in TimerFired) (bool, error) {
	path, _, ok := strings.Cut(in.Timer, "#")
	if !ok {
		return false, nil
	}
	if path == "" { // a pause
		h := &m.state.Header
		over := h.Paused && in.Timer == "#"+strconv.Itoa(h.Breath)
		if over {
			h.Paused = false
		}
		return over, nil
	}
	f, found, err := m.state.frame(path)
	if err != nil {
		return false, err
	}
	if !found || f.Status != Waiting || timerID(f) != in.Timer || f.Until == nil || m.now.Before(*f.Until) {
		return false, nil
	}
	f.Until = nil
	if f.Action != "" {
		step := m.find(path)
		if step == nil || step.Do == nil {
			return false, fmt.Errorf("run %s: flow %s has no step at %s", m.state.Header.ID, m.flow.Version, path)
		}
		m.invoke(&f, step.Do)
	} else {
		f.Status, f.EndedAt = Succeeded, m.now
	}
	m.put(f)
	return true, nil
}

// invoke asks for the next attempt.
func (m *machine) invoke(f *Frame, do *flow.Do) {
	f.Status, f.AskedAt = Running, m.now
	f.Attempts++
	m.effects = append(m.effects, InvokeAction{
		Path: f.Path, Attempt: f.Attempts, Action: do.Action, Connection: do.Connection,
		Input: f.Input, Key: f.Key, Outcome: do.Outcome,
	})
}

func (m *machine) put(f Frame) { m.state.changed[f.Path] = f }

// begin makes the frame of a step that starts now.
func (m *machine) begin(path string) Frame {
	m.steps++
	m.state.Header.Begun++
	return Frame{Path: path, Order: m.state.Header.Begun, Status: Running, StartedAt: m.now}
}

func (m *machine) complete(status Status, reason string) {
	h := &m.state.Header
	h.Status, h.Reason, h.EndedAt = status, reason, m.now
	m.effects = append(m.effects, CompleteRun{Status: status, Reason: reason})
}

// proceed carries the run on from where it stands until it needs an input.
func (m *machine) proceed() {
	h := &m.state.Header
	root := &scope{machine: m, done: map[string]string{}}
	next, r, why := m.block(m.flow.Steps, root, h.Next)
	if m.err != nil {
		return
	}
	h.Next = next
	switch r {
	case done:
		if h.Lost > 0 {
			m.complete(PartlyFailed, lostReason(h.Lost))
			return
		}
		m.complete(Succeeded, "")
	case failed:
		m.complete(Failed, why)
	case stopped:
		m.complete(Stopped, why)
	case blocked:
		switch {
		case m.parked:
			h.Status, h.Reason = Parked, why
		case m.waiting:
			h.Status, h.Reason = Waiting, why
		default:
			h.Status, h.Reason = Running, ""
		}
	}
}

func lostReason(n int) string {
	if n == 1 {
		return "1 step failed"
	}
	return strconv.Itoa(n) + " steps failed"
}

// scope is what expressions at a place see of the steps that ran.
type scope struct {
	*machine
	prefix string            // of paths in this block
	done   map[string]string // step id -> path
	locals map[string]expr.Value
	at     time.Time // what `now` is; zero: the input's time
}

func (s *scope) inner(prefix string) *scope {
	return &scope{machine: s.machine, prefix: prefix, done: maps.Clone(s.done), locals: s.locals, at: s.at}
}

func (s *scope) values() expr.Values {
	now := s.at
	if now.IsZero() {
		now = s.now
	}
	return expr.Values{Event: s.state.Event, Shop: s.state.Header.Shop, Step: s.output, Locals: s.locals, Now: now}
}

// output returns the output of a step that ran before.
func (s *scope) output(id string) (json.RawMessage, bool) {
	path, ok := s.done[id]
	if !ok {
		return nil, false
	}
	f, ok, err := s.state.frame(path)
	if err != nil {
		s.err = errors.Join(s.err, err)
		return nil, false
	}
	return f.Output, ok && f.Output != nil
}
