// Package bolt keeps the intake in a bbolt file: the entries of all shops in the order of their arrival, an
// index by shop in memory, one writer that commits whatever has gathered while the commit before was under way.
//
// The entries are not kept in a bucket for each shop, because every commit would then write the end of every
// bucket anew: with eight shops that halves what the log takes in.
package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/bolt"
)

// format is the version of the file's layout.
const format = 1

// deliveriesBucket holds the entries by number, 8 bytes, big-endian.
var deliveriesBucket = []byte("deliveries")

// Options of a log. The zero value is what a host runs with.
type Options struct {
	// MaxBytes is the quota of all entries together; 0 means 4 GiB.
	MaxBytes int64
	// MaxShopBytes is the quota of one shop; 0 means a quarter of MaxBytes.
	MaxShopBytes int64
	// NoRetry names platforms that never send again what was refused. The last eighth of MaxBytes is kept for
	// their deliveries.
	NoRetry []string
	// MaxWaitingBytes bounds what waits in memory to be written; 0 means 64 MiB.
	MaxWaitingBytes int64
	// CompactAbove is the size from which on a file is compacted when it is opened and more than half of it is
	// free; 0 means 256 MiB.
	CompactAbove int64
	// Now is the clock from which the numbers of entries start; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
	if o.MaxShopBytes <= 0 {
		o.MaxShopBytes = o.MaxBytes / 4
	}
	if o.MaxWaitingBytes <= 0 {
		o.MaxWaitingBytes = 64 << 20
	}
	if o.CompactAbove <= 0 {
		o.CompactAbove = 256 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// file is the intake's file. The list of free pages is not written with each commit: after a flood was drained
// it would be most of what a commit writes; instead it is found by a scan when the file is opened, which for
// values as large as these touches few pages.
func file(path string, maxBytes int64) bolt.File {
	return bolt.File{
		Path: path, Kind: "intake", What: "the intake", Format: format, Buckets: [][]byte{deliveriesBucket},
		Reserve: min(2*maxBytes, 64<<30), NoFreelistSync: true,
	}
}

// openFile opens the file at path, or makes it where there is none, and returns what it holds.
func openFile(path string, o Options) (*bbolt.DB, index, error) {
	f := file(path, o.MaxBytes)
	var size, used int64
	err := f.Inspect(func(tx *bbolt.Tx) error {
		shops, err := scan(tx)
		size, used = tx.Size(), shops.bytes()
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if size > o.CompactAbove && used < size/2 {
		// Without success, for want of space perhaps, the file is as good as before, and the host is needed.
		_ = f.Compact()
	}
	db, err := f.Open()
	if err != nil {
		return nil, nil, err
	}
	var shops index
	err = f.Guard(func() error {
		return db.View(func(tx *bbolt.Tx) (err error) {
			shops, err = scan(tx)
			return err
		})
	})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, shops, nil
}

// scan lists what the file holds. Of an entry only the beginning is read.
func scan(tx *bbolt.Tx) (index, error) {
	shops := index{}
	deliveries := tx.Bucket(deliveriesBucket)
	if deliveries == nil {
		return shops, nil
	}
	c, last := deliveries.Cursor(), uint64(0)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 8 {
			return nil, fmt.Errorf("the intake holds an entry under a key of %d bytes: restore it from a backup", len(k))
		}
		seq := binary.BigEndian.Uint64(k)
		if seq <= last {
			return nil, fmt.Errorf("the intake %w: entry %d comes after entry %d; restore it from a backup", bolt.ErrDamaged, seq, last)
		}
		last = seq
		shop, err := decodeShop(v)
		if err != nil {
			return nil, fmt.Errorf("reading entry %d of the intake: %w", seq, err)
		}
		shops.of(shop).add(seq, sizeOf(v))
	}
	return shops, nil
}
