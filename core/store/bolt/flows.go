package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/store"
)

// ApplyFlow implements store.Store.
func (s *Store) ApplyFlow(ctx context.Context, f store.Flow) (store.Flow, error) {
	out := f
	err := s.change(ctx, func(tx *bbolt.Tx) error {
		out = f
		known, err := getFlow(tx, f.Shop, f.ID)
		if err == nil {
			out.Enabled = known.Enabled
		}
		versions, key := tx.Bucket(bucketVersions), join(f.ID, f.Version)
		if versions.Get(key) == nil { // the first text of a version stays: runs are on it
			if err := versions.Put(key, f.Source); err != nil {
				return err
			}
		}
		return put(tx.Bucket(bucketFlows), join(f.ID, f.Shop), out)
	})
	return out, err
}

func getFlow(tx *bbolt.Tx, shop, id string) (out store.Flow, err error) {
	raw := tx.Bucket(bucketFlows).Get(join(id, shop))
	if raw == nil {
		return out, fmt.Errorf("flow %s: %w", id, store.ErrNotFound)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("reading flow %s: %w", id, err)
	}
	return out, nil
}

// Flow implements store.Store.
func (s *Store) Flow(_ context.Context, shop, id string) (out store.Flow, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		out, err = getFlow(tx, shop, id)
		return err
	})
	return out, err
}

// FlowVersion implements store.Store.
func (s *Store) FlowVersion(_ context.Context, id, version string) (out []byte, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		out = bytes.Clone(tx.Bucket(bucketVersions).Get(join(id, version)))
		if out == nil {
			return fmt.Errorf("version %s of flow %s: %w", version, id, store.ErrNotFound)
		}
		return nil
	})
	return out, err
}

// Flows implements store.Store.
func (s *Store) Flows(context.Context) ([]store.Flow, error) {
	var out []store.Flow
	err := s.read(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketFlows).ForEach(func(k, raw []byte) error {
			var f store.Flow
			if err := json.Unmarshal(raw, &f); err != nil {
				return fmt.Errorf("reading flow %q: %w", k, err)
			}
			out = append(out, f)
			return nil
		})
	})
	return out, err
}

// SetFlowEnabled implements store.Store.
func (s *Store) SetFlowEnabled(ctx context.Context, shop, id string, enabled bool) error {
	return s.change(ctx, func(tx *bbolt.Tx) error {
		f, err := getFlow(tx, shop, id)
		if err != nil {
			return err
		}
		f.Enabled = enabled
		return put(tx.Bucket(bucketFlows), join(id, shop), f)
	})
}

// DeleteFlow implements store.Store.
func (s *Store) DeleteFlow(ctx context.Context, shop, id string) error {
	return s.change(ctx, func(tx *bbolt.Tx) error {
		if _, err := getFlow(tx, shop, id); err != nil {
			return err
		}
		return tx.Bucket(bucketFlows).Delete(join(id, shop))
	})
}
