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

// compact makes a file small again that a flood has left large: bbolt never gives space back by itself. The
// copy takes the file's place only when it is whole and on disk.
func compact(path string, o Options) error {
	return guard(path, func() error {
		src, err := openBolt(path, boltOptions(o.MaxBytes))
		if err != nil {
			return err
		}
		defer src.Close()
		temp := path + ".compact"
		if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) { // of an interrupted attempt
			return err
		}
		if err := copyInto(temp, src, o); err != nil {
			_ = os.Remove(temp)
			return fmt.Errorf("compacting the intake %s: %w", path, err)
		}
		if err := os.Rename(temp, path); err != nil {
			return fmt.Errorf("compacting the intake: %w", err)
		}
		return syncFolder(filepath.Dir(path))
	})
}

func copyInto(path string, src *bbolt.DB, o Options) error {
	dst, err := openBolt(path, boltOptions(o.MaxBytes))
	if err != nil {
		return err
	}
	return errors.Join(bbolt.Compact(dst, src, compactChunk), dst.Sync(), dst.Close())
}
