package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ParseKey reads a key from base64, with or without padding, as SHOPHAND_KEY and key files hold it.
func ParseKey(s string) ([]byte, error) {
	key, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(strings.TrimSpace(s), "="))
	if err != nil || len(key) != KeySize { // the text itself stays out of the error
		return nil, fmt.Errorf("a key is %d bytes in base64, 44 characters: `openssl rand -base64 32` makes one", KeySize)
	}
	return key, nil
}

// LoadKey reads the key file at path. Where there is none it makes one with a new key from random; when it
// returns, that is on disk. A file that others may read or write is refused.
func LoadKey(path string, random io.Reader) ([]byte, error) {
	raw, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeyFile(path, random); err != nil {
			return nil, fmt.Errorf("making the key file: %w", err)
		}
		raw, err = readKeyFile(path) // that of another process perhaps, which was quicker
	}
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(string(raw))
	if err != nil {
		return nil, fmt.Errorf("the key file %s holds no key: %w", path, err)
	}
	return key, nil
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the key file %s is not a file", path)
	}
	// Windows has no such modes: access lists protect the folder there.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the key file %s can be read by others (mode %o): `chmod 600 %s`, and think about a new key", path, mode, path)
	}
	const most = 1 << 10
	raw, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	return raw, nil
}

// makeKeyFile lets the file appear whole or not at all, and never replaces one: a key lost is every secret
// lost.
func makeKeyFile(path string, random io.Reader) error {
	key := make([]byte, KeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return fmt.Errorf("no randomness: %w", err)
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".key-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, bytes.NewReader(append(base64.StdEncoding.AppendEncode(nil, key), '\n')))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
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
