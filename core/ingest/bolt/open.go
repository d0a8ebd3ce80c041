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
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// format is the version of the file's layout.
const format = 1

// The buckets of the file: meta holds the format; deliveries holds the entries by number, 8 bytes, big-endian.
var (
	metaBucket       = []byte("meta")
	formatKey        = []byte("format")
	deliveriesBucket = []byte("deliveries")
)

// lockTimeout is how long opening waits for another process to let go of the file.
const lockTimeout = time.Second

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

// boltOptions sets how bbolt runs. The address space is reserved at once, because growing it later would stop
// the writer while anybody reads, and readers behind it. The list of free pages is not written with each
// commit: after a flood was drained it would be most of what a commit writes; instead it is found by a scan
// when the file is opened, which for values as large as these touches few pages.
func boltOptions(maxBytes int64) *bbolt.Options {
	mapped := min(2*maxBytes, 64<<30)
	if strconv.IntSize == 32 {
		mapped = min(mapped, 256<<20)
	}
	return &bbolt.Options{
		Timeout:         lockTimeout,
		InitialMmapSize: int(mapped),
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true,
	}
}

// openFile opens the file at path, or makes it where there is none, and returns what it holds. A file that is
// no intake, was cut off, is damaged or was written by a newer version is refused before anything is written.
func openFile(path string, o Options) (*bbolt.DB, index, error) {
	size, used, err := inspect(path)
	if err != nil {
		return nil, nil, err
	}
	if size > o.CompactAbove && used < size/2 {
		// Without success, for want of space perhaps, the file is as good as before, and the host is needed.
		_ = compact(path, o)
	}
	db, err := openBolt(path, boltOptions(o.MaxBytes))
	if err != nil {
		return nil, nil, err
	}
	var shops index
	err = guard(path, func() error {
		if err := initialize(db); err != nil {
			return fmt.Errorf("preparing the intake %s: %w", path, err)
		}
		return db.View(func(tx *bbolt.Tx) (err error) {
			shops, err = scan(tx)
			return err
		})
	})
	if err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return db, shops, nil
}

// inspect looks through an existing file without writing to it. It returns the file's size and how much of
// that its entries use.
func inspect(path string) (size, used int64, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("opening the intake: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() < 2*int64(os.Getpagesize()) {
		return 0, 0, fmt.Errorf("%s is not an intake of Shophand, or the most of it is missing: restore it from a backup", path)
	}
	err = guard(path, func() error {
		db, err := openBolt(path, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			// Beyond the end of the file the mapped memory can't be read, so its length comes first.
			if tx.Size() > info.Size() {
				return fmt.Errorf("the intake %s %w: %d of its %d bytes are missing; restore it from a backup",
					path, errDamaged, tx.Size()-info.Size(), tx.Size())
			}
			if err := checkFormat(path, tx); err != nil {
				return err
			}
			shops, err := scan(tx)
			used = shops.bytes()
			return err
		})
	})
	return info.Size(), used, err
}

var errDamaged = errors.New("is damaged")

// guard turns bbolt's panics over a damaged file, and faults of the mapped memory, into an error.
func guard(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the intake %s %w: %v; restore it from a backup", path, errDamaged, r)
		}
	}()
	return f()
}

// openBolt opens the file and says what is wrong with it where it can't.
func openBolt(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	var file *os.File
	o.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	err = guard(path, func() (err error) {
		db, err = bbolt.Open(path, 0o600, o)
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("the intake %s is in use by another process: stop that one first", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("%s is not an intake of Shophand, or it is damaged (%w): restore it from a backup", path, err)
	case !errors.Is(err, errDamaged):
		err = fmt.Errorf("opening the intake %s: %w", path, err)
	}
	if file != nil { // after a panic bbolt leaves it open and locked
		_ = file.Close()
	}
	return nil, err
}

// checkFormat refuses files of another program and of a newer version. An empty file is one whose making was
// interrupted, and is welcome.
func checkFormat(path string, tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%s is not an intake of Shophand: it was written by another program", path)
		}
		return nil
	}
	version, n := binary.Uvarint(meta.Get(formatKey))
	if n <= 0 {
		return fmt.Errorf("%s is not an intake of Shophand: it does not say its format", path)
	}
	if version > format {
		return fmt.Errorf("this data folder was written by a newer Shophand (intake format %d; this one knows %d): "+
			"run that version or a later one", version, format)
	}
	return nil
}

// initialize writes what a new file needs, and sees to it that the file's name too survives a power loss.
func initialize(db *bbolt.DB) error {
	ready := false
	if err := db.View(func(tx *bbolt.Tx) error { ready = tx.Bucket(metaBucket) != nil; return nil }); err != nil || ready {
		return err
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucket(deliveriesBucket); err != nil {
			return err
		}
		return meta.Put(formatKey, binary.AppendUvarint(nil, format))
	})
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(db.Path()))
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // folders can't be flushed there, and need not be
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
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
			return nil, fmt.Errorf("the intake %w: entry %d comes after entry %d; restore it from a backup", errDamaged, seq, last)
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
