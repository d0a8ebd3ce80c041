// Package bolt opens bbolt files so that a damaged, cut off, foreign, newer or locked one is refused with a
// clear word, before anything is written to it. The drivers that keep their data in such files share it.
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

// lockTimeout is how long opening waits for another process to let go of a file.
const lockTimeout = time.Second

// ErrDamaged is in the chain of the error of a file that is cut off or makes no sense.
var ErrDamaged = errors.New("is damaged")

// File is a bbolt file of Shophand.
type File struct {
	Path string
	Kind string // written into it, so that none is taken for another: "intake"
	What string // names it in errors: "the intake"
	// Format is the version of its layout; a file with a higher one is refused.
	Format  uint64
	Buckets [][]byte // made in a new file
	// Reserve is the address space to map at once, in bytes: growing it later would stop the writer while
	// anybody reads, and readers behind it.
	Reserve int64
	// NoFreelistSync leaves the list of free pages out of commits, for files that are flooded and drained; it is
	// found by a scan when the file is opened.
	NoFreelistSync bool
}

var (
	metaBucket = []byte("meta")
	formatKey  = []byte("format")
	kindKey    = []byte("kind")
)

// Open opens the file, or makes it where there is none.
func (f File) Open() (*bbolt.DB, error) {
	if err := f.Inspect(func(*bbolt.Tx) error { return nil }); err != nil {
		return nil, err
	}
	db, err := f.open(f.options())
	if err != nil {
		return nil, err
	}
	err = f.Guard(func() error {
		if err := f.initialize(db); err != nil {
			return fmt.Errorf("preparing %s %s: %w", f.What, f.Path, err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// options sets how bbolt runs.
func (f File) options() *bbolt.Options {
	mapped := f.Reserve
	if strconv.IntSize == 32 {
		mapped = min(mapped, 256<<20)
	}
	return &bbolt.Options{
		Timeout: lockTimeout, InitialMmapSize: int(mapped), FreelistType: bbolt.FreelistMapType, NoFreelistSync: f.NoFreelistSync,
	}
}

// Inspect looks through an existing file without writing to it; one that does not exist is welcome and not
// looked at.
func (f File) Inspect(look func(*bbolt.Tx) error) error {
	info, err := os.Stat(f.Path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.What, err)
	}
	if !info.Mode().IsRegular() || info.Size() < 2*int64(os.Getpagesize()) {
		return fmt.Errorf("%s is not %s of Shophand, or the most of it is missing: restore it from a backup", f.Path, f.What)
	}
	return f.Guard(func() error {
		db, err := f.open(&bbolt.Options{ReadOnly: true, Timeout: lockTimeout})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			// Beyond the end of the file the mapped memory can't be read, so its length comes first.
			if tx.Size() > info.Size() {
				return fmt.Errorf("%s %s %w: %d of its %d bytes are missing; restore it from a backup",
					f.What, f.Path, ErrDamaged, tx.Size()-info.Size(), tx.Size())
			}
			if err := f.checkFormat(tx); err != nil {
				return err
			}
			return look(tx)
		})
	})
}

// Guard turns bbolt's panics over a damaged file, and faults of the mapped memory, into an error.
func (f File) Guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s %s %w: %v; restore it from a backup", f.What, f.Path, ErrDamaged, r)
		}
	}()
	return do()
}

// open opens the file and says what is wrong with it where it can't.
func (f File) open(o *bbolt.Options) (db *bbolt.DB, err error) {
	var file *os.File
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	err = f.Guard(func() (err error) {
		db, err = bbolt.Open(f.Path, 0o600, o)
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("%s %s is in use by another process: stop that one first", f.What, f.Path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("%s is not %s of Shophand, or it is damaged (%w): restore it from a backup", f.Path, f.What, err)
	case !errors.Is(err, ErrDamaged):
		err = fmt.Errorf("opening %s %s: %w", f.What, f.Path, err)
	}
	if file != nil { // after a panic bbolt leaves it open and locked
		_ = file.Close()
	}
	return nil, err
}

// checkFormat refuses files of another program and of a newer version. An empty file is one whose making was
// interrupted, and is welcome.
func (f File) checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%s is not %s of Shophand: it was written by another program", f.Path, f.What)
		}
		return nil
	}
	version, n := binary.Uvarint(meta.Get(formatKey))
	if n <= 0 {
		return fmt.Errorf("%s is not %s of Shophand: it does not say its format", f.Path, f.What)
	}
	if string(meta.Get(kindKey)) != f.Kind {
		return fmt.Errorf("%s is not %s of Shophand: it is another of its files", f.Path, f.What)
	}
	if version > f.Format {
		return fmt.Errorf("this data folder was written by a newer Shophand (%s has format %d; this one knows %d): "+
			"run that version or a later one", f.What, version, f.Format)
	}
	return nil
}

// initialize writes what a new file needs, and sees to it that the file's name too survives a power loss.
func (f File) initialize(db *bbolt.DB) error {
	ready := false
	if err := db.View(func(tx *bbolt.Tx) error { ready = tx.Bucket(metaBucket) != nil; return nil }); err != nil || ready {
		return err
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		for _, name := range f.Buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		if err := meta.Put(kindKey, []byte(f.Kind)); err != nil {
			return err
		}
		return meta.Put(formatKey, binary.AppendUvarint(nil, f.Format))
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
