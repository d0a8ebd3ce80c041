package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/host"
)

const (
	appSecret    = "the-secret-of-the-app"
	wooSecret    = "the-secret-of-the-webhooks"
	adminToken   = "the-admin-token-of-the-tests"
	shopifyShop  = "tea-and-pots.myshopify.com"
	wooShop      = "teashop"
	shopifyToken = "shpat_the-token-of-the-shop"
)

// full tells whether the long tests are asked for.
func full() bool { return os.Getenv("SHOPHAND_TEST_SCALE") == "full" }

// within polls until a condition about another process holds.
func within(limit time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(deadline) {
			return holds()
		}
	}
}

func answers(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// house is the real command on a data folder of its own, as a process that can be killed.
type house struct {
	testing.TB
	data string
	env  []string
	wrap []string // a command before the command
	cmd  *exec.Cmd
	url  string
	ends chan error
	log  *os.File
}

// newHouse returns a house in which nothing runs yet. env adds to, or replaces, the settings of the tests.
func newHouse(t testing.TB, env ...string) *house {
	t.Helper()
	h := &house{TB: t, data: filepath.Join(t.TempDir(), "data")}
	h.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir(), "SHOPHAND_TEST_MAIN=1",
		"SHOPHAND_DATA=" + h.data, "SHOPHAND_LISTEN=127.0.0.1:0", "SHOPHAND_ADMIN_TOKEN=" + adminToken,
		"SHOPIFY_API_SECRET=" + appSecret, "SHOPHAND_ALLOW_PRIVATE_HTTP=1",
	}
	h.env = append(h.env, env...) // of two with one name, the last counts
	log, err := os.Create(filepath.Join(t.TempDir(), "serve.log"))
	if err != nil {
		t.Fatal(err)
	}
	h.log = log
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			t.Logf("the host's log ends with:\n%s", raw[max(0, len(raw)-4000):])
		}
		_ = log.Close()
	})
	return h
}

// serve starts the host and returns when it is ready.
func (h *house) serve() {
	h.Helper()
	self, err := os.Executable()
	if err != nil {
		h.Fatal(err)
	}
	argv := append(append([]string{}, h.wrap...), self, "serve")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = h.env, h.log, h.log
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	ends := make(chan error, 1)
	go func() { ends <- cmd.Wait() }()
	h.cmd, h.ends = cmd, ends
	if !within(patience, func() bool {
		running, err := host.Find(h.data)
		if err == nil && running != nil && (running.PID == cmd.Process.Pid || len(h.wrap) > 0) {
			h.url = running.URL
			return answers(h.url + "/readyz")
		}
		return len(ends) > 0
	}) || len(ends) > 0 {
		h.Fatal("the host did not get ready")
	}
}

// kill ends the host as a power cut would.
func (h *house) kill() {
	if h.cmd != nil {
		_ = h.cmd.Process.Kill()
		<-h.ends
		h.cmd = nil
	}
}

// stop ends the host in order.
func (h *house) stop() {
	h.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		h.Fatal(err)
	}
	select {
	case err := <-h.ends:
		h.cmd = nil
		if err != nil {
			h.Errorf("the host ended with %v", err)
		}
	case <-time.After(patience):
		h.Fatal("the host does not stop on SIGTERM")
	}
}

// try runs a command to its end.
func (h *house) try(args ...string) (stdout, stderr string, err error) {
	h.Helper()
	self, err := os.Executable()
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = h.env, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// run runs a command that must succeed.
func (h *house) run(args ...string) string {
	h.Helper()
	out, errs, err := h.try(args...)
	if err != nil {
		h.Fatalf("shophand %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// shops adds a shop of each platform.
func (h *house) shops() {
	h.Helper()
	h.run("shop", "add", "shopify", shopifyShop, "--token", shopifyToken, "--api-url", "http://127.0.0.1:9", "--currency", "EUR", "--timezone", "Europe/Berlin")
	h.run("shop", "add", "woocommerce", wooShop, "--url", "http://127.0.0.1:9", "--key", "ck_x", "--secret", "cs_x", "--webhook-secret", wooSecret)
}

// flow applies a flow.
func (h *house) flow(text string) {
	h.Helper()
	path := filepath.Join(h.TempDir(), "flow.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	h.run("flow", "apply", path)
}

// listed reads what a list command prints as JSON.
func listed[T any](h *house, args ...string) (out []T) {
	h.Helper()
	if err := json.Unmarshal([]byte(h.run(append(args, "--json")...)), &out); err != nil {
		h.Fatal(err)
	}
	return out
}

// shown reads what a show command prints as JSON.
func shown[T any](h *house, args ...string) (out T) {
	h.Helper()
	if err := json.Unmarshal([]byte(h.run(append(args, "--json")...)), &out); err != nil {
		h.Fatal(err)
	}
	return out
}

// finished waits until there are n runs of a flow, all over, and returns them.
func (h *house) finished(flow string, n int) (runs []engine.Run) {
	h.Helper()
	if !within(patience, func() bool {
		runs = listed[engine.Run](h, "run", "list", "--flow", flow, "--limit", "10000")
		for _, r := range runs {
			if !r.Status.Over() {
				return false
			}
		}
		return len(runs) == n
	}) {
		h.Fatalf("of %d runs of %s there are %d: %+v", n, flow, len(runs), runs[:min(3, len(runs))])
	}
	return runs
}

func get(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
