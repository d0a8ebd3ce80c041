package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// compactChunk bounds what one transaction of the copy holds in memory.
const compactChunk = 64 << 20

// Compact makes a file small again that a flood has left large: bbolt never gives space back by itself. The
// copy takes the file's place only when it is whole and on disk. Nobody may have the file open.
func (f File) Compact() error {
	return f.Guard(func() error {
		src, err := f.open(f.options())
		if err != nil {
			return err
		}
		defer src.Close()
		temp := f
		temp.Path += ".compact"
		if err := os.Remove(temp.Path); err != nil && !errors.Is(err, os.ErrNotExist) { // of an interrupted attempt
			return err
		}
		if err := temp.copyOf(src); err != nil {
			_ = os.Remove(temp.Path)
			return fmt.Errorf("compacting %s %s: %w", f.What, f.Path, err)
		}
		if err := os.Rename(temp.Path, f.Path); err != nil {
			return fmt.Errorf("compacting %s: %w", f.What, err)
		}
		return syncFolder(filepath.Dir(f.Path))
	})
}

func (f File) copyOf(src *bbolt.DB) error {
	dst, err := f.open(f.options())
	if err != nil {
		return err
	}
	return errors.Join(bbolt.Compact(dst, src, compactChunk), dst.Sync(), dst.Close())
}
