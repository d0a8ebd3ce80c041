package demo

import (
	"fmt"
	"strings"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

// news prints what changed of events and runs, each change once.
type news struct {
	screen *screen
	names  map[string]string // what people call a resource, by shop and id
	runs   map[string]bool   // that were told of
	ended  map[string]bool   // whose end was told of
	steps  map[string]string // by run and path: what was told last
}

func newNews(s *screen) *news {
	return &news{screen: s, names: map[string]string{}, runs: map[string]bool{}, ended: map[string]bool{}, steps: map[string]string{}}
}

func resourceKey(shop, subject string) string { return shop + "\x00" + subject }

// name returns what people call a resource.
func (n *news) name(shop, subject string) string {
	if name := n.names[resourceKey(shop, subject)]; name != "" {
		return name
	}
	if subject == "" {
		return "-"
	}
	return subject
}

// row prints what happened to a flow's run, in the columns of the screen.
func (n *news) row(k kind, shop, subject, flow string, rest ...string) {
	n.screen.line(k, "%s", columns(append([]string{n.name(shop, subject), flow}, rest...), 6, 18, 22, 14))
}

// event prints an event that starts nothing, and the flows that it does not start.
func (n *news) event(e engine.Event) {
	switch e.Outcome {
	case engine.Duplicate:
		n.row(skips, e.Shop, e.Subject, e.Type, "known already: starts nothing again")
	case engine.Superseded, engine.Rejected:
		n.row(skips, e.Shop, e.Subject, e.Type, string(e.Outcome)+": "+cut(e.Reason, 90))
	}
	for _, s := range e.Skipped {
		n.row(skips, e.Shop, e.Subject, s.Flow, "skipped: "+strings.TrimPrefix(s.Reason, "condition false: "))
	}
}

// run prints what is new of a run, with the processes that carried its steps out.
func (n *news) run(r engine.Run, cause engine.Event, by processes) {
	if !n.runs[r.ID] {
		n.runs[r.ID] = true
		why := cause.Type
		switch {
		case cause.Type == "manual":
			why = "hand"
		case strings.HasPrefix(cause.Reason, "derived"):
			why += ", told from " + cause.Topic
		case cause.Reason != "":
			why += ", " + cause.Reason
		}
		n.row(starts, r.Shop, r.Subject, r.Flow, fmt.Sprintf("run %s by %s", r.ID, why))
	}
	for _, s := range r.Steps {
		now := fmt.Sprint(s.Status, s.Attempts, s.Until)
		key := r.ID + "\x00" + s.ID
		if n.steps[key] == now {
			continue
		}
		n.steps[key] = now
		n.step(r, s, by)
	}
	if r.Status.Over() && !n.ended[r.ID] {
		n.ended[r.ID] = true
		switch r.Status {
		case run.Succeeded:
		case run.Stopped:
			n.row(stops, r.Shop, r.Subject, r.Flow, "stopped: "+r.Reason)
		default:
			n.row(failed, r.Shop, r.Subject, r.Flow, fmt.Sprintf("%s: %s", r.Status, cut(r.Reason, 120)))
		}
	}
}

// step prints what is new of a step.
func (n *news) step(r engine.Run, s engine.Step, by processes) {
	if s.Action == "" {
		switch {
		case s.Until != nil && s.Status == run.Waiting:
			n.row(waits, r.Shop, r.Subject, r.Flow, fmt.Sprintf("waits until second %.2f", s.Until.Sub(n.screen.began).Seconds()))
		case s.Status == run.Succeeded && s.EndedAt != nil && strings.HasPrefix(s.ID, "wait"):
			n.row(waits, r.Shop, r.Subject, r.Flow, fmt.Sprintf("goes on, %.3f s after it began to wait", s.EndedAt.Sub(s.StartedAt).Seconds()))
		}
		return
	}
	process := by.of(s)
	switch s.Status {
	case run.Running:
		if s.Attempts > 1 {
			n.row(again, r.Shop, r.Subject, r.Flow, s.Action, process, fmt.Sprintf("attempt %d, under the same key %s", s.Attempts, cut(s.IdempotencyKey, 9)))
		}
	case run.Waiting:
		n.row(again, r.Shop, r.Subject, r.Flow, s.Action, "-", fmt.Sprintf("tried again at second %.2f: %s", s.Until.Sub(n.screen.began).Seconds(), cut(s.Error, 100)))
	case run.Succeeded:
		said := outcome(s)
		if s.Attempts > 1 {
			said += fmt.Sprintf(" (%d attempts, one key)", s.Attempts)
		}
		n.row(done, r.Shop, r.Subject, r.Flow, s.Action, process, said)
	case run.Failed:
		n.row(failed, r.Shop, r.Subject, r.Flow, s.Action, process, cut(s.Error, 110))
	default:
		n.row(note, r.Shop, r.Subject, r.Flow, s.Action, process, string(s.Status))
	}
}
