package bolt_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/core/ingest/bolt"
	"github.com/shophand/shophand/sdk/event"
)

// BenchmarkAppend measures durable appends of an order's usual size by clients that each wait for theirs.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchmarkAppend(b, clients) })
	}
}

func benchmarkAppend(b *testing.B, clients int) {
	log, err := bolt.Open(filepath.Join(b.TempDir(), "intake.db"), bolt.Options{MaxBytes: 64 << 30, MaxShopBytes: 64 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	d := event.Delivery{
		Platform: "shopify", Body: bytes.Repeat([]byte("7500 B. "), 7500/8),
		Header:     map[string]string{"X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "tea.myshopify.com"},
		ReceivedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	}
	b.SetBytes(int64(len(d.Body)))
	var wg sync.WaitGroup
	took := make([][]time.Duration, clients)
	b.ResetTimer()
	for i := range clients {
		n := b.N / clients
		if i < b.N%clients {
			n++
		}
		wg.Go(func() {
			d := d
			d.Shop = fmt.Sprintf("shop-%d", i%100)
			took[i] = make([]time.Duration, n)
			for j := range n {
				start := time.Now()
				if err := log.Append(b.Context(), d); err != nil {
					b.Error(err)
					return
				}
				took[i][j] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
