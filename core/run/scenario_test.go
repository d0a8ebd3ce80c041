package run_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"golang.org/x/tools/txtar"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

var update = flag.Bool("update", false, "rewrite the expected traces; commit them only if you understand each difference")

// start is when every scenario begins.
var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// actions that scenarios may use.
type actions map[string]flow.Action

func (a actions) EventType(name string) (event.Type, bool) { return event.Find(name) }
func (a actions) EventTypes() []string                     { return nil }
func (a actions) Actions() []string                        { return nil }
func (a actions) Action(name string) (flow.Action, bool) {
	action, ok := a[name]
	return action, ok
}

func catalog() actions {
	number := &jsonschema.Schema{Type: "integer"}
	return actions{
		"loyalty/award":  {Outcome: flow.Keyed, Output: &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{"balance": number}}},
		"labels/buy":     {Outcome: flow.Verify},
		"http/request":   {Outcome: flow.Keyed},
		"mail/send":      {Outcome: flow.Unsafe},
		"shop/tag_order": {Outcome: flow.Idempotent},
	}
}

func compile(t testing.TB, source []byte) *flow.Flow {
	t.Helper()
	language, err := expr.New()
	if err != nil {
		t.Fatal(err)
	}
	f, findings := flow.NewCompiler(language, catalog()).Compile(source)
	for _, finding := range findings {
		t.Log(finding.Text("flow.yaml"))
	}
	if findings.Wrong() {
		t.Fatal("the scenario's flow is wrong")
	}
	return f
}

// TestScenarios plays each file of testdata: a flow, an event, and a script of inputs; the trace shows what
// the interpreter asks for and how the run stands after each.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string][]byte{}
			for _, f := range archive.Files {
				parts[f.Name] = f.Data
			}
			p := newPlay(t, parts["flow.yaml"], parts["event.json"])
			for _, line := range strings.Split(strings.TrimSpace(string(parts["script"])), "\n") {
				p.do(line)
			}
			p.checkFold()
			if *update {
				for i := range archive.Files {
					if archive.Files[i].Name == "trace" {
						archive.Files[i].Data = []byte(p.trace.String())
					}
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got := p.trace.String(); got != string(parts["trace"]) {
				t.Errorf("trace differs; got:\n%s\nwant:\n%s", got, parts["trace"])
			}
		})
	}
}

// play is one scenario at work.
type play struct {
	t      testing.TB
	flow   *flow.Flow
	event  *event.Event
	state  run.State
	now    time.Time
	inputs []run.Input
	open   map[string]run.InvokeAction
	timers []run.StartTimer
	trace  strings.Builder
}

func newPlay(t testing.TB, source, eventJSON []byte) *play {
	p := &play{t: t, flow: compile(t, source), event: &event.Event{}, now: start, open: map[string]run.InvokeAction{}}
	if err := json.Unmarshal(eventJSON, p.event); err != nil {
		t.Fatal(err)
	}
	p.state = run.Load(run.Header{}, p.event, nil)
	return p
}

// do plays one line of a script:
//
//	start | succeed PATH JSON | fail PATH TEXT | refuse PATH TEXT | later PATH DURATION TEXT |
//	unknown PATH TEXT | crash PATH TEXT | timer | pass DURATION | again
//
// timer lets the next timer fire when it is due; again repeats the last input.
func (p *play) do(line string) {
	fmt.Fprintf(&p.trace, "> %s\n", line)
	verb, rest, _ := strings.Cut(line, " ")
	path, text, _ := strings.Cut(rest, " ")
	attempt := p.open[path].Attempt
	var in run.Input
	switch verb {
	case "start":
		in = run.Started{At: p.now, RunID: "RUN", Shop: expr.Shop{Name: "tea.example", Currency: "EUR", Timezone: "Europe/Berlin"}, Event: p.event}
	case "succeed":
		in = run.ActionSucceeded{At: p.now, Path: path, Attempt: attempt, Output: json.RawMessage(text)}
	case "fail":
		in = run.ActionFailed{At: p.now, Path: path, Attempt: attempt, Error: text}
	case "refuse":
		in = run.ActionFailed{At: p.now, Path: path, Attempt: attempt, Error: text, Permanent: true}
	case "later":
		after, text, _ := strings.Cut(text, " ")
		d, err := time.ParseDuration(after)
		if err != nil {
			p.t.Fatal(err)
		}
		in = run.ActionFailed{At: p.now, Path: path, Attempt: attempt, Error: text, RetryAfter: d}
	case "unknown", "crash":
		in = run.ActionUnknown{At: p.now, Path: path, Attempt: attempt, Error: text, Crash: verb == "crash"}
	case "timer":
		if len(p.timers) == 0 {
			p.t.Fatal("no timer is running")
		}
		timer := p.timers[0]
		p.timers = p.timers[1:]
		if timer.At.After(p.now) {
			p.now = timer.At
		}
		in = run.TimerFired{At: p.now, Timer: timer.Timer}
	case "pass":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		p.now = p.now.Add(d)
		return
	case "again":
		in = p.inputs[len(p.inputs)-1]
	default:
		p.t.Fatalf("unknown line %q", line)
	}
	p.feed(in)
}

func (p *play) feed(in run.Input) {
	state, effects, err := run.Advance(p.flow, p.state, in)
	if err != nil {
		p.t.Fatal(err)
	}
	p.inputs = append(p.inputs, in)
	if len(effects) == 0 && state.Header == p.state.Header && len(state.Changed()) == len(p.state.Changed()) {
		p.trace.WriteString("  nothing\n")
	}
	p.state = state
	for _, e := range effects {
		switch e := e.(type) {
		case run.InvokeAction:
			p.open[e.Path] = e
			fmt.Fprintf(&p.trace, "  invoke %s attempt %d: %s %s key %s\n", e.Path, e.Attempt, e.Action, e.Input, e.Key)
		case run.StartTimer:
			p.timers = append(p.timers, e)
			fmt.Fprintf(&p.trace, "  timer %s in %s\n", e.Timer, e.At.Sub(p.now))
		case run.CompleteRun:
			fmt.Fprintf(&p.trace, "  complete %s %s\n", e.Status, e.Reason)
		}
	}
	h := state.Header
	fmt.Fprintf(&p.trace, "  run %s %s\n", h.Status, h.Reason)
	for _, f := range state.Changed() {
		fmt.Fprintf(&p.trace, "    %-24s %-13s %s\n", f.Path, f.Status, f.Error)
	}
}

// checkFold folds the inputs again, through their stored form and with a store between the transitions, and
// with every input given twice: each must come to the same state.
func (p *play) checkFold() {
	want := stateText(p.t, p.state)
	for _, twice := range []bool{false, true} {
		stored := frames{}
		state := run.Load(run.Header{}, p.event, stored)
		for _, in := range p.inputs {
			raw, err := run.MarshalInput(in)
			if err != nil {
				p.t.Fatal(err)
			}
			back, err := run.UnmarshalInput(raw)
			if err != nil {
				p.t.Fatal(err)
			}
			if s, ok := back.(run.Started); ok {
				s.Event = p.event
				back = s
			}
			for range map[bool]int{false: 1, true: 2}[twice] {
				if state, _, err = run.Advance(p.flow, state, back); err != nil {
					p.t.Fatal(err)
				}
				for _, f := range state.Changed() {
					stored[f.Path] = f
				}
				state = state.Stored()
			}
		}
		all := run.Load(state.Header, p.event, nil)
		if got := framesText(p.t, all.Header, stored); got != want {
			p.t.Errorf("folding the inputs again (each twice: %v) gives\n%s\nnot\n%s", twice, got, want)
		}
	}
}

// frames are stored frames in memory.
type frames map[string]run.Frame

func (f frames) Frame(path string) (run.Frame, bool, error) {
	frame, ok := f[path]
	return frame, ok, nil
}

func stateText(t testing.TB, s run.State) string {
	m := frames{}
	for _, f := range s.Changed() {
		m[f.Path] = f
	}
	return framesText(t, s.Header, m)
}

func framesText(t testing.TB, h run.Header, m frames) string {
	b, err := json.MarshalIndent(struct {
		Header run.Header
		Frames frames
	}{h, m}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
