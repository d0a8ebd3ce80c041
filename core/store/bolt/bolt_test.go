package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/secret"
	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/core/store/bolt"
	"github.com/shophand/shophand/core/store/storetest"
	"github.com/shophand/shophand/sdk"
)

func open(dir string, key byte) (store.Store, error) {
	box, err := secret.New(bytes.Repeat([]byte{key}, secret.KeySize))
	if err != nil {
		return nil, err
	}
	s, err := bolt.Open(filepath.Join(dir, "store.db"), box)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, open)
}

// filled makes a store with something in every bucket, over several pages, and returns its bytes.
func filled(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s, err := open(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, name := range []string{"a", "b", "c"} {
		if err := s.AddShop(ctx, store.Shop{Name: name, Credentials: map[string]sdk.Secret{"token": sdk.Secret(strings.Repeat(name, 3000))}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ApplyFlow(ctx, store.Flow{ID: name, Version: "v1", Source: bytes.Repeat([]byte(name), 9000)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ApplyOnce(ctx, "p", name, "key", nil, bytes.Repeat([]byte(" "), 5000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return edited(t, read(t, filepath.Join(dir, "store.db")), func(*bbolt.Tx) error { return nil })
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// edited returns a bbolt file after a change of its content, without the room that bbolt has taken in advance.
func edited(t *testing.T, raw []byte, edit func(*bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edited.db")
	if raw != nil {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(edit); err != nil {
		t.Fatal(err)
	}
	var used int64
	if err := db.View(func(tx *bbolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)[:used]
}

// TestOpenRefuses gives it files that it must not touch: each is refused with a word that helps, and stays as
// it is.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good := filled(t)
	page := os.Getpagesize()
	setFormat := func(value string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte(value)) }
	}
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"a newer format":               {edited(t, good, setFormat("\x02")), "written by a newer Shophand"},
		"a much newer format":          {edited(t, good, setFormat("\xac\x02")), "written by a newer Shophand"},
		"a format that is none":        {edited(t, good, setFormat("\xff")), "does not say its format"},
		"another program's bbolt file": {edited(t, nil, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("x")); return err }), "not the store of Shophand"},
		"another of its files": {edited(t, nil, func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("meta"))
			if err != nil {
				return err
			}
			if _, err := tx.CreateBucket([]byte("positions")); err != nil {
				return err
			}
			return b.Put([]byte("format"), []byte{1})
		}), "another of its files"},
		"text":                      {[]byte("flow: thanks\n"), "not the store of Shophand"},
		"a lot of text":             {bytes.Repeat([]byte("flow: thanks\n"), 10_000), "not the store of Shophand"},
		"zeros":                     {make([]byte, 8*page), "not the store of Shophand"},
		"cut off within the header": {good[:page/2], "not the store of Shophand"},
		"cut off after the header":  {good[:2*page], "are missing"},
		"cut off by half":           {good[:len(good)/2/page*page], "are missing"},
		"cut off at the end":        {good[:len(good)-page], "are missing"},
		"cut off within a page":     {good[:len(good)-page-17], "are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "store.db")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := open(dir, 1)
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			for _, part := range []string{"the store", test.says} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not say %q", err, part)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.content) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// TestDamage overwrites one page after the other: the store opens and reads, or says that it can't, and never
// panics.
func TestDamage(t *testing.T) {
	t.Parallel()
	good := filled(t)
	page := os.Getpagesize()
	for _, fill := range []byte{0, 0xff, 'x'} {
		for start := 0; start < len(good); start += page {
			bad := bytes.Clone(good)
			copy(bad[start:], bytes.Repeat([]byte{fill}, page))
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "store.db"), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := open(dir, 1)
			if err != nil {
				if !strings.Contains(err.Error(), "store.db") {
					t.Errorf("page %d filled with %#x: the error %q does not name the file", start/page, fill, err)
				}
				continue
			}
			_, _ = s.Shops(t.Context())
			_, _ = s.Flows(t.Context())
			_ = s.Close()
		}
	}
}

// TestEmptyFile opens a file whose making was interrupted.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "store.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestInUse opens one file twice.
func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := open(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := open(dir, 1); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("opened twice: %v", err)
	}
}
