package pluginhost

import (
	"context"
	"slices"
	"strings"
	"time"
)

// State is what a plugin does.
type State string

// The states.
const (
	Stopped    State = "stopped"     // no process: none was needed yet, or nobody called it for long
	Starting   State = "starting"    // a process was started and did not yet say what it is
	Running    State = "running"     // it takes calls
	BackingOff State = "backing_off" // it failed and is not started before RetryAt
	Failed     State = "failed"      // it failed and is started by the next call
)

// Status is how a plugin fares.
type Status struct {
	Name      string    `json:"name"`
	Version   string    `json:"version,omitempty"` // empty where it is not known yet
	State     State     `json:"state"`
	PID       int       `json:"pid,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	RetryAt   time.Time `json:"retry_at,omitzero"`
	Restarts  int       `json:"restarts"` // processes after the first
	Calls     int       `json:"calls"`    // in flight
	LastError string    `json:"last_error,omitempty"`
}

// Status returns how all plugins fare, by name.
func (h *Host) Status() []Status {
	h.mu.Lock()
	var out []Status
	for _, s := range h.plugins {
		out = append(out, s.status())
	}
	h.mu.Unlock()
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (s *supervisor) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{Name: s.name, State: Stopped, Restarts: max(s.started-1, 0), Calls: s.calls, LastError: s.lastError}
	if s.description != nil {
		out.Version = s.description.Version
	}
	switch {
	case s.current != nil:
		out.State, out.PID, out.StartedAt = Running, s.current.child.pid(), s.current.started.UTC()
	case s.starting != nil:
		out.State = Starting
	case s.failed && s.retryAt.After(s.host.config.Now()):
		out.State, out.RetryAt = BackingOff, s.retryAt.UTC()
	case s.failed:
		out.State = Failed
	}
	return out
}

// gone waits until a closed supervisor has no process, and kills them when ctx ends.
func (s *supervisor) gone(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.kill("was killed: the plugin was removed") })
	defer stop()
	for {
		s.mu.Lock()
		var left *process
		for p := range s.all {
			left = p
		}
		st := s.starting
		s.mu.Unlock()
		switch {
		case left != nil:
			<-left.child.exited
			left.stop(0)
			s.mu.Lock()
			delete(s.all, left)
			s.mu.Unlock()
		case st != nil:
			<-st.done
		default:
			return context.Cause(ctx)
		}
	}
}
