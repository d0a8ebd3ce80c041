package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

// API is a host's REST API, as the commands use it. Errors are those that the API answered, for people.
type API interface {
	Do(ctx context.Context, method, path string, query url.Values, in, out any) error
}

// plugin is a plugin as the API shows it.
type plugin struct {
	Name  string `json:"name"`
	State string `json:"state"`
	PID   int    `json:"pid"`
}

const (
	pollEvery = 60 * time.Millisecond
	// patience is how long anything may take that is expected: a busy machine is slow, not wrong.
	patience = 90 * time.Second
	// most is how many runs and events are looked at.
	most = 1000
)

// watch knows what the host's API has shown so far, and tells the screen what is new. It is used by one goroutine.
type watch struct {
	api    API
	host   *hostProcess
	news   *news
	runs   map[string]engine.Run
	events map[string]engine.Event
	seen   processes
}

func newWatch(h *hostProcess, n *news) *watch {
	return &watch{host: h, news: n, runs: map[string]engine.Run{}, events: map[string]engine.Event{}, seen: processes{}}
}

// look asks the host what there is and prints what is new.
func (w *watch) look(ctx context.Context) error {
	query := url.Values{"limit": {fmt.Sprint(most)}}
	var runs []engine.Run // before the events, so that the event of each is among them
	if err := w.api.Do(ctx, http.MethodGet, "/runs", query, nil, &runs); err != nil {
		return err
	}
	var events []engine.Event
	if err := w.api.Do(ctx, http.MethodGet, "/events", query, nil, &events); err != nil {
		return err
	}
	for _, e := range slices.Backward(events) { // the oldest first
		if _, known := w.events[e.ID]; !known {
			w.news.event(e)
		}
		w.events[e.ID] = e
	}
	var changed []engine.Run
	for _, r := range slices.Backward(runs) {
		if known, ok := w.runs[r.ID]; ok && known.Status.Over() {
			continue
		}
		var full engine.Run
		if err := w.api.Do(ctx, http.MethodGet, "/runs/"+r.ID, nil, nil, &full); err != nil {
			return err
		}
		changed = append(changed, full)
	}
	var plugins []plugin
	if err := w.api.Do(ctx, http.MethodGet, "/plugins", nil, nil, &plugins); err != nil {
		return err
	}
	for _, p := range plugins {
		if p.PID != 0 {
			w.seen.seen(p.Name, p.PID, time.Now())
		}
	}
	w.seen.seen(hostName, w.host.pid(), time.Now())
	for _, r := range changed {
		w.news.run(r, w.events[r.EventID], w.seen)
		w.runs[r.ID] = r
	}
	return nil
}

// unmet is an expectation that did not come true.
type unmet struct {
	expected string
	instead  string
}

func (u *unmet) Error() string { return "expected that " + u.expected + "; " + u.instead }

// until looks again and again until missing returns "". Else its last words say what the expectation lacks.
func (w *watch) until(ctx context.Context, expected string, missing func() string) error {
	deadline := time.Now().Add(patience)
	for {
		err := w.look(ctx)
		lack := ""
		switch {
		case err != nil:
			lack = err.Error()
		default:
			if lack = missing(); lack == "" {
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !w.host.running():
			return &unmet{expected: expected, instead: "the host has ended by itself"}
		case time.Now().After(deadline):
			return &unmet{expected: expected, instead: fmt.Sprintf("after %s %s", patience, lack)}
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// of returns the runs of one flow for a resource, "" for all flows.
func (w *watch) of(shop, subject, flow string) []engine.Run {
	var out []engine.Run
	for _, r := range w.runs {
		if r.Shop == shop && r.Subject == subject && (flow == "" || r.Flow == flow) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b engine.Run) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// resting returns the wait step at which a run lets time pass.
func resting(r engine.Run) (engine.Step, bool) {
	for _, s := range r.Steps {
		if r.Status == run.Waiting && s.Status == run.Waiting && s.Action == "" && s.Until != nil {
			return s, true
		}
	}
	return engine.Step{}, false
}

// unsettled says which of the flows has no run for a resource, or one that is neither over nor rests; "" where all
// is well. That there are not too many is a matter for the books.
func (w *watch) unsettled(shop, subject string, flows ...string) string {
	for _, flow := range flows {
		found := w.of(shop, subject, flow)
		if len(found) == 0 {
			return fmt.Sprintf("%s has not run for %s of %s", flow, subject, shop)
		}
		for _, r := range found {
			if _, rests := resting(r); !rests && !r.Status.Over() {
				return "run " + describe(r)
			}
		}
	}
	return ""
}

// describe tells how a run fares, for whoever looks for what is wrong with it.
func describe(r engine.Run) string {
	text := fmt.Sprintf("%s of %s for %s is %s", r.ID, r.Flow, r.Subject, r.Status)
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	for _, s := range r.Steps {
		if s.EndedAt == nil || s.Error != "" {
			text += fmt.Sprintf("; step %s is %s after %s", s.ID, s.Status, plural(s.Attempts, "attempt"))
			if s.Error != "" {
				text += ": " + s.Error
			}
		}
	}
	return text
}
