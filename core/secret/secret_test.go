package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shophand/shophand/core/secret"
)

func box(t testing.TB, fill byte) *secret.Box {
	t.Helper()
	b, err := secret.New(bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBox(t *testing.T) {
	t.Parallel()
	b, plain, context := box(t, 1), []byte("shpat_the-token"), []byte("shop/tea/credentials")
	sealed, err := b.Seal(plain, context)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain[:6]) {
		t.Error("the sealed value shows the secret")
	}
	if again, _ := b.Seal(plain, context); bytes.Equal(again, sealed) {
		t.Error("sealing twice gives the same bytes")
	}
	change := func(i int) []byte { c := bytes.Clone(sealed); c[i] ^= 1; return c }
	for name, test := range map[string]struct {
		box     *secret.Box
		sealed  []byte
		context string
		want    error
		says    string
	}{
		"as it was":          {b, sealed, string(context), nil, ""},
		"the same key anew":  {box(t, 1), sealed, string(context), nil, ""},
		"another key":        {box(t, 2), sealed, string(context), secret.ErrWrongKey, "set SHOPHAND_KEY"},
		"another place":      {b, sealed, "shop/coffee/credentials", secret.ErrDamaged, "moved"},
		"no place":           {b, sealed, "", secret.ErrDamaged, ""},
		"a changed nonce":    {b, change(10), string(context), secret.ErrDamaged, ""},
		"a changed end":      {b, change(len(sealed) - 1), string(context), secret.ErrDamaged, ""},
		"cut off":            {b, sealed[:len(sealed)-1], string(context), secret.ErrDamaged, ""},
		"almost nothing":     {b, sealed[:5], string(context), secret.ErrDamaged, "too short"},
		"nothing":            {b, nil, string(context), secret.ErrDamaged, "too short"},
		"a format to come":   {b, change(0), string(context), nil, "its format is 0"},
		"not a sealed value": {b, []byte("\x01shpat_the-token in plain text, but long enough"), string(context), secret.ErrWrongKey, ""},
	} {
		got, err := test.box.Open(test.sealed, []byte(test.context))
		switch {
		case test.want == nil && test.says == "":
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		case err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says):
			t.Errorf("%s: %v, want %v with %q", name, err, test.want, test.says)
		case strings.Contains(err.Error(), "shpat"):
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
	if empty, err := b.Seal(nil, nil); err != nil {
		t.Error(err)
	} else if got, err := b.Open(empty, nil); err != nil || len(got) != 0 {
		t.Errorf("nothing comes back as %q, %v", got, err)
	}
}

// TestFormat holds the bytes of version 1 fast: data folders are full of them.
func TestFormat(t *testing.T) {
	t.Parallel()
	b, err := secret.NewWithRandom(bytes.Repeat([]byte{7}, secret.KeySize), strings.NewReader("twelve bytes"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.Seal([]byte("token"), []byte("shop/tea/credentials"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "01d12d948dd38b83477477656c7665206279746573fcb8da5f70ab1aa8fd986345cd15f54185f9572700"
	if got := hex.EncodeToString(sealed); got != want {
		t.Errorf("sealed as %s, version 1 is %s", got, want)
	}
	if _, err := b.Seal(nil, nil); err == nil {
		t.Error("sealed without randomness")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{0xfb}, secret.KeySize)
	text := base64.StdEncoding.EncodeToString(key)
	for _, good := range []string{text, text + "\n", strings.TrimRight(text, "="), " " + text} {
		if got, err := secret.ParseKey(good); err != nil || !bytes.Equal(got, key) {
			t.Errorf("ParseKey(%q): %x, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", "secret words", text[:40], text + text, hex.EncodeToString(key), "!" + text[1:]} {
		if _, err := secret.ParseKey(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("ParseKey(%q): %v", bad, err)
		}
	}
	if _, err := secret.New(key[:31]); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	first, err := secret.LoadKey(path, rand.Reader)
	if err != nil || len(first) != secret.KeySize {
		t.Fatalf("%x, %v", first, err)
	}
	if again, err := secret.LoadKey(path, rand.Reader); err != nil || !bytes.Equal(again, first) {
		t.Errorf("loaded again, the key differs: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
	for name, test := range map[string]struct {
		make func(path string) error
		says string
	}{
		"readable by others": {func(p string) error {
			return errors.Join(os.WriteFile(p, []byte(base64.StdEncoding.EncodeToString(first)), 0o600), os.Chmod(p, 0o640))
		}, "can be read by others (mode 640)"},
		"empty":    {func(p string) error { return os.WriteFile(p, nil, 0o600) }, "holds no key"},
		"text":     {func(p string) error { return os.WriteFile(p, []byte("my dog's name"), 0o600) }, "holds no key"},
		"huge":     {func(p string) error { return os.WriteFile(p, make([]byte, 1<<20), 0o600) }, "holds no key"},
		"a folder": {func(p string) error { return os.Mkdir(p, 0o700) }, "is not a file"},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := test.make(path); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadKey(path, rand.Reader); err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "dog") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := secret.LoadKey(filepath.Join(t.TempDir(), "key"), io.LimitReader(rand.Reader, 3)); err == nil {
		t.Error("made a key without randomness")
	}
	if _, err := secret.LoadKey(filepath.Join(t.TempDir(), "absent", "key"), rand.Reader); err == nil {
		t.Error("made a key in a folder that is not there")
	}
}

// TestKeyFileIsMadeOnce has several make it at once: all get the same key.
func TestKeyFileIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	keys := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() { keys[i], _ = secret.LoadKey(path, rand.Reader) })
	}
	wg.Wait()
	for _, key := range keys {
		if len(key) != secret.KeySize || !bytes.Equal(key, keys[0]) {
			t.Fatalf("got %x and %x", key, keys[0])
		}
	}
}

func FuzzOpen(f *testing.F) {
	b := box(f, 1)
	sealed, err := b.Seal([]byte("secret"), []byte("here"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed, []byte("here"))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, sealed, context []byte) {
		if plain, err := b.Open(sealed, context); err == nil && string(plain) != "secret" {
			t.Errorf("a forgery was opened: %q", plain)
		}
	})
}
