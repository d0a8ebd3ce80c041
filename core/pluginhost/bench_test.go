//go:build unix

package pluginhost_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk/wire"
)

// A call with an input of 6 KB and a small answer, by one caller and by 16.
func BenchmarkInvoke1(b *testing.B)  { benchmarkInvoke(b, 1) }
func BenchmarkInvoke16(b *testing.B) { benchmarkInvoke(b, 16) }

func benchmarkInvoke(b *testing.B, callers int) {
	h := newHost(b, pluginhost.Config{}, builtin("one"))
	inv := wire.Invocation{Action: "size", Input: json.RawMessage(`"` + strings.Repeat("x", 6<<10-2) + `"`), IdempotencyKey: "key", Attempt: 1}
	invoke := func() {
		if _, err := h.Invoke(context.Background(), "one", inv, nil); err != nil {
			b.Error(err)
		}
	}
	invoke()
	b.ReportAllocs()
	b.ResetTimer()
	work := make(chan struct{}, callers)
	done := make(chan struct{})
	for range callers {
		go func() {
			for range work {
				invoke()
			}
			done <- struct{}{}
		}()
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range callers {
		<-done
	}
}

// BenchmarkStart is a start to the first answer.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		h := newHost(b, pluginhost.Config{}, builtin("one"))
		h.pid("one")
		if err := h.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
