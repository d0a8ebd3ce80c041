package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchClients send at once, each its next webhook when the one before is answered.
const benchClients = 64

// BenchmarkIngest sends signed orders of Shopify's usual size to the real host. Clients, host and sink share one
// machine and its loopback, so that what is told is what they do together.
func BenchmarkIngest(b *testing.B) {
	b.Run("no flow matches", func(b *testing.B) { benchmarkIngest(b, "order.total > 1000000", false) })
	b.Run("a flow with one action matches", func(b *testing.B) { benchmarkIngest(b, "order.total > 100", true) })
}

func benchmarkIngest(b *testing.B, condition string, matches bool) {
	sink := newSink(b)
	h := newHouse(b)
	h.serve()
	h.shops()
	h.flow("flow: bench\non: order.created\nif: " + condition + "\nsteps:\n  - do: http/request\n    with: {method: POST, url: \"" + sink.URL() + "/bench\", json: {id: \"${order.id}\", total: \"${order.total}\"}}\n")
	orders := newOrderWriter(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients}, Timeout: patience}
	defer client.CloseIdleConnections()

	var next, failed atomic.Int64
	latencies := make([][]time.Duration, benchClients)
	var clients sync.WaitGroup
	b.SetBytes(int64(orders.size()))
	b.ResetTimer()
	for c := range benchClients {
		clients.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				r := orders.request(h.url, n)
				started := time.Now()
				resp, err := client.Do(r)
				if err != nil {
					failed.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				latencies[c] = append(latencies[c], time.Since(started))
				if resp.StatusCode != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	clients.Wait()
	acknowledged := b.Elapsed()
	if matches {
		awaitRuns(b, h, sink, b.N)
	}
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d of %d webhooks were not acknowledged", failed.Load(), b.N)
	}
	all := slices.Sorted(slices.Values(slices.Concat(latencies...)))
	b.ReportMetric(float64(b.N)/acknowledged.Seconds(), "acks/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	if matches {
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	}
}

// awaitRuns returns when n runs are over. It asks the API only when the sink has all, because asking costs too.
func awaitRuns(b *testing.B, h *house, sink *sink, n int) {
	b.Helper()
	over := func() bool {
		for _, status := range []string{"running", "waiting"} {
			r, err := http.NewRequest(http.MethodGet, h.url+"/api/v1/runs?limit=1&status="+status, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+adminToken)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			raw, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if strings.TrimSpace(string(raw)) != "[]" {
				return false
			}
		}
		return true
	}
	if !within(5*patience, func() bool { return sink.count() >= n && over() }) {
		b.Fatalf("of %d runs only %d have made their request", n, sink.count())
	}
}

// orderWriter makes orders of 7.5 KB that differ in their id.
type orderWriter struct{ before, between, after []byte }

func newOrderWriter(b *testing.B) orderWriter {
	b.Helper()
	const id, size = 8888888888, 7500
	order := shopifyOrder(id, "#8888888888", "150.00")
	var lines []fields
	for i := 0; ; i++ {
		lines = append(lines, fields{
			"id": 11 + i, "title": "Oolong of the spring", "sku": fmt.Sprint("TEA-", i), "quantity": 2, "price": "5.00", "product_id": 3 + i, "variant_id": 4 + i,
			"requires_shipping": true, "grams": 250, "vendor": "Tea and pots", "taxable": true, "properties": []any{}, "tax_lines": []fields{{"price": "0.80", "rate": 0.19, "title": "VAT"}},
		})
		order = order.with(fields{"line_items": lines})
		if len(order.json(b)) >= size {
			break
		}
	}
	parts := bytes.Split(order.json(b), []byte(fmt.Sprint(int64(id))))
	if len(parts) != 3 {
		b.Fatalf("the id stands %d times in the order", len(parts)-1)
	}
	return orderWriter{parts[0], parts[1], parts[2]}
}

func (w orderWriter) size() int { return len(w.before) + len(w.between) + len(w.after) + 20 }

func (w orderWriter) request(base string, n int64) *http.Request {
	id := fmt.Sprintf("%010d", 1_000_000_000+n)
	body := slices.Concat(w.before, []byte(id), w.between, []byte(id), w.after)
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write(body)
	r, err := http.NewRequest(http.MethodPost, base+"/webhooks/shopify", bytes.NewReader(body))
	if err != nil {
		panic(err) // the address is the host's own
	}
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Shopify-Topic": {"orders/create"}, "X-Shopify-Shop-Domain": {shopifyShop},
		"X-Shopify-Hmac-Sha256": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}, "X-Shopify-Api-Version": {"2026-10"},
		"X-Shopify-Webhook-Id": {"w" + id}, "X-Shopify-Event-Id": {"e" + id}, "X-Shopify-Triggered-At": {"2026-11-22T10:00:00.000000000Z"},
	}
	return r
}
