package bolt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/engine/bolt"
	"github.com/shophand/shophand/core/engine/enginetest"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// The flows of the scenario: every kind of step, an attempt that must not be repeated, retries, waits.
func killFlows(t testing.TB) *enginetest.Flows {
	return enginetest.NewFlows(t, `
flow: welcome
on: order.created
steps:
  - do: loyalty/award
    retry: {attempts: 5}
  - wait: 1h
  - for_each: order.line_items
    as: line
    steps:
      - if: line.quantity > 1
        then: [{do: http/request, with: {id: "${line.id}"}}]
        else: [{do: labels/buy}]
  - do: shop/tag_order
    on_error: [{do: http/request, id: told}]
`, `
flow: thank
on: order.paid
steps: [{do: mail/send}, {do: http/request}, {wait: 10m}, {do: mail/send, id: again}]
`, `
flow: never
on: order.paid
if: order.total > 1000
steps: [{do: http/request}]
`)
}

// answer is what the scenario's actions do: the same for the same attempt of the same step.
func answer(_ context.Context, inv engine.Invocation) engine.Result {
	time.Sleep(time.Duration(len(inv.Path)) * time.Second)
	switch {
	case inv.Path == "award" && inv.Attempt < 3:
		return engine.Result{Error: "busy"}
	case inv.Path == "tag_order":
		return engine.Result{Error: "no such order", Permanent: true}
	case strings.HasSuffix(inv.Path, ".buy") && inv.Attempt == 1:
		return engine.Result{Error: "the plugin died", Unknown: true}
	}
	return engine.Result{Output: json.RawMessage(`{"at": "` + inv.Path + `"}`)}
}

const shop = "tea.myshopify.com"

// deliveries is what the intake holds of the scenario: orders that are created, then change so that their
// payment is derived, then are told to be paid.
func deliveries(orders int) []engine.Arrival {
	var list []engine.Arrival
	add := func(e event.Event) {
		list = append(list, engine.Arrival{
			Shop: shop, Seq: uint64(len(list) + 1), Events: []event.Event{e},
			Delivery: event.Delivery{Platform: "shopify", Shop: shop, Body: e.Raw, ReceivedAt: time.Now().Add(time.Duration(len(list)) * time.Millisecond)},
		})
	}
	lines := enginetest.Lines(3)
	paid := func(o *commerce.Order) { lines(o); enginetest.Paid(o) }
	for i := range orders {
		add(enginetest.Order(shop, "order.created", fmt.Sprint(i), time.Now(), lines))
	}
	for i := range orders {
		add(enginetest.Order(shop, "order.updated", fmt.Sprint(i), time.Now().Add(time.Second), paid))
		add(enginetest.Order(shop, "order.paid", fmt.Sprint(i), time.Now().Add(time.Second), paid))
	}
	return list
}

// snapshot is what a crash right behind a commit leaves.
type snapshot struct {
	dir   string
	acked uint64 // the last delivery that was acknowledged
	// attempts that had been begun, over all lives of the engine so far, by key
	attempts map[string]int
}

// TestKillAtEveryWrite copies the file behind every commit of a scenario, opens each copy, and lets it finish
// as after a crash; some of them crash again.
func TestKillAtEveryWrite(t *testing.T) {
	t.Parallel()
	orders, again := 2, 6
	if enginetest.Full() {
		orders, again = 4, 3
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 1))
	synctest.Test(t, func(t *testing.T) {
		k := &killing{t: t, flows: killFlows(t), root: dir, arrivals: deliveries(orders), random: random}
		first := k.play(snapshot{dir: k.folder(), attempts: map[string]int{}}, true)
		if len(first) < 20*orders {
			t.Fatalf("the scenario has only %d commits", len(first))
		}
		for i, s := range first {
			var inner []snapshot
			if i%again == 0 {
				inner = k.play(s, true)
				if len(inner) > 0 { // behind the last commits nothing is left to write
					k.play(inner[random.IntN(len(inner))], false)
				}
			} else {
				k.play(s, false)
			}
			for _, in := range inner {
				os.RemoveAll(in.dir)
			}
			os.RemoveAll(s.dir)
		}
		t.Logf("crashed behind each of %d commits", len(first))
	})
}

type killing struct {
	t        *testing.T
	flows    *enginetest.Flows
	root     string
	folders  int
	arrivals []engine.Arrival
	random   *rand.Rand
}

func (k *killing) folder() string {
	k.folders++
	dir := filepath.Join(k.root, fmt.Sprint(k.folders))
	if err := os.Mkdir(dir, 0o700); err != nil {
		k.t.Fatal(err)
	}
	return dir
}

// play lets an engine finish the scenario from a snapshot on, checks what it comes to, and returns a snapshot
// for each commit on the way, if they are wanted. Where they are not, it plays in the snapshot itself.
func (k *killing) play(from snapshot, wanted bool) (snapshots []snapshot) {
	dir := from.dir
	if wanted {
		dir = k.folder()
		if err := os.CopyFS(dir, os.DirFS(from.dir)); err != nil {
			k.t.Fatal(err)
		}
	}
	finished := k.finishedSteps(dir)
	invoker := &enginetest.Invoker{Do: answer}
	begun := func() map[string]int {
		all := map[string]int{}
		for key, n := range from.attempts {
			all[key] = n
		}
		for _, a := range invoker.Attempts() {
			all[a.Key]++
		}
		return all
	}
	var mu sync.Mutex
	acked := from.acked
	c := config(enginetest.Options{Dir: dir, Flows: k.flows, Shops: enginetest.Shops{shop: time.Now().Add(-time.Hour)}, Invoker: invoker, PerPlugin: 2})
	c.AfterCommit(func() {
		mu.Lock()
		s := snapshot{acked: acked, attempts: begun()}
		mu.Unlock()
		if wanted {
			s.dir = k.folder()
			if err := os.CopyFS(s.dir, os.DirFS(dir)); err != nil {
				k.t.Error(err)
			}
			snapshots = append(snapshots, s)
		}
	})
	e, err := bolt.Open(c)
	if err != nil {
		k.t.Fatal(err)
	}
	positions, err := e.Positions(context.Background())
	if err != nil || positions[shop] < from.acked {
		k.t.Fatalf("delivery %d was acknowledged, and the position is %d (%v)", from.acked, positions[shop], err)
	}
	for _, a := range k.arrivals[positions[shop]:] {
		if err := e.Accept(context.Background(), []engine.Arrival{a}); err != nil {
			k.t.Fatal(err)
		}
		mu.Lock()
		acked = a.Seq
		mu.Unlock()
		time.Sleep(3 * time.Second)
	}
	time.Sleep(3 * time.Hour)
	synctest.Wait()
	runs, err := e.Runs(context.Background(), engine.RunQuery{Limit: 1000})
	if err != nil {
		k.t.Fatal(err)
	}
	for i, r := range runs {
		if runs[i], err = e.Run(context.Background(), r.ID); err != nil {
			k.t.Fatal(err)
		}
	}
	if err := e.Close(context.Background()); err != nil {
		k.t.Fatal(err)
	}
	k.check(runs, begun(), invoker.Attempts(), finished)
	checkFold(k.t, dir, k.flows)
	return snapshots
}

// finishedSteps returns the keys of the steps whose outcome is in the file.
func (k *killing) finishedSteps(dir string) map[string]bool {
	finished := map[string]bool{}
	if _, err := os.Stat(filepath.Join(dir, "engine.db")); err != nil {
		return finished
	}
	runs, err := bolt.StoredRuns(dir)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, r := range runs {
		for _, f := range r.Frames {
			if f.Action != "" && f.Status.Over() {
				finished[f.Key] = true
			}
		}
	}
	return finished
}

// check checks the end of the scenario: every order has one run of each flow, each is over or parked for a good
// reason, and no step was begun that had ended, or under a key that is not its own.
func (k *killing) check(runs []engine.Run, begun map[string]int, attempts []enginetest.Attempt, finished map[string]bool) {
	k.t.Helper()
	var got, want []string
	steps := map[string]engine.Step{} // by key
	for _, r := range runs {
		got = append(got, r.Flow+" "+r.Subject)
		for _, s := range r.Steps {
			if s.IdempotencyKey != "" {
				steps[s.IdempotencyKey] = s
			}
		}
		parked := r.Status == run.Parked && strings.HasPrefix(r.Steps[len(r.Steps)-1].Action, "mail/")
		if r.Status != run.Succeeded && !parked {
			k.t.Errorf("the run of %s for order %s is %s: %s", r.Flow, r.Subject, r.Status, r.Reason)
		}
	}
	for _, a := range k.arrivals {
		switch a.Events[0].Type {
		case "order.created":
			want = append(want, "welcome "+a.Events[0].Subject)
		case "order.paid":
			want = append(want, "thank "+a.Events[0].Subject)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		k.t.Errorf("the runs are %v, not %v", got, want)
	}
	for _, a := range attempts {
		if finished[a.Key] {
			k.t.Errorf("%s of order %s had ended and was begun again", a.Path, a.RunID)
		}
		if s, ok := steps[a.Key]; !ok || s.ID != a.Path {
			k.t.Errorf("an attempt of %s came under the key %s, which is that of %q", a.Path, a.Key, s.ID)
		}
	}
	for key, s := range steps {
		if s.Status.Over() && begun[key] == 0 {
			k.t.Errorf("%s is %s and was never begun", s.ID, s.Status)
		}
		if s.Action == "mail/send" && begun[key] > 1 {
			k.t.Errorf("%s, which must not be repeated unasked, was begun %d times", s.ID, begun[key])
		}
	}
}
