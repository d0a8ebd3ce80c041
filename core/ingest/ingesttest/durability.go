package ingesttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/sdk/event"
)

func trims(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	var tea []event.Delivery
	for n := range 6 {
		tea = append(tea, delivery("tea", n))
		appendAll(t, log, tea[n], delivery("coffee", n))
	}
	entries := all(t, log, "tea")
	trim := func(upTo uint64) {
		t.Helper()
		if err := log.Trim(t.Context(), "tea", upTo); err != nil {
			t.Fatal(err)
		}
	}
	trim(entries[0].Seq - 1)
	wantDeliveries(t, all(t, log, "tea"), tea...)
	trim(entries[2].Seq)
	wantDeliveries(t, all(t, log, "tea"), tea[3:]...)
	trim(entries[1].Seq)
	wantDeliveries(t, all(t, log, "tea"), tea[3:]...)
	closeLog(t, log)
	log = open(t, dir, Quota{})
	defer closeLog(t, log)
	wantDeliveries(t, all(t, log, "tea"), tea[3:]...)
	trim(1<<64 - 1)
	wantDeliveries(t, all(t, log, "tea"))
	if got := log.Shops(); len(got) != 1 || got[0].Shop != "coffee" {
		t.Errorf("after all of tea was trimmed, it lists %v", got)
	}
	if got := len(all(t, log, "coffee")); got != 6 {
		t.Errorf("coffee has %d entries left of 6", got)
	}
	if err := log.Trim(t.Context(), "nobody", 5); err != nil {
		t.Errorf("trimming a shop without entries: %v", err)
	}
}

func trimsMany(t *testing.T, open Open) {
	log := open(t, t.TempDir(), Quota{})
	defer closeLog(t, log)
	var wg sync.WaitGroup
	for worker := range 25 {
		wg.Go(func() {
			for n := range 100 {
				if err := log.Append(t.Context(), delivery("tea", 100*worker+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	entries := all(t, log, "tea")
	if err := log.Trim(t.Context(), "tea", entries[2400].Seq); err != nil {
		t.Fatal(err)
	}
	if got := all(t, log, "tea"); len(got) != 99 || got[0].Seq != entries[2401].Seq {
		t.Fatalf("%d entries are left of 2500, want the last 99", len(got))
	}
}

func numbersOnce(t *testing.T, open Open) {
	dir := t.TempDir()
	var last uint64
	for n := range 5 {
		log := open(t, dir, Quota{})
		appendAll(t, log, delivery("tea", n))
		entries := all(t, log, "tea")
		if len(entries) != 1 || entries[0].Seq <= last {
			t.Fatalf("the entry has the number %d, an earlier one had %d", entries[0].Seq, last)
		}
		last = entries[0].Seq
		if err := log.Trim(t.Context(), "tea", last); err != nil {
			t.Fatal(err)
		}
		closeLog(t, log)
	}
	// A log made anew goes on above a lost one, whose positions its consumers still hold.
	log := open(t, t.TempDir(), Quota{})
	defer closeLog(t, log)
	appendAll(t, log, delivery("tea", 9))
	if got := all(t, log, "tea")[0].Seq; got <= last {
		t.Fatalf("a new log gives the number %d, the lost one had given %d", got, last)
	}
}

func survives(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	defer closeLog(t, log)
	var given []event.Delivery
	for n := range 12 {
		given = append(given, delivery("tea", n))
		appendAll(t, log, given[n])
		if n == 6 {
			if err := log.Trim(t.Context(), "tea", all(t, log, "tea")[2].Seq); err != nil {
				t.Fatal(err)
			}
			given[0], given[1], given[2] = event.Delivery{}, event.Delivery{}, event.Delivery{}
		}
		want := slices.DeleteFunc(slices.Clone(given), func(d event.Delivery) bool { return d.Shop == "" })
		after := open(t, copyOf(t, dir), Quota{})
		wantDeliveries(t, all(t, after, "tea"), want...)
		closeLog(t, after)
	}
}

func concurrent(t *testing.T, open Open) {
	const workers, each, shops = 32, 25, 4
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	seen := make([]map[string]int, shops) // by shop: how often the trimming reader saw a delivery
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for s := range shops {
		seen[s] = map[string]int{}
		readers.Go(func() {
			shop, after := fmt.Sprint("shop", s), uint64(0)
			for ended := false; ; {
				page, err := log.Read(shop, after, 10, 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range page {
					after = e.Seq
					seen[s][e.Delivery.Header["X-Number"]]++
				}
				if err := log.Trim(context.Background(), shop, after); err != nil {
					t.Error(err)
					return
				}
				if ended && len(page) == 0 {
					return
				}
				select {
				case <-stop:
					ended = true
				case <-log.Arrived():
				}
			}
		})
	}
	for w := range workers {
		writers.Go(func() {
			for n := range each {
				if err := log.Append(t.Context(), delivery(fmt.Sprint("shop", w%shops), w*each+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for s := range seen {
		if len(seen[s]) != workers*each/shops {
			t.Errorf("shop %d: %d different deliveries came out, want %d", s, len(seen[s]), workers*each/shops)
		}
		for n, times := range seen[s] {
			if times != 1 {
				t.Errorf("shop %d: delivery %s came out %d times", s, n, times)
			}
		}
	}
	if got := log.Shops(); len(got) != 0 {
		t.Errorf("all was trimmed, but it lists %v", got)
	}
	closeLog(t, log)
}

func refuses(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{Total: 64 << 10, Shop: 16 << 10})
	fill := func(shop string, upTo int) (taken int) {
		for n := range upTo {
			d := delivery(shop, n)
			d.Body = make([]byte, 1000)
			err := log.Append(t.Context(), d)
			if errors.Is(err, ingest.ErrFull) {
				return taken
			}
			if err != nil {
				t.Fatal(err)
			}
			taken++
		}
		return taken
	}
	if n := fill("tea", 100); n < 8 || n > 16 {
		t.Fatalf("a quota of 16 KiB took %d deliveries of 1 KB", n)
	}
	if n := fill("coffee", 1); n != 1 {
		t.Fatal("a full shop held up another")
	}
	total := 0
	for n := range 20 {
		total += fill(fmt.Sprint("shop", n), 10)
	}
	if total < 16 || total > 56 {
		t.Fatalf("a quota of 64 KiB took %d more deliveries of 1 KB", total)
	}
	closeLog(t, log)
	log = open(t, dir, Quota{Total: 64 << 10, Shop: 16 << 10})
	defer closeLog(t, log)
	if n := fill("tea", 1); n != 0 {
		t.Error("opened again, the full shop takes more")
	}
	for _, b := range log.Shops() {
		if err := log.Trim(t.Context(), b.Shop, b.Last); err != nil {
			t.Fatal(err)
		}
	}
	if n := fill("tea", 8); n != 8 {
		t.Errorf("after all was trimmed, it took %d deliveries of 8", n)
	}
}

// model makes the same random changes to the log and to lists in memory.
func model(t *testing.T, open Open) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 0))
		dir := t.TempDir()
		log := open(t, dir, Quota{})
		want := map[string][]event.Delivery{}
		for n := range 150 {
			shop := fmt.Sprint("shop", r.IntN(4))
			switch r.IntN(10) {
			case 0:
				closeLog(t, log)
				log = open(t, dir, Quota{})
			case 1, 2:
				if entries := all(t, log, shop); len(entries) > 0 {
					i := r.IntN(len(entries))
					if err := log.Trim(t.Context(), shop, entries[i].Seq); err != nil {
						t.Fatal(err)
					}
					want[shop] = want[shop][i+1:]
				}
			default:
				d := delivery(shop, n)
				d.Body = make([]byte, r.IntN(20_000))
				appendAll(t, log, d)
				want[shop] = append(want[shop], d)
			}
			if got := all(t, log, shop); len(got)+len(want[shop]) > 0 {
				wantDeliveries(t, got, want[shop]...)
			}
		}
		closeLog(t, log)
	}
}
