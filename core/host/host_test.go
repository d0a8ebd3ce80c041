package host_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/core/host"
	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
)

// patience bounds a wait for another goroutine: much longer than anything takes on a loaded machine.
const patience = 30 * time.Second

// config of a host without plugins on any free port.
func config(t *testing.T, data string) host.Config {
	t.Helper()
	shopifyConnector, err := shopify.New(shopify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return host.Config{
		Data: data, Listen: "127.0.0.1:0", ShopifySecrets: []sdk.Secret{"secret"},
		Shopify: shopifyConnector, WooCommerce: woocommerce.New(woocommerce.Config{}), Version: "test",
	}
}

// open opens a host that must open, and closes it at the end.
func open(t *testing.T, c host.Config) *host.Host {
	t.Helper()
	h, err := host.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, h) })
	return h
}

func closed(t *testing.T, h *host.Host) {
	t.Helper()
	if err := h.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// refused opens a host that must not open, and checks that the error names all of what it should.
func refused(t *testing.T, c host.Config, says ...string) error {
	t.Helper()
	h, err := host.New(c)
	if err == nil {
		closed(t, h)
		t.Fatal("it opened")
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %q", err)
	}
	return err
}

func addShop(t *testing.T, h *host.Host) {
	t.Helper()
	if err := h.Store().AddShop(t.Context(), store.Shop{Name: "tea", Platform: "woocommerce", Credentials: map[string]sdk.Secret{"key": "ck_1"}}); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherKey(t *testing.T) {
	t.Parallel()
	c := config(t, t.TempDir())
	c.Key = bytes.Repeat([]byte{1}, 32)
	h := open(t, c)
	addShop(t, h)
	closed(t, h)

	c.Key = bytes.Repeat([]byte{2}, 32)
	refused(t, c, "shop tea", "encrypted under another key", "SHOPHAND_KEY")
	c.Key = nil // no key file is made, which would hold yet another
	refused(t, c, "no key file", "encrypted under another key", "SHOPHAND_KEY")
	c.Key = []byte("short")
	refused(t, c, "5 bytes")
	c.Key = bytes.Repeat([]byte{1}, 32)
	if shop, err := open(t, c).Store().Shop(t.Context(), "tea"); err != nil || shop.Credentials["key"].Reveal() != "ck_1" {
		t.Errorf("with the right key again: %v", err)
	}
}

// TestDamagedFiles cuts, swaps and overwrites the files of a data folder. A host says what is wrong, gives the
// folder back, and leaves the files as they are.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	good := t.TempDir()
	h := open(t, config(t, good))
	addShop(t, h)
	closed(t, h)
	files := []string{"intake.db", "engine.db", "store.db"}
	contents := map[string][]byte{}
	for _, file := range files {
		raw, err := os.ReadFile(filepath.Join(good, file))
		if err != nil {
			t.Fatal(err)
		}
		contents[file] = raw
	}
	for i, file := range files {
		for name, content := range map[string][]byte{
			"cut off after the header":  contents[file][:2*os.Getpagesize()],
			"cut off within the header": contents[file][:100],
			"text":                      bytes.Repeat([]byte("not a database\n"), 1000),
			"another of the files":      contents[files[(i+2)%len(files)]],
		} {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				data := t.TempDir()
				if err := os.CopyFS(data, os.DirFS(good)); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.Chmod(filepath.Join(data, "key"), 0o600), os.WriteFile(filepath.Join(data, file), content, 0o600)); err != nil {
					t.Fatal(err)
				}
				refused(t, config(t, data), strings.TrimSuffix(file, ".db"))
				if after, err := os.ReadFile(filepath.Join(data, file)); err != nil || !bytes.Equal(after, content) {
					t.Errorf("the file was changed: %v", err)
				}
				if err := os.WriteFile(filepath.Join(data, file), contents[file], 0o600); err != nil {
					t.Fatal(err)
				}
				open(t, config(t, data)) // the backup was put back
			})
		}
	}
}

func TestOneHostPerFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if r, err := host.Find(data); err != nil || r != nil {
		t.Errorf("on an empty folder runs %+v, %v", r, err)
	}
	first := open(t, config(t, data))
	if r, err := host.Find(data); err != nil || r != nil {
		t.Errorf("a host that does not run yet is found: %+v, %v", r, err)
	}
	var inUse *host.InUseError
	if err := refused(t, config(t, data), data, "in use by process "); !errors.As(err, &inUse) || inUse.PID != os.Getpid() || inUse.Folder != data {
		t.Errorf("the error is %#v", err)
	}
	closed(t, first)
	open(t, config(t, data))
}

// TestGivesTheFolderBack fails late in its start: nothing stays locked.
func TestGivesTheFolderBack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	c := config(t, data)
	c.Listen = "nonsense"
	refused(t, c, "listening on nonsense")
	first := open(t, config(t, data))
	c.Data, c.Listen = t.TempDir(), strings.TrimPrefix(first.URL(), "http://")
	refused(t, c, "listening on 127.0.0.1:", "address already in use")
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h := open(t, config(t, data))
	path := filepath.Join(data, "admin-token")
	made := h.AdminToken().Reveal()
	if len(made) < 20 || h.NewAdminTokenFile() != path {
		t.Errorf("a token of %d bytes in %q", len(made), h.NewAdminTokenFile())
	}
	for _, file := range []string{"admin-token", "key", "intake.db", "engine.db", "store.db"} {
		if info, err := os.Stat(filepath.Join(data, file)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", file, info.Mode(), err)
		}
	}
	closed(t, h)
	h = open(t, config(t, data))
	if h.AdminToken().Reveal() != made || h.NewAdminTokenFile() != "" {
		t.Error("the second start has made another token")
	}
	closed(t, h)
	c := config(t, data)
	c.AdminToken = "given"
	if h = open(t, c); h.AdminToken().Reveal() != "given" {
		t.Error("the token that was given does not count")
	}
}

// TestRun starts and ends a host: it is found, answers, and is gone.
func TestRun(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h := open(t, config(t, data))
	if status, retry := ready(t, h.Handler()); status != http.StatusServiceUnavailable || retry == "" {
		t.Errorf("before it runs it is %d, with Retry-After %q", status, retry)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	client := &http.Client{Timeout: patience}
	resp, err := client.Get(h.URL() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	running, err := host.Find(data)
	if err != nil || running == nil || running.PID != os.Getpid() || running.URL != h.URL() || running.Token.Reveal() != h.AdminToken().Reveal() {
		t.Errorf("found as %+v, %v", running, err)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if status, _ := ready(t, h.Handler()); status != http.StatusServiceUnavailable {
		t.Errorf("ended, it is %d", status)
	}
	closed(t, h)
	if running, err := host.Find(data); err != nil || running != nil {
		t.Errorf("gone, it is found as %+v, %v", running, err)
	}
	if _, err := client.Get(h.URL() + "/healthz"); err == nil {
		t.Error("gone, it answers")
	}
}

// ready asks the handler itself whether it takes webhooks.
func ready(t *testing.T, handler http.Handler) (status int, retryAfter string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code, w.Header().Get("Retry-After")
}

// TestFolderThatCannotBe names what is in the way.
func TestFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, config(t, file), file); errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
