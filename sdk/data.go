package sdk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/shophand/shophand/sdk/wire"
)

// Item is one entry of a plugin's data. An absent entry has Version 0.
type Item = wire.Item

// Data is what a plugin keeps in the host for one shop: entries of a key and a JSON value. Reads go to the
// host; changes are staged, and the host commits them together with the action's output, each only if its
// entry still has the version that was read. Where one has not, nothing is committed and the host invokes
// the action anew. Data is for one invocation and one goroutine.
type Data struct {
	reader wire.Data
	writes []wire.Write
}

// Get returns the entry of a key as it was committed last; it does not see staged changes.
func (d *Data) Get(ctx context.Context, key string) (Item, error) {
	if d.reader == nil {
		return Item{}, errNoData
	}
	return d.reader.Get(ctx, key)
}

// List returns up to limit (at most 1000) entries whose keys start with prefix and come after the key after,
// in the order of their keys.
func (d *Data) List(ctx context.Context, prefix, after string, limit int) ([]Item, error) {
	if d.reader == nil {
		return nil, errNoData
	}
	return d.reader.List(ctx, prefix, after, limit)
}

// Put stages a new value for an entry that must have the given version; 0: it must not exist.
func (d *Data) Put(key string, value any, version uint64) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding the value of %q: %w", key, err)
	}
	d.writes = append(d.writes, wire.Write{Key: key, Value: raw, Version: version})
	return nil
}

// Delete stages the removal of an entry that must have the given version.
func (d *Data) Delete(key string, version uint64) {
	d.writes = append(d.writes, wire.Write{Key: key, Delete: true, Version: version})
}
