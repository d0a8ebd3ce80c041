package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// call makes one call to a plugin and says by its error what a failure means.
func (h *Host) call(ctx context.Context, plugin, action string, do func(context.Context, *process) error) error {
	s, err := h.enter(plugin)
	if err != nil {
		return err
	}
	defer h.calls.Done()
	begun := time.Now() // deadlines are real
	ctx, cancel := h.deadline(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return &NotStarted{Plugin: plugin, Reason: fmt.Sprintf("plugin %s is not called: the time of the attempt was over before it began", plugin)}
	}
	p, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	c := call{host: h, supervisor: s, process: p, plugin: plugin, action: action, outcome: answered}
	defer func() { s.release(p, c.outcome) }()

	working, stop := context.WithCancel(withAttempt(ctx, &c.attempt))
	defer stop()
	unwatch := context.AfterFunc(p.life, stop) // also where something else holds the connection open
	err = do(working, p)
	unwatch()
	if err == nil || isFailure(err) {
		return err
	}
	deadline, _ := ctx.Deadline()
	return c.failed(ctx, err, deadline.Sub(begun), time.Until(deadline))
}

// call is one call to a process.
type call struct {
	host           *Host
	supervisor     *supervisor
	process        *process
	plugin, action string
	attempt        attempt
	outcome        outcome
}

// ahead is by how much the plugin's own clock of the deadline may be ahead of ours.
const ahead = 100 * time.Millisecond

// failed says what an error of gRPC means, and finds out where it could mean several things. allowed is the time
// that the call had, left what it has still.
func (c *call) failed(ctx context.Context, err error, allowed, left time.Duration) error {
	st, _ := status.FromError(err)
	select {
	case <-c.process.child.dead:
		return c.died()
	default:
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), st.Code() == codes.DeadlineExceeded && left < ahead:
		c.outcome = hung
		return c.error("plugin %s did not answer within %s", c.plugin, roughly(allowed))
	case ctx.Err() != nil:
		c.outcome = nothing
		return c.error("the call was given up while plugin %s carried out %s", c.plugin, c.action)
	}
	switch st.Code() {
	case codes.Unavailable, codes.Canceled:
		// The connection broke, which most often is the end of the process; or the plugin said so itself.
		if c.process.ping(c.host.config.PingTimeout) != nil {
			select {
			case <-c.process.child.dead:
			case <-time.After(c.host.config.PingTimeout):
				c.process.child.kill("broke its connection and was killed")
			}
			return c.died()
		}
	case codes.ResourceExhausted:
		if got, limit, ok := overLimit(st.Message()); ok {
			if c.attempt.answered.Load() || strings.Contains(st.Message(), "trying to send") {
				return c.error("plugin %s sent %s; at most %s are taken", c.plugin, size(got), size(limit))
			}
			return &NotStarted{Plugin: c.plugin, Permanent: true, // its gRPC server refused the request unread
				Reason: fmt.Sprintf("plugin %s takes at most %s, and the attempt has %s", c.plugin, size(limit), size(got))}
		}
	}
	return c.error("plugin %s broke while carrying out %s: %s", c.plugin, c.action, cut(c.host.config.Redact(st.Message()), maxMessage))
}

// died says how the process ended, which is certain.
func (c *call) died() error {
	c.outcome = nothing
	<-c.process.child.exited
	c.supervisor.ended(c.process)
	return c.error("plugin %s %s", c.plugin, c.process.child.end(" while carrying out "+c.action))
}

// error is an *Unknown, or a *NotStarted where the request never went out.
func (c *call) error(format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	if !c.attempt.sent.Load() {
		return &NotStarted{Plugin: c.plugin, Reason: reason + " (it did not get the attempt)"}
	}
	return &Unknown{Plugin: c.plugin, Action: c.action, Reason: reason}
}

// overLimit takes gRPC's words for a message that is too large apart: "… larger than max (N vs. M)".
func overLimit(message string) (got, limit int, ok bool) {
	m := regexp.MustCompile(`larger than max \(([0-9]+) vs\. ([0-9]+)\)`).FindStringSubmatch(message)
	if m == nil {
		return 0, 0, false
	}
	got, err1 := strconv.Atoi(m[1])
	limit, err2 := strconv.Atoi(m[2])
	return got, limit, err1 == nil && err2 == nil
}

// checkHealth kills a process that does not answer.
func (h *Host) checkHealth(p *process) {
	if p.ping(h.config.PingTimeout) != nil && p.life.Err() == nil {
		p.child.kill(fmt.Sprintf("did not answer a health check within %s and was killed", h.config.PingTimeout))
	}
}
