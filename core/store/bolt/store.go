// Package bolt is the embedded store: one bbolt file.
package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/store"
)

// format is the version of the file's layout.
const format = "1"

// Buckets of the file, with the form of their keys.
var (
	bucketMeta        = []byte("meta")        // name
	bucketShops       = []byte("shops")       // name -> shopRecord
	bucketConnections = []byte("connections") // shop \0 plugin \0 name -> sealed configuration
	bucketFlows       = []byte("flows")       // id \0 shop -> store.Flow
	bucketVersions    = []byte("versions")    // id \0 version -> source
	bucketData        = []byte("data")        // plugin \0 shop -> bucket of key -> version, value
	bucketApplied     = []byte("applied")     // plugin \0 shop \0 idempotency key -> output
)

// Store implements store.Store.
type Store struct {
	db         *bbolt.DB
	sealer     store.Sealer
	generation atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// Open opens the file, or makes it.
func Open(path string, sealer store.Sealer) (s *Store, err error) {
	defer func() { // bbolt panics on some damaged files
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the store's file %s is damaged (%v): restore the last backup", path, cause)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, InitialMmapSize: 256 << 20})
	if errors.Is(err, bbolt.ErrTimeout) {
		return nil, fmt.Errorf("the store's file %s is in use by another process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store's file %s: %w", path, err)
	}
	// Batch shares an fsync between the actions that commit at one time; it must not make one alone wait.
	db.MaxBatchDelay = 500 * time.Microsecond
	err = db.Update(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			if f := string(meta.Get([]byte("format"))); f != format {
				return fmt.Errorf("the store's file %s has format %s and this Shophand reads %s: use the version that wrote it, or a newer one", path, f, format)
			}
		}
		for _, name := range [][]byte{bucketMeta, bucketShops, bucketConnections, bucketFlows, bucketVersions, bucketData, bucketApplied} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put([]byte("format"), []byte(format))
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db: db, sealer: sealer}, nil
}

// Generation implements store.Store.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// Close implements store.Store.
func (s *Store) Close() error { return s.db.Close() }

// change writes configuration: such changes are rare and show in Generation.
func (s *Store) change(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.db.Update(f); err != nil {
		return err
	}
	s.generation.Add(1)
	return nil
}

func join(parts ...string) []byte {
	var key []byte
	for i, p := range parts {
		if i > 0 {
			key = append(key, 0)
		}
		key = append(key, p...)
	}
	return key
}

func put(b *bbolt.Bucket, key []byte, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}
