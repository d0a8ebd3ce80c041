package demo

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// strangersLeftNothing: what was signed with another secret was refused and is not there.
func (d *demo) strangersLeftNothing() check {
	c := check{claim: fmt.Sprintf("%d forged webhooks were answered 401, started nothing and left nothing but a count", len(d.forged))}
	for _, f := range d.forged {
		if f.status != http.StatusUnauthorized {
			c.refute("%s's was answered %d", f.platform, f.status)
		}
		if f.counted != 1 {
			c.refute("%s's was counted %d times", f.platform, f.counted)
		}
		for _, e := range d.watch.events {
			if e.Subject == f.subject {
				c.refute("event %s came of %s's", e.ID, f.platform)
			}
		}
		for _, r := range d.watch.runs {
			if r.Subject == f.subject {
				c.refute("run %s of %s came of %s's", r.ID, r.Flow, f.platform)
			}
		}
	}
	return c
}

// deadPluginsStep: the step whose plugin was killed was tried again under its key, by another process, and the
// label was bought once.
func (d *demo) deadPluginsStep() check {
	o := d.plugin.order
	s := d.stepOf(o, "buy-label", "labels/buy")
	c := check{claim: fmt.Sprintf("labels[%d] was killed after the purchase for %s: %s by %s, one key, one label", d.plugin.pid, o.name, plural(s.Attempts, "attempt"), d.watch.seen.of(s))}
	if s.Attempts < 2 {
		c.refute("labels/buy for %s was not tried again", o.name)
	}
	if d.watch.seen.of(s) == fmt.Sprintf("labels[%d]", d.plugin.pid) {
		c.refute("the process that was killed is said to have ended the step")
	}
	labels := 0
	for _, l := range d.world.easypost.Labels() {
		if l.Reference == s.IdempotencyKey {
			labels++
		}
	}
	if labels != 1 {
		c.refute("EasyPost has %s under the step's key %s", plural(labels, "label"), s.IdempotencyKey)
	}
	return c
}

// lastInstant: what was acknowledged right before the kill ran afterwards.
func (d *demo) lastInstant() check {
	o, ran := d.crash.last, 0
	c := check{}
	for _, flow := range o.flows() {
		for _, r := range d.watch.of(o.shop, o.id, flow) {
			ran++
			if !r.Status.Over() {
				c.refute("run %s", describe(r))
			}
		}
	}
	if ran != len(o.flows()) {
		c.refute("%d of its %d runs are there", ran, len(o.flows()))
	}
	c.claim = fmt.Sprintf("%s, acknowledged in the instant before kill -9, had all of its %d runs", o.name, len(o.flows()))
	return c
}

// noOrphans: the dead host left no process behind.
func (d *demo) noOrphans() check {
	c := check{claim: fmt.Sprintf("kill -9 of host[%d] left no process behind; it was back after %s", d.crash.pid, d.crash.back.Sub(d.crash.at).Round(time.Millisecond))}
	for _, left := range d.crash.left {
		c.refute("%s outlived it", left)
	}
	return c
}

// tolerance is how late a wait may end. It is for a machine that is busy; what is usual is some milliseconds.
const tolerance = 30 * time.Second

// waitsEndedOnTime: the runs that waited over the crash went on when they should.
func (d *demo) waitsEndedOnTime() check {
	c := check{}
	var latest time.Duration
	for _, id := range slices.Sorted(maps.Keys(d.crash.waiting)) {
		until := d.crash.waiting[id]
		var ended *time.Time
		for _, s := range d.watch.runs[id].Steps {
			if s.Action == "" && strings.HasPrefix(s.ID, "wait") {
				ended = s.EndedAt
			}
		}
		if ended == nil {
			c.refute("run %s", describe(d.watch.runs[id]))
			continue
		}
		due := until
		if d.crash.back.After(due) {
			due = d.crash.back
		}
		late := ended.Sub(due)
		latest = max(latest, late)
		if ended.Before(until) || late > tolerance {
			c.refute("run %s went on %s after its time", id, ended.Sub(until).Round(time.Millisecond))
		}
	}
	if len(d.crash.waiting) == 0 {
		c.refute("no run waited")
	}
	c.claim = fmt.Sprintf("%s waited over the crash and went on at their time, the latest %s after it", plural(len(d.crash.waiting), "run"), latest.Round(time.Millisecond))
	return c
}

// secretsKept: no secret is in the host's log or in what its API shows of runs.
func (d *demo) secretsKept() check {
	known := append(secrets(), d.host.token)
	c := check{claim: fmt.Sprintf("none of %d secrets is in the host's log or in a run's history", len(known))}
	texts := map[string]string{"the host's log": d.host.log()}
	for id, r := range d.watch.runs {
		for _, s := range r.Steps {
			texts["run "+id] += string(s.Input) + string(s.Output) + s.Error
		}
	}
	for where, text := range texts {
		for _, secret := range known {
			if strings.Contains(text, secret) {
				c.refute("%s has one: %s…", where, cut(secret, 8))
			}
		}
	}
	return c
}
