package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk/wire"
)

// pluginData reads what one plugin keeps for one shop.
type pluginData struct {
	*Store
	bucket []byte
}

var _ wire.Data = (*pluginData)(nil)

// PluginData implements store.Store.
func (s *Store) PluginData(plugin, shop string) wire.Data {
	return &pluginData{s, join(plugin, shop)}
}

// Get implements wire.Data.
func (d *pluginData) Get(ctx context.Context, key string) (wire.Item, error) {
	item := wire.Item{Key: key}
	if err := ctx.Err(); err != nil {
		return item, err
	}
	err := d.read(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketData).Bucket(d.bucket)
		if b == nil || key == "" || len(key) > store.MaxKey {
			return nil
		}
		if raw := b.Get([]byte(key)); raw != nil {
			item = decodeItem([]byte(key), raw)
		}
		return nil
	})
	return item, err
}

// List implements wire.Data.
func (d *pluginData) List(ctx context.Context, prefix, after string, limit int) ([]wire.Item, error) {
	var out []wire.Item
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := d.read(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketData).Bucket(d.bucket)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, raw := c.Seek([]byte(max(prefix, after))); bytes.HasPrefix(k, []byte(prefix)) && k != nil && len(out) < limit; k, raw = c.Next() {
			if string(k) > after {
				out = append(out, decodeItem(k, raw))
			}
		}
		return nil
	})
	return out, err
}

// An entry is stored as its version, then its value.
func decodeItem(k, raw []byte) wire.Item {
	return wire.Item{Key: string(k), Version: binary.BigEndian.Uint64(raw), Value: bytes.Clone(raw[8:])}
}

// Applied implements store.Store.
func (s *Store) Applied(_ context.Context, plugin, shop, key string) (out json.RawMessage, ok bool, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketApplied).Get(join(plugin, shop, key))
		ok = raw != nil
		out = bytes.Clone(raw)
		return nil
	})
	return out, ok, err
}

// ApplyOnce implements store.Store.
func (s *Store) ApplyOnce(ctx context.Context, plugin, shop, key string, writes []wire.Write, output json.RawMessage) (json.RawMessage, error) {
	if err := checkWrites(writes); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var committed json.RawMessage
	err := s.file.Guard(func() error { return s.db.Batch(s.apply(&committed, plugin, shop, key, writes, output)) })
	if err != nil {
		return nil, err
	}
	return committed, nil
}

// apply commits an action's writes. Batch may call it more than once.
func (s *Store) apply(committed *json.RawMessage, plugin, shop, key string, writes []wire.Write, output json.RawMessage) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		applied, id := tx.Bucket(bucketApplied), join(plugin, shop, key)
		if earlier := applied.Get(id); earlier != nil {
			*committed = bytes.Clone(earlier)
			return nil
		}
		*committed = output
		b, err := tx.Bucket(bucketData).CreateBucketIfNotExists(join(plugin, shop))
		if err != nil {
			return err
		}
		for _, w := range writes {
			var version uint64
			if raw := b.Get([]byte(w.Key)); raw != nil {
				version = binary.BigEndian.Uint64(raw)
			}
			if version != w.Version {
				return fmt.Errorf("%q has version %d, not %d: %w", w.Key, version, w.Version, store.ErrConflict)
			}
		}
		for _, w := range writes {
			if w.Delete {
				err = b.Delete([]byte(w.Key))
			} else {
				err = putItem(b, w)
			}
			if err != nil {
				return err
			}
		}
		return applied.Put(id, append([]byte{}, output...)) // within a transaction, nil would read as absent
	}
}

// putItem writes an entry under a version that no entry of the plugin's data ever had: one that was deleted
// and made anew must not pass for the old one.
func putItem(b *bbolt.Bucket, w wire.Write) error {
	version, err := b.NextSequence()
	if err != nil {
		return err
	}
	return b.Put([]byte(w.Key), append(binary.BigEndian.AppendUint64(nil, version), w.Value...))
}

func checkWrites(writes []wire.Write) error {
	if len(writes) > store.MaxWrites {
		return fmt.Errorf("%d writes; an action may make %d: %w", len(writes), store.MaxWrites, store.ErrTooLarge)
	}
	for _, w := range writes {
		switch {
		case w.Key == "":
			return fmt.Errorf("a write has an empty key: %w", store.ErrTooLarge)
		case len(w.Key) > store.MaxKey:
			return fmt.Errorf("the key %.40q… has %d bytes; at most %d: %w", w.Key, len(w.Key), store.MaxKey, store.ErrTooLarge)
		case len(w.Value) > store.MaxValue:
			return fmt.Errorf("the value of %q has %d bytes; at most %d: %w", w.Key, len(w.Value), store.MaxValue, store.ErrTooLarge)
		}
	}
	return nil
}
