package run

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
)

// block carries steps out from the one at next on. It returns where it stands, and why it ended there.
func (m *machine) block(steps []*flow.Step, s *scope, next int) (int, result, string) {
	for i := range next {
		s.done[steps[i].ID] = s.prefix + steps[i].ID
	}
	for ; next < len(steps); next++ {
		r, why := m.step(steps[next], s)
		if m.err != nil {
			return next, blocked, ""
		}
		if r != done {
			return next, r, why
		}
		s.done[steps[next].ID] = s.prefix + steps[next].ID
	}
	return next, done, ""
}

func (m *machine) step(step *flow.Step, s *scope) (result, string) {
	path := s.prefix + step.ID
	f, begun, err := m.state.frame(path)
	if err != nil {
		m.err = err
		return blocked, ""
	}
	if !begun && m.steps >= breath {
		h := &m.state.Header
		h.Breath++
		h.Paused = true
		m.effects = append(m.effects, StartTimer{Timer: "#" + strconv.Itoa(h.Breath), At: m.now})
		return blocked, ""
	}
	switch {
	case step.Do != nil:
		return m.do(step.Do, s, f, begun, path)
	case step.Wait != nil:
		return m.wait(step.Wait, s, f, begun, path)
	case step.Branch != nil:
		return m.branch(step.Branch, s, f, begun, path)
	case step.Loop != nil:
		return m.loop(step.Loop, s, f, begun, path)
	}
	return m.stop(step.Stop, s, path)
}

func (m *machine) do(do *flow.Do, s *scope, f Frame, begun bool, path string) (result, string) {
	if !begun {
		f = m.begin(path)
		f.Action, f.Key = do.Action, key(m.state.Header.ID, path)
		input, err := do.With.Eval(s.values())
		if err != nil {
			f.Status, f.EndedAt, f.Error = Failed, m.now, "its input cannot be made: "+err.Error()
		} else {
			f.Input = input
			m.invoke(&f, do)
		}
		m.put(f)
	}
	switch f.Status {
	case Succeeded:
		return done, ""
	case Failed:
		return m.onError(do.OnError, s, f)
	case Parked:
		m.parked = true
		return blocked, path + ": " + f.Error
	case Waiting:
		m.waiting = true
		return blocked, fmt.Sprintf("%s is tried again at %s: %s", path, f.Until.Format(time.RFC3339), f.Error)
	}
	return blocked, ""
}

// onError goes on behind a step that failed for good, as its flow says.
func (m *machine) onError(policy flow.OnError, s *scope, f Frame) (result, string) {
	why := f.Path + ": " + f.Error
	switch {
	case policy.Continue:
		if !f.Handling {
			f.Handling = true
			m.state.Header.Lost++
			m.put(f)
		}
		return done, ""
	case policy.Steps == nil:
		return failed, why
	}
	next, r, inner := m.block(policy.Steps, s.inner(f.Path+".on_error."), f.Next)
	f.Handling, f.Next = true, next
	m.put(f)
	if r == failed {
		return failed, why + "; then " + inner
	}
	return r, inner
}

func (m *machine) wait(w *flow.Wait, s *scope, f Frame, begun bool, path string) (result, string) {
	if !begun {
		f = m.begin(path)
		at, err := waitEnd(w, s, m.now)
		switch {
		case err != nil:
			f.Status, f.EndedAt, f.Error = Failed, m.now, "until cannot be told: "+err.Error()
		case !at.After(m.now):
			f.Status, f.EndedAt = Succeeded, m.now
		default:
			f.Status, f.Until = Waiting, &at
			m.effects = append(m.effects, StartTimer{Timer: timerID(f), At: at})
		}
		m.put(f)
	}
	switch f.Status {
	case Succeeded:
		return done, ""
	case Failed:
		return failed, path + ": " + f.Error
	}
	m.waiting = true
	return blocked, fmt.Sprintf("%s until %s", path, f.Until.Format(time.RFC3339))
}

func waitEnd(w *flow.Wait, s *scope, now time.Time) (time.Time, error) {
	if w.Until == nil {
		return now.Add(w.For), nil
	}
	v, err := w.Until.EvalExpr(s.values())
	if err != nil {
		return time.Time{}, err
	}
	at, ok := v.Time()
	if !ok {
		return time.Time{}, fmt.Errorf("%s is no time", v)
	}
	return at.UTC(), nil
}

func (m *machine) branch(b *flow.Branch, s *scope, f Frame, begun bool, path string) (result, string) {
	if !begun {
		f = m.begin(path)
		yes, err := b.If.Holds(s.values())
		switch {
		case err != nil:
			f.Status, f.EndedAt, f.Error = Failed, m.now, "the condition could not be evaluated: "+err.Error()
		case yes:
			f.Branch = "then"
		default:
			f.Branch = "else"
		}
		m.put(f)
	}
	if f.Status != Running {
		if f.Status == Failed {
			return failed, path + ": " + f.Error
		}
		return done, ""
	}
	steps := b.Then
	if f.Branch == "else" {
		steps = b.Else
	}
	next, r, why := m.block(steps, s.inner(path+"."+f.Branch+"."), f.Next)
	f.Next = next
	m.close(&f, r, why)
	m.put(f)
	return r, why
}

// close ends the frame of a step that holds others, when its block has ended.
func (m *machine) close(f *Frame, r result, why string) {
	switch r {
	case done, stopped:
		f.Status, f.EndedAt = Succeeded, m.now
	case failed:
		f.Status, f.EndedAt, f.Error = Failed, m.now, why
	}
}

// loop carries its steps out for each element, one turn after the other. A turn that fails is lost and the
// loop goes on; when all are lost the loop itself has failed.
func (m *machine) loop(l *flow.Loop, s *scope, f Frame, begun bool, path string) (result, string) {
	if !begun {
		f = m.begin(path)
		at := m.now
		f.LoopedAt = &at // what `now` is in the list, whenever that is evaluated
	}
	if f.Status != Running {
		return m.looped(l, s, f)
	}
	list, err := m.list(l, s, f)
	if err != nil {
		f.Status, f.EndedAt, f.Error = Failed, m.now, "the list could not be evaluated: "+err.Error()
		m.put(f)
		return m.looped(l, s, f)
	}
	f.Count, _ = list.Len()
	for f.Index < f.Count {
		turn := s.inner(path + "[" + strconv.Itoa(f.Index) + "].")
		turn.locals = maps.Clone(s.locals)
		if turn.locals == nil {
			turn.locals = map[string]expr.Value{}
		}
		item, err := list.Index(f.Index)
		if err != nil { // Count is the list's own: a bug of ours
			m.err = fmt.Errorf("run %s: %s: %w", m.state.Header.ID, path, err)
			return blocked, ""
		}
		turn.locals[l.As] = item
		next, r, why := m.block(l.Steps, turn, f.Next)
		f.Next = next
		switch r {
		case blocked:
			m.put(f)
			return blocked, why
		case stopped:
			m.close(&f, stopped, why)
			m.put(f)
			return stopped, why
		case failed:
			f.Lost++
			m.state.Header.Lost++
			f.Error = why
		}
		f.Index, f.Next = f.Index+1, 0
	}
	m.forget(path)
	f.EndedAt = m.now
	switch {
	case f.Lost == 0:
		f.Status = Succeeded
	case f.Lost < f.Count:
		f.Status = PartlyFailed
		f.Error = fmt.Sprintf("%d of %d failed, the last one: %s", f.Lost, f.Count, f.Error)
	default:
		f.Status = Failed
		f.Error = fmt.Sprintf("all %d failed, the last one: %s", f.Count, f.Error)
	}
	m.put(f)
	return m.looped(l, s, f)
}

// looped goes on behind a loop that has ended.
func (m *machine) looped(l *flow.Loop, s *scope, f Frame) (result, string) {
	if f.Status != Failed {
		return done, ""
	}
	return m.onError(l.OnError, s, f)
}

// list returns the list of a loop at work. It is evaluated once, and again only where the run was loaded from
// its store in between.
func (m *machine) list(l *flow.Loop, s *scope, f Frame) (expr.Value, error) {
	if list, ok := m.state.lists[f.Path]; ok {
		return list, nil
	}
	outer := s.inner(f.Path)
	outer.at = *f.LoopedAt
	list, err := elements(l.Over, outer.values())
	if err != nil {
		return expr.Value{}, err
	}
	lists := maps.Clone(m.state.lists)
	if lists == nil {
		lists = map[string]expr.Value{}
	}
	lists[f.Path] = list
	m.state.lists = lists
	return list, nil
}

// forget lets go of the list of a loop that has ended.
func (m *machine) forget(path string) {
	if _, ok := m.state.lists[path]; ok {
		m.state.lists = maps.Clone(m.state.lists)
		delete(m.state.lists, path)
	}
}

func elements(e *flow.Expression, vars expr.Values) (expr.Value, error) {
	v, err := e.Eval(vars)
	if err != nil {
		return expr.Value{}, err
	}
	if _, ok := v.Len(); !ok {
		return expr.Value{}, fmt.Errorf("%s is %s, which is no list", e.Text, v)
	}
	return v, nil
}

func (m *machine) stop(st *flow.Stop, s *scope, path string) (result, string) {
	f := m.begin(path)
	f.Status, f.EndedAt = Succeeded, m.now
	reason, err := st.Reason.Text(s.values())
	if err != nil {
		f.Status, f.Error = Failed, "the reason could not be evaluated: "+err.Error()
		m.put(f)
		return failed, path + ": " + f.Error
	}
	m.put(f)
	return stopped, reason
}

// find returns the step of a path.
func (m *machine) find(path string) *flow.Step {
	parts := strings.Split(path, ".")
	block, i := m.flow.Steps, 0
	for {
		id, _, _ := strings.Cut(parts[i], "[")
		var step *flow.Step
		for _, st := range block {
			if st.ID == id {
				step = st
			}
		}
		i++
		if step == nil || i == len(parts) {
			return step
		}
		switch {
		case parts[i] == "on_error" && step.Do != nil:
			block, i = step.Do.OnError.Steps, i+1
		case parts[i] == "on_error" && step.Loop != nil && !strings.Contains(parts[i-1], "["):
			block, i = step.Loop.OnError.Steps, i+1
		case step.Branch != nil && parts[i] == "then":
			block, i = step.Branch.Then, i+1
		case step.Branch != nil && parts[i] == "else":
			block, i = step.Branch.Else, i+1
		case step.Loop != nil:
			block = step.Loop.Steps
		default:
			return nil
		}
		if i == len(parts) {
			return nil
		}
	}
}
