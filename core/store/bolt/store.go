// Package bolt is the embedded store: one bbolt file.
package bolt

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/bolt"
	"github.com/shophand/shophand/core/store"
)

// format is the version of the file's layout.
const format = 1

// Buckets of the file, with the form of their keys.
var (
	bucketShops       = []byte("shops")       // name -> shopRecord
	bucketConnections = []byte("connections") // shop \0 plugin \0 name -> sealed configuration
	bucketFlows       = []byte("flows")       // id \0 shop -> store.Flow
	bucketVersions    = []byte("versions")    // id \0 version -> source
	bucketData        = []byte("data")        // plugin \0 shop -> bucket of key -> version, value
	bucketApplied     = []byte("applied")     // plugin \0 shop \0 idempotency key -> output
)

// Store implements store.Store.
type Store struct {
	file       bolt.File
	db         *bbolt.DB
	sealer     store.Sealer
	generation atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// buckets lists all of them.
func buckets() [][]byte {
	return [][]byte{bucketShops, bucketConnections, bucketFlows, bucketVersions, bucketData, bucketApplied}
}

// Open opens the file, or makes it.
func Open(path string, sealer store.Sealer) (*Store, error) {
	file := bolt.File{Path: path, Kind: "store", What: "the store", Format: format, Buckets: buckets(), Reserve: 256 << 20}
	db, err := file.Open()
	if err != nil {
		return nil, err
	}
	// Batch shares an fsync between the actions that commit at one time; it must not make one alone wait.
	db.MaxBatchDelay = 500 * time.Microsecond
	return &Store{file: file, db: db, sealer: sealer}, nil
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
	if err := s.file.Guard(func() error { return s.db.Update(f) }); err != nil {
		return err
	}
	s.generation.Add(1)
	return nil
}

func (s *Store) read(f func(*bbolt.Tx) error) error {
	return s.file.Guard(func() error { return s.db.View(f) })
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
