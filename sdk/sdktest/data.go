package sdktest

import (
	"context"
	"encoding/json"
	"sort"
	"strings"
	"sync"

	"github.com/shophand/shophand/sdk/wire"
)

// Data is plugin data in memory, with the host's rules: all writes of an action or none, once per
// idempotency key. It is safe for concurrent use.
type Data struct {
	mu      sync.Mutex
	items   map[string]wire.Item
	outputs map[string]json.RawMessage // by idempotency key
	last    map[string]uint64          // version by key, kept when the entry goes: none is given twice, as in the host
}

var _ wire.Data = (*Data)(nil)

func newData() *Data {
	return &Data{items: map[string]wire.Item{}, outputs: map[string]json.RawMessage{}, last: map[string]uint64{}}
}

// Get returns the entry of a key.
func (d *Data) Get(_ context.Context, key string) (wire.Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	item := d.items[key]
	item.Key = key
	return item, nil
}

// List returns up to limit entries by key.
func (d *Data) List(_ context.Context, prefix, after string, limit int) ([]wire.Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []wire.Item
	for key, item := range d.items {
		if strings.HasPrefix(key, prefix) && key > after {
			item.Key = key
			out = append(out, item)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out[:min(len(out), limit)], nil
}

// applied returns the output that was committed under an idempotency key.
func (d *Data) applied(key string) (json.RawMessage, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out, ok := d.outputs[key]
	return out, ok
}

// apply commits writes and output under the key and returns the output that is committed there, which is an
// earlier one if there is one. false means that a precondition did not hold and nothing was changed. Without
// writes there is nothing to bind to the key, as in the host.
func (d *Data) apply(key string, writes []wire.Write, output json.RawMessage) (json.RawMessage, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if earlier, ok := d.outputs[key]; ok {
		return earlier, true
	}
	if len(writes) == 0 {
		return output, true
	}
	for _, w := range writes {
		if d.items[w.Key].Version != w.Version {
			return nil, false
		}
	}
	for _, w := range writes {
		if w.Delete {
			delete(d.items, w.Key)
			continue
		}
		d.last[w.Key]++
		d.items[w.Key] = wire.Item{Value: w.Value, Version: d.last[w.Key]}
	}
	d.outputs[key] = output
	return output, true
}
