package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/shophand/shophand/core/engine"
)

// process is one that was seen at work.
type process struct {
	pid   int
	ended time.Time // zero: not that we know
}

// processes are those of the host and of each plugin by name, one after the other.
type processes map[string][]process

// seen notes that a name's process is this one now.
func (p processes) seen(name string, pid int, now time.Time) {
	if p.last(name).pid == pid { // also one that has ended, and the host has not noticed yet
		return
	}
	p.end(name, now)
	p[name] = append(p[name], process{pid: pid})
}

// end notes that a name's process has ended.
func (p processes) end(name string, at time.Time) {
	if list := p[name]; len(list) > 0 && list[len(list)-1].ended.IsZero() {
		list[len(list)-1].ended = at
	}
}

// endAll notes that all have ended.
func (p processes) endAll(at time.Time) {
	for name := range p {
		p.end(name, at)
	}
}

// last is the newest process of a name.
func (p processes) last(name string) process {
	if list := p[name]; len(list) > 0 {
		return list[len(list)-1]
	}
	return process{}
}

// plugins returns the process ids of the plugins that have not ended, by name.
func (p processes) plugins() map[string]int {
	out := map[string]int{}
	for name := range p {
		if last := p.last(name); name != hostName && last.ended.IsZero() {
			out[name] = last.pid
		}
	}
	return out
}

// hostName is the host's name among the processes; it carries the actions shop/… out itself.
const hostName = "host"

// of names the process that carried a step out, or carries it out now.
func (p processes) of(s engine.Step) string {
	name, _, _ := strings.Cut(s.Action, "/")
	if name == "shop" {
		name = hostName
	}
	found := p.last(name)
	if s.EndedAt == nil && !found.ended.IsZero() {
		return name + "[starting]"
	}
	if s.EndedAt != nil {
		for _, candidate := range p[name] {
			if candidate.ended.IsZero() || !s.EndedAt.After(candidate.ended) {
				found = candidate
				break
			}
		}
	}
	return fmt.Sprintf("%s[%d]", name, found.pid)
}
