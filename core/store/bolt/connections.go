package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/store"
)

func connectionContext(plugin, shop, name string) []byte {
	return []byte("connection/" + shop + "/" + plugin + "/" + name)
}

// SetConnection implements store.Store.
func (s *Store) SetConnection(ctx context.Context, c store.Connection) error {
	sealed, err := s.sealer.Seal(c.Config, connectionContext(c.Plugin, c.Shop, c.Name))
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketConnections).Put(join(c.Shop, c.Plugin, c.Name), sealed)
	})
}

// Connection implements store.Store.
func (s *Store) Connection(_ context.Context, plugin, shop, name string) (out store.Connection, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		sealed := tx.Bucket(bucketConnections).Get(join(shop, plugin, name))
		if sealed == nil {
			return fmt.Errorf("connection %s of %s for %s: %w", name, plugin, shop, store.ErrNotFound)
		}
		out, err = s.decodeConnection(plugin, shop, name, sealed)
		return err
	})
	return out, err
}

func (s *Store) decodeConnection(plugin, shop, name string, sealed []byte) (store.Connection, error) {
	config, err := s.sealer.Open(sealed, connectionContext(plugin, shop, name))
	if err != nil {
		return store.Connection{}, fmt.Errorf("connection %s of %s for %s: %w", name, plugin, shop, err)
	}
	return store.Connection{Plugin: plugin, Shop: shop, Name: name, Config: config}, nil
}

// Connections implements store.Store.
func (s *Store) Connections(_ context.Context, shop string) ([]store.Connection, error) {
	var out []store.Connection
	err := s.read(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketConnections).ForEach(func(k, sealed []byte) error {
			parts := bytes.SplitN(k, []byte{0}, 3)
			if len(parts) != 3 || shop != "" && shop != string(parts[0]) {
				return nil
			}
			c, err := s.decodeConnection(string(parts[1]), string(parts[0]), string(parts[2]), sealed)
			out = append(out, c)
			return err
		})
	})
	return out, err
}

// RemoveConnection implements store.Store.
func (s *Store) RemoveConnection(ctx context.Context, plugin, shop, name string) error {
	return s.change(ctx, func(tx *bbolt.Tx) error {
		b, key := tx.Bucket(bucketConnections), join(shop, plugin, name)
		if b.Get(key) == nil {
			return fmt.Errorf("connection %s of %s for %s: %w", name, plugin, shop, store.ErrNotFound)
		}
		return b.Delete(key)
	})
}

func deletePrefix(b *bbolt.Bucket, prefix []byte) error {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
