package run_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// TestAnyFlow makes random flows, carries each out with random results, timers, and inputs that are stale or
// repeated, and checks what holds for every run.
func TestAnyFlow(t *testing.T) {
	t.Parallel()
	n := 400
	if os.Getenv("SHOPHAND_TEST_SCALE") == "full" {
		n = 6_000
	}
	language, err := expr.New()
	if err != nil {
		t.Fatal(err)
	}
	compiler := flow.NewCompiler(language, catalog())
	ended := map[run.Status]int{}
	for seed := range n {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		source := (&grammar{random: random}).flow()
		f, findings := compiler.Compile([]byte(source))
		if findings.Wrong() {
			t.Fatalf("seed %d: the flow is wrong: %v\n%s", seed, findings, source)
		}
		l := &life{flow: f, random: random, now: start, stored: frames{}, event: orderOf(random.IntN(5)), open: map[string]run.InvokeAction{}, keys: map[string]string{}}
		if err := l.live(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, source)
		}
		ended[l.header.Status]++
	}
	for _, status := range []run.Status{run.Succeeded, run.PartlyFailed, run.Failed, run.Stopped, run.Parked} {
		if ended[status] < n/100 {
			t.Errorf("of %d runs only %d ended as %s: the flows are too much alike", n, ended[status], status)
		}
	}
	t.Log(ended)
}

func orderOf(lines int) *event.Event {
	o := &commerce.Order{Exists: true, ID: "1001", Name: "#1001", Total: commerce.MustDecimal("150.00"), CreatedAt: start}
	for i := range lines {
		o.LineItems = append(o.LineItems, commerce.LineItem{ID: fmt.Sprint(i), Title: "Tea <b> é", Quantity: int64(i), Price: commerce.MustDecimal("5.00")})
	}
	return &event.Event{ID: "E1", Type: "order.paid", Subject: "1001", Shop: "tea.example", Time: start, Data: commerce.Data{Order: o}}
}

// grammar makes the texts of flows.
type grammar struct {
	random *rand.Rand
	text   strings.Builder
	ids    int
}

func (g *grammar) flow() string {
	g.text.WriteString("flow: any\non: order.paid\nsteps:\n")
	g.block(1, nil, nil)
	return g.text.String()
}

// block writes steps that see the outputs of steps and the loop variables given.
func (g *grammar) block(depth int, steps, locals []string) {
	for range 1 + g.random.IntN(4) {
		g.ids++
		id := fmt.Sprintf("s%d", g.ids)
		if g.step(depth, id, steps, locals) {
			steps = append(slices.Clip(steps), id)
		}
	}
}

func (g *grammar) line(depth int, format string, args ...any) {
	fmt.Fprintf(&g.text, "%s"+format+"\n", append([]any{strings.Repeat("    ", depth)}, args...)...)
}

// step writes one step and tells whether it has an output of known shape.
func (g *grammar) step(depth int, id string, steps, locals []string) bool {
	kind := g.random.IntN(12)
	if depth > 3 {
		kind = min(kind, 7)
	}
	switch kind {
	case 8, 9:
		g.line(depth, "- id: %s", id)
		g.line(depth, "  if: %s", g.condition(locals))
		g.line(depth, "  then:")
		g.block(depth+1, steps, locals)
		if g.random.IntN(2) == 0 {
			g.line(depth, "  else:")
			g.block(depth+1, steps, locals)
		}
	case 10, 11:
		name := fmt.Sprintf("line%d", depth)
		g.line(depth, "- id: %s", id)
		g.line(depth, "  for_each: order.line_items")
		g.line(depth, "  as: %s", name)
		g.line(depth, "  steps:")
		g.block(depth+1, steps, append(slices.Clip(locals), name))
		g.onError(depth, steps, locals)
	case 7:
		g.line(depth, "- id: %s", id)
		g.line(depth, "  wait: %s", pick(g.random, "0s", "1s", "2d", `{until: "${order.created_at + duration('2h')}"}`, `{until: "${timestamp('2020-01-01T00:00:00Z')}"}`))
	case 6:
		if g.random.IntN(4) == 0 {
			g.line(depth, "- id: %s", id)
			g.line(depth, "  stop: %s", pick(g.random, "enough", `"of ${order.name}"`, `'${order.attributes["a"]}'`))
			return false
		}
		fallthrough
	default:
		return g.do(depth, id, steps, locals)
	}
	return false
}

func (g *grammar) do(depth int, id string, steps, locals []string) bool {
	action := pick(g.random, "loyalty/award", "labels/buy", "http/request", "mail/send", "shop/tag_order")
	g.line(depth, "- id: %s", id)
	g.line(depth, "  do: %s", action)
	values := []string{"plain", `"${order.name}"`, `"${now}"`}
	for _, s := range steps {
		values = append(values, fmt.Sprintf(`"${steps.%s.balance}"`, s))
	}
	for _, l := range locals {
		values = append(values, fmt.Sprintf(`"${%s.title}"`, l))
	}
	if g.random.IntN(12) == 0 {
		values = []string{`'${order.attributes["a"]}'`}
	}
	g.line(depth, "  with: {a: %s}", pick(g.random, values...))
	if g.random.IntN(2) == 0 {
		g.line(depth, "  retry: {attempts: %d, within: %s}", 1+g.random.IntN(4), pick(g.random, "3s", "1h", "24h"))
	}
	if g.random.IntN(3) == 0 {
		g.line(depth, "  outcome: %s", pick(g.random, "idempotent", "keyed", "verify"))
	}
	g.onError(depth, steps, locals)
	return action == "loyalty/award"
}

func (g *grammar) onError(depth int, steps, locals []string) {
	switch g.random.IntN(4) {
	case 0:
		g.line(depth, "  on_error: continue")
	case 1:
		if depth <= 3 {
			g.line(depth, "  on_error:")
			g.block(depth+1, steps, locals)
		}
	}
}

func (g *grammar) condition(locals []string) string {
	all := []string{"order.total > 100", "order.total > 1000", `order.name.startsWith("#")`}
	for _, l := range locals {
		all = append(all, l+".quantity > 1")
	}
	if g.random.IntN(10) == 0 {
		return `order.attributes["a"] == "b"`
	}
	return pick(g.random, all...)
}

func pick(random *rand.Rand, of ...string) string { return of[random.IntN(len(of))] }

// life is one run, kept in the form in which an engine stores it.
type life struct {
	flow   *flow.Flow
	random *rand.Rand
	event  *event.Event
	now    time.Time

	header   run.Header
	stored   frames
	inputs   [][]byte
	open     map[string]run.InvokeAction
	timers   []run.StartTimer
	keys     map[string]string // by path
	complete int
}

func (l *life) live() error {
	if err := l.feed(run.Started{At: l.now, RunID: "RUN", Shop: expr.Shop{Name: "tea.example"}, Event: l.event}); err != nil {
		return err
	}
	for range 20_000 {
		if l.header.Status.Over() || l.header.Status == run.Parked {
			return l.check()
		}
		if l.random.IntN(4) == 0 {
			if err := l.feedStale(); err != nil {
				return err
			}
		}
		in, err := l.next()
		if err != nil {
			return err
		}
		if err := l.feed(in); err != nil {
			return err
		}
	}
	return fmt.Errorf("the run does not end")
}

// next returns an input that the run waits for.
func (l *life) next() (run.Input, error) {
	l.now = l.now.Add(time.Duration(l.random.Int64N(int64(time.Minute))))
	for path, a := range l.open {
		delete(l.open, path)
		switch l.random.IntN(16) {
		case 0, 1:
			return run.ActionFailed{At: l.now, Path: path, Attempt: a.Attempt, Error: "busy"}, nil
		case 2:
			return run.ActionFailed{At: l.now, Path: path, Attempt: a.Attempt, Error: "no", Permanent: true}, nil
		case 3:
			after := time.Duration(l.random.Int64N(int64(2 * time.Hour)))
			return run.ActionFailed{At: l.now, Path: path, Attempt: a.Attempt, Error: "later", RetryAfter: after, Free: l.random.IntN(2) == 0}, nil
		case 4:
			return run.ActionUnknown{At: l.now, Path: path, Attempt: a.Attempt, Error: "the plugin died"}, nil
		case 5:
			return run.ActionUnknown{At: l.now, Path: path, Attempt: a.Attempt, Error: "the host was stopped", Crash: true}, nil
		case 6:
			return run.ActionSucceeded{At: l.now, Path: path, Attempt: a.Attempt}, nil // no output
		}
		return run.ActionSucceeded{At: l.now, Path: path, Attempt: a.Attempt, Output: json.RawMessage(fmt.Sprintf(`{"balance": %d, "text": "a < b"}`, l.random.IntN(9)))}, nil
	}
	if len(l.timers) == 0 {
		return nil, fmt.Errorf("the run is %s and waits for nothing", l.header.Status)
	}
	timer := slices.MinFunc(l.timers, func(a, b run.StartTimer) int { return a.At.Compare(b.At) })
	l.timers = slices.DeleteFunc(l.timers, func(t run.StartTimer) bool { return t == timer })
	if timer.At.After(l.now) {
		if early := timer.At.Sub(l.now); early > time.Nanosecond {
			if err := l.changesNothing(run.TimerFired{At: timer.At.Add(-1), Timer: timer.Timer}); err != nil {
				return nil, fmt.Errorf("early: %w", err)
			}
		}
		l.now = timer.At
	}
	return run.TimerFired{At: l.now, Timer: timer.Timer}, nil
}

// state is the run as an engine loads it.
func (l *life) state() run.State { return run.Load(l.header, l.event, l.stored) }

// feed applies an input, twice to the same state to see that it is pure, stores what follows, and repeats it.
func (l *life) feed(in run.Input) error {
	raw, err := run.MarshalInput(in)
	if err != nil {
		return err
	}
	before := len(l.stored)
	state, effects, err := run.Advance(l.flow, l.state(), in)
	if err != nil {
		return err
	}
	twin, twinEffects, err := run.Advance(l.flow, l.state(), in)
	if err != nil || twin.Header != state.Header || !reflect.DeepEqual(twin.Changed(), state.Changed()) || !reflect.DeepEqual(twinEffects, effects) {
		return fmt.Errorf("%#v has two outcomes (%v)", in, err)
	}
	if len(l.stored) != before {
		return fmt.Errorf("%#v changed the stored frames", in)
	}
	if n := len(state.Changed()); n > 230 {
		return fmt.Errorf("%#v changed %d frames", in, n)
	}
	l.inputs = append(l.inputs, raw)
	for _, f := range state.Changed() {
		l.stored[f.Path] = roundTrip(f)
	}
	l.header = roundTrip(state.Header)
	for _, e := range effects {
		if err := l.take(e); err != nil {
			return err
		}
	}
	return l.changesNothing(in)
}

func (l *life) take(e run.Effect) error {
	switch e := e.(type) {
	case run.InvokeAction:
		if len(l.open) > 0 {
			return fmt.Errorf("%s is asked for while something is at work", e.Path)
		}
		if key, again := l.keys[e.Path]; again != (e.Attempt > 1) || again && key != e.Key {
			return fmt.Errorf("attempt %d of %s has the key %s, and the one before had %q", e.Attempt, e.Path, e.Key, key)
		}
		for path, key := range l.keys {
			if path != e.Path && key == e.Key {
				return fmt.Errorf("%s and %s have the same key", path, e.Path)
			}
		}
		if f := l.stored[e.Path]; f.Key != e.Key || f.Attempts != e.Attempt || string(f.Input) != string(roundTrip(e).Input) {
			return fmt.Errorf("%s is asked for as %+v, and its frame is %+v", e.Path, e, f)
		}
		l.keys[e.Path] = e.Key
		l.open[e.Path] = e
	case run.StartTimer:
		l.timers = append(l.timers, e)
	case run.CompleteRun:
		l.complete++
		if e.Status != l.header.Status || e.Reason != l.header.Reason || !e.Status.Over() {
			return fmt.Errorf("it was completed as %+v, and the header is %+v", e, l.header)
		}
	}
	return nil
}

// feedStale gives the run something that came before, or that it never asked for.
func (l *life) feedStale() error {
	var in run.Input
	switch l.random.IntN(5) {
	case 0:
		old, err := run.UnmarshalInput(l.inputs[l.random.IntN(len(l.inputs))])
		if err != nil {
			return err
		}
		if s, ok := old.(run.Started); ok {
			s.Event = l.event
			old = s
		}
		in = old
	case 1:
		in = run.ActionSucceeded{At: l.now, Path: "s1", Attempt: 99, Output: json.RawMessage(`1`)}
	case 2:
		in = run.ActionFailed{At: l.now, Path: "nothing", Attempt: 1, Error: "stale"}
	case 3:
		in = run.TimerFired{At: l.now, Timer: pick(l.random, "#1", "#99", "s1#0", "s1#77", "s1", "", "#", "nothing#1")}
		if l.waitsFor(in.(run.TimerFired).Timer) {
			return nil
		}
	case 4:
		in = run.ActionUnknown{At: l.now, Path: "s2", Attempt: 0, Crash: true}
	}
	return l.changesNothing(in)
}

func (l *life) waitsFor(timer string) bool {
	return slices.ContainsFunc(l.timers, func(t run.StartTimer) bool { return t.Timer == timer })
}

func (l *life) changesNothing(in run.Input) error {
	state, effects, err := run.Advance(l.flow, l.state(), in)
	if err != nil || len(effects) > 0 || state.Header != l.header || len(state.Changed()) > 0 {
		return fmt.Errorf("%#v is stale, and gave %+v, %+v, %+v (%v)", in, state.Header, state.Changed(), effects, err)
	}
	return nil
}

// check checks a run that has ended, and folds its inputs.
func (l *life) check() error {
	h := l.header
	over := h.Status.Over()
	switch {
	case over && l.complete != 1 || !over && l.complete != 0:
		return fmt.Errorf("the run is %s and was completed %d times", h.Status, l.complete)
	case over == h.EndedAt.IsZero():
		return fmt.Errorf("the run is %s and ended at %s", h.Status, h.EndedAt)
	case (h.Status == run.Succeeded) != (h.Reason == ""):
		return fmt.Errorf("the run is %s for the reason %q", h.Status, h.Reason)
	case h.Status == run.PartlyFailed && h.Lost == 0, h.Status == run.Succeeded && h.Lost > 0:
		return fmt.Errorf("the run is %s and lost %d steps", h.Status, h.Lost)
	case len(l.stored) != h.Begun:
		return fmt.Errorf("%d steps were begun, and there are %d frames", h.Begun, len(l.stored))
	}
	orders := map[int]string{}
	for path, f := range l.stored {
		if f.Path != path || orders[f.Order] != "" || f.Order < 1 || f.Order > h.Begun {
			return fmt.Errorf("%s is number %d, and so is %q", path, f.Order, orders[f.Order])
		}
		orders[f.Order] = path
		if over && (!f.Status.Over() || f.EndedAt.IsZero()) {
			return fmt.Errorf("the run is over, and %s is %s", path, f.Status)
		}
		if f.Status == run.Failed && f.Error == "" {
			return fmt.Errorf("%s failed without a reason", path)
		}
	}
	return l.fold()
}

// fold folds the stored inputs without storing anything between them.
func (l *life) fold() error {
	state := run.Load(run.Header{}, l.event, nil)
	for _, raw := range l.inputs {
		in, err := run.UnmarshalInput(raw)
		if err != nil {
			return err
		}
		if s, ok := in.(run.Started); ok {
			s.Event = l.event
			in = s
		}
		if state, _, err = run.Advance(l.flow, state, in); err != nil {
			return err
		}
	}
	folded := frames{}
	for _, f := range state.Changed() {
		folded[f.Path] = roundTrip(f)
	}
	if state.Header = roundTrip(state.Header); state.Header != l.header {
		return fmt.Errorf("folding gives the header %+v, not %+v", state.Header, l.header)
	}
	for path, f := range l.stored {
		if !reflect.DeepEqual(f, folded[path]) {
			return fmt.Errorf("folding gives %+v, not %+v", folded[path], f)
		}
	}
	if len(folded) != len(l.stored) {
		return fmt.Errorf("folding gives %d frames, not %d", len(folded), len(l.stored))
	}
	return nil
}

// roundTrip returns what comes back from a store.
func roundTrip[T any](v T) T {
	raw, err := json.Marshal(v)
	if err == nil {
		var back T
		if err = json.Unmarshal(raw, &back); err == nil {
			return back
		}
	}
	panic(err)
}
