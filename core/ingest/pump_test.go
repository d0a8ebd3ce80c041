package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/core/ingest/bolt"
	"github.com/shophand/shophand/sdk/event"
)

// sink keeps what it is given, and fails where refuse says so. It holds the pump to its contract.
type sink struct {
	t      *testing.T
	refuse func([]ingest.Consumed) error
	taken  func(batch int) // called after each batch that was taken

	mu        sync.Mutex
	positions map[string]uint64
	batches   [][]ingest.Consumed
	refused   int
}

func (s *sink) Positions(context.Context) (map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.positions), nil
}

func (s *sink) Consume(_ context.Context, batch []ingest.Consumed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		if err := s.refuse(batch); err != nil {
			s.refused++
			return err
		}
	}
	for _, c := range batch {
		if c.Entry.Seq <= s.positions[c.Entry.Shop] {
			s.t.Errorf("%s: entry %d came after %d", c.Entry.Shop, c.Entry.Seq, s.positions[c.Entry.Shop])
		}
		s.positions[c.Entry.Shop] = c.Entry.Seq
	}
	s.batches = append(s.batches, batch)
	if s.taken != nil {
		s.taken(len(s.batches))
	}
	return nil
}

// bodies returns what was consumed of each shop, in order.
func (s *sink) bodies() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]string{}
	for _, batch := range s.batches {
		for _, c := range batch {
			out[c.Entry.Shop] = append(out[c.Entry.Shop], string(c.Entry.Delivery.Body))
		}
	}
	return out
}

func known(names ...string) shops {
	out := shops{}
	for _, name := range names {
		out[name] = ingest.Shop{Name: name, Platform: "shopify"}
	}
	return out
}

func keep(t *testing.T, log ingest.Log, shop string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := log.Append(context.Background(), event.Delivery{Platform: "shopify", Shop: shop, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
}

// keepMany appends n deliveries at once.
func keepMany(t *testing.T, log ingest.Log, shop string, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Go(func() {
			for range n / 50 {
				keep(t, log, shop, fmt.Sprint(w))
			}
		})
	}
	wg.Wait()
}

// pumping runs a pump until f returns.
func pumping(t *testing.T, log ingest.Log, s *sink, known shops, f func()) {
	t.Helper()
	if s.positions == nil {
		s.positions = map[string]uint64{}
	}
	s.t = t
	p := ingest.NewPump(ingest.PumpConfig{
		Log: log, Sink: s, Shops: known, Connectors: map[string]ingest.Connector{"shopify": platform("shopify")},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	f()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the pump ended with %v", err)
	}
}

func TestPumpTranslates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s := openLog(t, bolt.Options{}), &sink{}
		keep(t, log, "tea", "order.created", "nonsense", "nothing", "panic", "order.paid")
		keep(t, log, "gone", "order.created")
		if err := log.Append(t.Context(), event.Delivery{Platform: "carrier-pigeon", Shop: "tea"}); err != nil {
			t.Fatal(err)
		}
		pumping(t, log, s, known("tea"), func() {
			synctest.Wait()
			time.Sleep(time.Second) // of the bubble: the trimmer's
			synctest.Wait()
		})
		got := map[string][]string{}
		for _, c := range s.batches[0] {
			what := c.Rejected
			for _, e := range c.Events {
				what += "event " + e.Type
			}
			got[c.Entry.Shop] = append(got[c.Entry.Shop], what)
		}
		want := map[string][]string{
			"tea": {"event order.created", "the body is no JSON", "", "the shopify connector broke on it: index out of range",
				"event order.paid", `there is no connector for the platform "carrier-pigeon"`},
			"gone": {"unknown shop gone: add it with `shophand shop add shopify gone` and replay the event"},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		if left := log.Shops(); len(left) != 0 {
			t.Errorf("consumed, but not trimmed: %v", left)
		}
		_ = log.Close()
	})
}

// TestFloodDelaysOnlyItsShop has one shop with ten thousand deliveries when another's single one arrives: it
// is in the very next batch.
func TestFloodDelaysOnlyItsShop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s := openLog(t, bolt.Options{}), &sink{}
		keepMany(t, log, "flood", 10_000)
		s.taken = func(batch int) {
			if batch == 3 { // while the pump is at work
				keep(t, log, "quiet", "order.created")
			}
		}
		pumping(t, log, s, known("flood", "quiet"), func() { synctest.Wait() })
		if got := len(s.bodies()["flood"]); got != 10_000 {
			t.Errorf("%d deliveries of the flood came through", got)
		}
		for i, batch := range s.batches {
			for _, c := range batch {
				if c.Entry.Shop == "quiet" && i != 3 {
					t.Errorf("the quiet shop's delivery came in batch %d, after the third", i+1)
				}
			}
		}
		if len(s.bodies()["quiet"]) != 1 {
			t.Error("the quiet shop's delivery never came")
		}
		_ = log.Close()
	})
}

// TestManyShopsShare has more shops than a batch holds entries: all of them come before any comes twice.
func TestManyShopsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s, all := openLog(t, bolt.Options{}), &sink{}, shops{}
		var wg sync.WaitGroup
		for n := range 700 {
			name := fmt.Sprintf("shop%03d", n)
			all[name] = ingest.Shop{Name: name}
			wg.Go(func() { keep(t, log, name, "first", "second") })
		}
		wg.Wait()
		pumping(t, log, s, all, func() { synctest.Wait() })
		seconds := 0
		for _, batch := range s.batches {
			for _, c := range batch {
				if string(c.Entry.Delivery.Body) == "second" {
					seconds++
				} else if seconds > 700 {
					t.Fatalf("%s comes first when others are through", c.Entry.Shop)
				}
			}
		}
		first := map[string]bool{}
		for _, c := range append(s.batches[0], s.batches[1]...)[:700] {
			first[c.Entry.Shop] = true
		}
		if len(first) != 700 || seconds != 700 {
			t.Errorf("the first 700 entries are of %d shops; %d seconds came", len(first), seconds)
		}
		_ = log.Close()
	})
}

// TestPoisonHoldsUpNobodyElse has one delivery that the sink can't take until it is repaired.
func TestPoisonHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s := openLog(t, bolt.Options{}), &sink{}
		broken := true
		s.refuse = func(batch []ingest.Consumed) error {
			for _, c := range batch {
				if broken && string(c.Entry.Delivery.Body) == "poison" {
					return errors.New("this delivery breaks the sink")
				}
			}
			return nil
		}
		keep(t, log, "sick", "1", "2", "poison", "3")
		keep(t, log, "well", "1", "2")
		pumping(t, log, s, known("sick", "well"), func() {
			synctest.Wait()
			if got := s.bodies()["well"]; !reflect.DeepEqual(got, []string{"1", "2"}) {
				t.Errorf("while the other shop is stuck, %q of well came through", got)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := s.bodies()["sick"]; !reflect.DeepEqual(got, []string{"1", "2"}) {
				t.Errorf("before the poison %q came through, want all", got)
			}
			keep(t, log, "well", "3")
			synctest.Wait()
			if got := s.bodies()["well"]; len(got) != 3 {
				t.Errorf("a later delivery of well is held up: %q", got)
			}
			s.mu.Lock()
			tries := s.refused
			broken = false
			s.mu.Unlock()
			if tries < 8 || tries > 40 {
				t.Errorf("the poison was tried %d times in a minute", tries)
			}
			time.Sleep(11 * time.Second)
			synctest.Wait()
			if got := s.bodies()["sick"]; !reflect.DeepEqual(got, []string{"1", "2", "poison", "3"}) {
				t.Errorf("after the repair %q came through", got)
			}
		})
		_ = log.Close()
	})
}

// TestPumpGoesOnAfterTheSinkWasDown refuses everything for a while.
func TestPumpGoesOnAfterTheSinkWasDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s := openLog(t, bolt.Options{}), &sink{}
		since := time.Now()
		s.refuse = func([]ingest.Consumed) error {
			if time.Since(since) < 5*time.Minute {
				return errors.New("disk full")
			}
			return nil
		}
		for n := range 5 {
			keep(t, log, fmt.Sprint("shop", n), "a", "b", "c")
		}
		pumping(t, log, s, known("shop0", "shop1", "shop2", "shop3", "shop4"), func() {
			time.Sleep(5*time.Minute + 11*time.Second)
			synctest.Wait()
		})
		for shop, got := range s.bodies() {
			if strings.Join(got, "") != "abc" {
				t.Errorf("%s: %q", shop, got)
			}
		}
		if len(s.bodies()) != 5 {
			t.Errorf("%d shops came through", len(s.bodies()))
		}
		_ = log.Close()
	})
}

// TestPumpResumes starts a second pump on what the first one left: nothing is missing, nothing comes twice,
// and what was consumed already is trimmed.
func TestPumpResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, s := openLog(t, bolt.Options{}), &sink{}
		keepMany(t, log, "tea", 1000)
		stop := make(chan struct{})
		s.taken = func(batch int) {
			if batch == 2 {
				close(stop)
			}
		}
		pumping(t, log, s, known("tea"), func() { <-stop })
		pumping(t, log, s, known("tea"), func() {
			synctest.Wait()
			time.Sleep(time.Second)
			synctest.Wait()
		})
		if got := len(s.bodies()["tea"]); got != 1000 {
			t.Errorf("%d of 1000 came through", got)
		}
		if left := log.Shops(); len(left) != 0 {
			t.Errorf("not trimmed: %v", left)
		}
		_ = log.Close()
	})
}

// TestPumpTrimsWhatWasConsumedBefore has a sink that is ahead of the log's trimming.
func TestPumpTrimsWhatWasConsumedBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := openLog(t, bolt.Options{})
		keep(t, log, "tea", "old")
		s := &sink{positions: map[string]uint64{"tea": log.Shops()[0].Last}}
		pumping(t, log, s, known("tea"), func() {
			time.Sleep(time.Second)
			synctest.Wait()
		})
		if len(s.batches) != 0 || len(log.Shops()) != 0 {
			t.Errorf("%d batches came, %v is left", len(s.batches), log.Shops())
		}
		_ = log.Close()
	})
}

func TestPumpEndsWithItsLog(t *testing.T) {
	t.Parallel()
	log := openLog(t, bolt.Options{})
	keep(t, log, "tea", "a")
	_ = log.Close()
	p := ingest.NewPump(ingest.PumpConfig{
		Log: log, Sink: &sink{t: t, positions: map[string]uint64{}}, Shops: known("tea"),
		Connectors: map[string]ingest.Connector{"shopify": platform("shopify")},
	})
	if err := p.Run(t.Context()); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("the pump ended with %v", err)
	}
}
