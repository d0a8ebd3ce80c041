package pluginhost

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shophand/shophand/sdk/wire"
)

// supervisor keeps one plugin: it has at most one process that takes calls, and perhaps others that end their
// last ones.
type supervisor struct {
	host *Host
	name string
	log  *slog.Logger

	mu          sync.Mutex
	program     Program
	closed      bool
	current     *process
	all         map[*process]struct{} // also those that leave
	starting    *starting             // nil unless a start is under way
	description *wire.Description     // nil: not known yet
	started     int                   // processes
	failures    int                   // in a row
	retryAt     time.Time
	lastError   string // of the newest failure
	failed      bool   // the newest process failed and no other was started
	calls       int    // in flight
}

// starting is a start that is under way, for all who wait for it.
type starting struct {
	done chan struct{} // closed when it ended
	err  error         // set before
}

func newSupervisor(h *Host, p Program) *supervisor {
	return &supervisor{
		host: h, name: p.Name, log: h.config.Log.With("plugin", p.Name), program: p, description: p.Description,
		all: map[*process]struct{}{},
	}
}

// acquire returns a process for one call, and starts one if there is none; release gives it back. Waiting ends
// with ctx, the start does not. The error is a *NotStarted.
func (s *supervisor) acquire(ctx context.Context) (*process, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, stopping(s.name)
		}
		if p := s.current; p != nil {
			select {
			case <-p.child.dead: // what ended learns of it after its last words are read
				s.mu.Unlock()
				<-p.child.exited
				s.ended(p)
				continue
			default:
			}
			p.calls++
			s.calls++
			if p.idle != nil {
				p.idle.Stop()
			}
			s.mu.Unlock()
			return p, nil
		}
		if s.starting == nil {
			if err := s.begin(); err != nil {
				s.mu.Unlock()
				return nil, err
			}
		}
		st := s.starting
		s.mu.Unlock()
		select {
		case <-st.done:
			if st.err != nil {
				return nil, st.err
			}
		case <-ctx.Done():
			return nil, &NotStarted{Plugin: s.name, Reason: fmt.Sprintf("plugin %s was still starting when the time of the attempt was over", s.name)}
		}
	}
}

// begin starts the start of a process, unless it is too early for one. It is called with the lock held.
func (s *supervisor) begin() error {
	if wait := s.retryAt.Sub(s.host.config.Now()); wait > 0 {
		return &NotStarted{Plugin: s.name, RetryAfter: wait,
			Reason: fmt.Sprintf("plugin %s is started again in %s; it %s", s.name, roughly(wait), s.lastError)}
	}
	st := &starting{done: make(chan struct{})}
	s.starting = st
	program := s.program
	s.host.processes.Go(func() {
		p, err := s.host.start(context.Background(), program)
		s.mu.Lock()
		s.starting = nil
		switch {
		case err != nil:
			st.err = s.notStarted(err)
		case s.closed || s.current != nil: // meanwhile closed, or another version was installed
			p.leaving = true
			s.watch(p)
			go p.stop(s.host.config.StopTimeout)
			if s.closed {
				st.err = stopping(s.name)
			}
		default:
			s.use(p)
		}
		close(st.done)
		s.mu.Unlock()
	})
	return nil
}

// use has p take the calls from now on. It is called with the lock held.
func (s *supervisor) use(p *process) {
	s.current = p
	s.description = &p.description
	s.started++
	s.failed = false
	s.watch(p)
	s.idle(p)
}

// watch follows p to its end. It is called with the lock held.
func (s *supervisor) watch(p *process) {
	s.all[p] = struct{}{}
	s.host.processes.Go(func() {
		<-p.child.exited
		s.ended(p)
		p.stop(0)
		s.mu.Lock()
		delete(s.all, p)
		s.mu.Unlock()
	})
}

// idle stops p when nobody calls it for long. It is called with the lock held, while p has no call.
func (s *supervisor) idle(p *process) {
	d := s.host.config.IdleStop
	switch {
	case d < 0:
	case p.idle != nil:
		p.idle.Reset(d)
	default:
		p.idle = time.AfterFunc(d, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.current == p && p.calls == 0 {
				s.log.Info("plugin stopped: nobody called it", "for", d)
				s.leave(p)
			}
		})
	}
}

// leave gives p no more calls and stops it when its last one ended. It is called with the lock held.
func (s *supervisor) leave(p *process) {
	if s.current == p {
		s.current = nil
	}
	p.leaving = true
	if p.idle != nil {
		p.idle.Stop()
	}
	if p.calls == 0 {
		go p.stop(s.host.config.StopTimeout)
	}
}

// ended notes that p has ended. Only the first call for a process that was to go on counts.
func (s *supervisor) ended(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.leaving {
		return
	}
	p.leaving = true
	if s.current == p {
		s.current = nil
	}
	if p.idle != nil {
		p.idle.Stop()
	}
	s.fail(p.child.end(""), p, false)
	s.log.Warn("plugin ended", "error", s.lastError, "next_start_in", max(s.retryAt.Sub(s.host.config.Now()), 0), "stderr", p.child.output.tail())
}

// fail notes a failure and when the plugin may be started again: after the first in a row at once, unless it
// was the start that failed. p is nil where there was no process. It is called with the lock held.
func (s *supervisor) fail(reason string, p *process, start bool) {
	now := s.host.config.Now()
	if p != nil && now.Sub(p.started) >= s.host.config.HealthyAfter {
		s.failures = 0
	}
	s.failures++
	s.failed = true
	s.lastError = reason
	doublings := s.failures - 1
	if !start {
		doublings--
	}
	var wait time.Duration
	if doublings >= 0 {
		wait = s.host.config.BackoffMin
		for ; doublings > 0 && wait < s.host.config.BackoffMax; doublings-- {
			wait *= 2
		}
		wait = min(wait, s.host.config.BackoffMax)
	}
	s.retryAt = now.Add(wait)
}

// notStarted notes that a start failed. It is called with the lock held.
func (s *supervisor) notStarted(err error) *NotStarted {
	s.fail(err.Error(), nil, true)
	wait := s.retryAt.Sub(s.host.config.Now())
	s.log.Warn("plugin did not start", "error", s.lastError, "next_start_in", wait)
	return &NotStarted{Plugin: s.name, Reason: "plugin " + s.name + " " + s.lastError, RetryAfter: max(wait, 0), err: err}
}

// outcome is what a call says of the process that it was made to.
type outcome int

const (
	answered outcome = iota // it lives
	hung                    // it did not answer in time
	nothing                 // the caller gave up, or the process ended
)

// release ends a call.
func (s *supervisor) release(p *process, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.calls--
	s.calls--
	switch o {
	case answered:
		p.hung = 0
	case hung:
		p.hung++
		s.suspect(p)
	}
	switch {
	case p.calls > 0:
	case p.leaving:
		go p.stop(s.host.config.StopTimeout)
	default:
		s.idle(p)
	}
}

// suspect deals with a process that let a call hang. It is called with the lock held.
func (s *supervisor) suspect(p *process) {
	if p.leaving {
		return
	}
	if p.hung >= s.host.config.HungCalls {
		s.fail(fmt.Sprintf("let %d calls in a row hang", p.hung), p, false)
		s.log.Warn("plugin is replaced", "error", s.lastError, "pid", p.child.pid(), "calls_left", p.calls)
		s.leave(p)
		return
	}
	if p.checking {
		return
	}
	p.checking = true
	s.host.processes.Go(func() {
		s.host.checkHealth(p)
		s.mu.Lock()
		p.checking = false
		s.mu.Unlock()
	})
}

// install has p, a process of program, take the calls; the process that it replaces ends when its last call
// has. false means that the supervisor is closed.
func (s *supervisor) install(program Program, p *process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.current != nil {
		s.leave(s.current)
	}
	s.program = program
	s.failures, s.lastError, s.retryAt = 0, "", time.Time{}
	s.use(p)
	return true
}

// close lets nobody acquire a process any more and stops those that have no call; others stop when theirs ended.
func (s *supervisor) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.current != nil {
		s.leave(s.current)
	}
}

// kill ends all processes at once.
func (s *supervisor) kill(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.all {
		p.child.kill(why)
	}
}

// roughly is a time for people.
func roughly(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
