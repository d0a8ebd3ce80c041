// Package ingesttest is the conformance suite of ingest.Log: whatever keeps the intake must pass it.
package ingesttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/sdk/event"
)

// Quota bounds a log under test in bytes; 0 means what the implementation takes by itself.
type Quota struct{ Total, Shop int64 }

// Open opens the log in a folder, or fails the test. The suite closes it, and opens folders again, and copies
// of folders.
type Open func(t testing.TB, dir string, q Quota) ingest.Log

// Exercise runs the suite.
func Exercise(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"keeps what it was given":    keeps,
		"reads within bounds":        reads,
		"lists backlogs":             lists,
		"signals arrivals":           signals,
		"trims":                      trims,
		"trims many":                 trimsMany,
		"never gives a number twice": numbersOnce,
		"has an entry on disk when Append returns": survives,
		"takes many at once":                       concurrent,
		"refuses what exceeds its quotas":          refuses,
		"ends in order":                            closes,
		"does what a list in memory does":          model,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// delivery makes the nth delivery of a shop, with bytes in it that no text encoding leaves alone.
func delivery(shop string, n int) event.Delivery {
	return event.Delivery{
		Platform:   "shopify",
		Shop:       shop,
		Header:     map[string]string{"X-Topic": "orders/create", "X-Number": fmt.Sprint(n), "X-Odd": "caf\xe9 \"\x01\n"},
		Body:       append([]byte{0, 0xff, '\n'}, fmt.Sprintf(`{"id": %d}`, n)...),
		ReceivedAt: time.Date(2026, 11, 22, 10, 0, 0, n, time.UTC),
	}
}

func appendAll(t testing.TB, log ingest.Log, ds ...event.Delivery) {
	t.Helper()
	for _, d := range ds {
		if err := log.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

// all reads a shop to its end, page by page.
func all(t testing.TB, log ingest.Log, shop string) []ingest.Entry {
	t.Helper()
	var entries []ingest.Entry
	after := uint64(0)
	for {
		page, err := log.Read(shop, after, 7, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return entries
		}
		entries = append(entries, page...)
		after = page[len(page)-1].Seq
	}
}

func deliveries(entries []ingest.Entry) []event.Delivery {
	var out []event.Delivery
	for _, e := range entries {
		out = append(out, e.Delivery)
	}
	return out
}

func wantDeliveries(t testing.TB, got []ingest.Entry, want ...event.Delivery) {
	t.Helper()
	if !reflect.DeepEqual(deliveries(got), want) {
		t.Fatalf("got %d deliveries %q\nwant %d %q", len(got), deliveries(got), len(want), want)
	}
	for i := 1; i < len(got); i++ {
		if got[i].Seq <= got[i-1].Seq {
			t.Fatalf("entry %d has the number %d, the one before it %d", i, got[i].Seq, got[i-1].Seq)
		}
	}
}

func closeLog(t testing.TB, log ingest.Log) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyOf copies a folder as a crash at this moment would leave it.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func keeps(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	tea := []event.Delivery{delivery("tea", 1), delivery("tea", 2), delivery("tea", 3)}
	tea[1].Header, tea[1].Body = map[string]string{}, []byte{}
	tea[2].Body = bytes.Repeat([]byte("a large body "), 400_000) // just below 5 MiB
	coffee := delivery("coffee.myshopify.com", 1)
	appendAll(t, log, tea[0], coffee, tea[1], tea[2])
	for _, again := range []bool{false, true} {
		if again {
			closeLog(t, log)
			log = open(t, dir, Quota{})
		}
		wantDeliveries(t, all(t, log, "tea"), tea...)
		wantDeliveries(t, all(t, log, "coffee.myshopify.com"), coffee)
		wantDeliveries(t, all(t, log, "nobody"))
	}
	for _, e := range all(t, log, "tea") {
		if e.Shop != "tea" {
			t.Errorf("an entry of tea says that it is of %q", e.Shop)
		}
	}
	if err := log.Append(t.Context(), event.Delivery{}); err == nil {
		t.Error("a delivery without a shop was taken")
	}
	closeLog(t, log)
}

func reads(t *testing.T, open Open) {
	log := open(t, t.TempDir(), Quota{})
	defer closeLog(t, log)
	var given []event.Delivery
	for n := range 10 {
		given = append(given, delivery("tea", n))
		given[n].Body = bytes.Repeat([]byte("b"), 1000)
	}
	appendAll(t, log, given...)
	entries := all(t, log, "tea")
	last := entries[9].Seq
	for name, test := range map[string]struct {
		after         uint64
		max, maxBytes int
		want          []event.Delivery
	}{
		"from the start":                {0, 3, 1 << 20, given[:3]},
		"after one":                     {entries[4].Seq, 100, 1 << 20, given[5:]},
		"up to a size":                  {0, 100, 4500, given[:4]},
		"up to exactly a size":          {0, 100, 4000, given[:4]},
		"one that alone is too large":   {0, 100, 1, given[:1]},
		"after the last":                {last, 100, 1 << 20, nil},
		"after what is not there yet":   {last + 1000, 100, 1 << 20, nil},
		"after the largest number":      {1<<64 - 1, 100, 1 << 20, nil},
		"nothing because none is asked": {0, 0, 1 << 20, nil},
	} {
		got, err := log.Read("tea", test.after, test.max, test.maxBytes)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Log(name)
		wantDeliveries(t, got, test.want...)
	}
}

func lists(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	if got := log.Shops(); len(got) != 0 {
		t.Fatalf("a new log lists %v", got)
	}
	appendAll(t, log, delivery("b", 1), delivery("c", 1), delivery("a", 1), delivery("b", 2))
	check := func() {
		t.Helper()
		var names []string
		for _, b := range log.Shops() {
			names = append(names, b.Shop)
			entries := all(t, log, b.Shop)
			if first, last := entries[0].Seq, entries[len(entries)-1].Seq; b.First != first || b.Last != last {
				t.Errorf("%s: listed as %d to %d, has %d to %d", b.Shop, b.First, b.Last, first, last)
			}
			if b.Bytes <= 0 {
				t.Errorf("%s: listed with %d bytes", b.Shop, b.Bytes)
			}
		}
		if want := []string{"a", "b", "c"}; !reflect.DeepEqual(names, want) {
			t.Errorf("listed %q, want %q", names, want)
		}
	}
	check()
	before := log.Shops()
	closeLog(t, log)
	log = open(t, dir, Quota{})
	defer closeLog(t, log)
	check()
	if !reflect.DeepEqual(log.Shops(), before) {
		t.Errorf("opened again, it lists %v, before %v", log.Shops(), before)
	}
}

func signals(t *testing.T, open Open) {
	dir := t.TempDir()
	log := open(t, dir, Quota{})
	for n := range 3 {
		appendAll(t, log, delivery("tea", n))
		<-log.Arrived() // hangs where there is none
	}
	appendAll(t, log, delivery("tea", 3))
	closeLog(t, log)
	log = open(t, dir, Quota{})
	defer closeLog(t, log)
	<-log.Arrived() // what is there already is told too
}

func closes(t *testing.T, open Open) {
	log := open(t, t.TempDir(), Quota{})
	appendAll(t, log, delivery("tea", 1))
	closeLog(t, log)
	if err := log.Append(t.Context(), delivery("tea", 2)); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("Append on a closed log: %v", err)
	}
	if _, err := log.Read("tea", 0, 1, 1); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("Read on a closed log: %v", err)
	}
	if err := log.Trim(t.Context(), "tea", 1); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("Trim on a closed log: %v", err)
	}
	closeLog(t, log)
}
