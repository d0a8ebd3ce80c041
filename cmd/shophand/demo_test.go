package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tour is `shophand demo --exit` of a binary that was really built, while it runs.
type tour struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	seen   strings.Builder
	errors bytes.Buffer
}

func startTour(t *testing.T, binary string) *tour {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	d := &tour{t: t, cmd: exec.CommandContext(ctx, binary, "demo", "--exit")}
	d.cmd.Stderr = &d.errors
	// A setting of whoever runs the test must not reach the demo.
	d.cmd.Env = append(d.cmd.Environ(), "SHOPHAND_ADMIN_TOKEN=of-another-host", "SHOPHAND_LISTEN=256.256.256.256:1")
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.lines = bufio.NewScanner(out)
	d.lines.Buffer(nil, 1<<20)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// until reads lines to the first that matches, and returns what its groups hold.
func (d *tour) until(pattern string) []string {
	d.t.Helper()
	wanted := regexp.MustCompile(pattern)
	for d.lines.Scan() {
		d.seen.WriteString(d.lines.Text() + "\n")
		if found := wanted.FindStringSubmatch(d.lines.Text()); found != nil {
			return found
		}
	}
	d.t.Fatalf("the demo ended without a line like %s (%v); it said:\n%s%s", pattern, d.lines.Err(), &d.seen, &d.errors)
	return nil
}

// end reads on to the end and returns the exit status.
func (d *tour) end() int {
	d.t.Helper()
	for d.lines.Scan() {
		d.seen.WriteString(d.lines.Text() + "\n")
	}
	err := d.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("waiting for the demo: %v", err)
	}
	if found := regexp.MustCompile(`its data in (\S+)/data`).FindStringSubmatch(d.seen.String()); found != nil {
		if _, err := os.Stat(found[1]); !errors.Is(err, os.ErrNotExist) {
			d.t.Errorf("the demo has not removed its folder %s (%v)", found[1], err)
		}
	}
	return d.cmd.ProcessState.ExitCode()
}

func (d *tour) said(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if !strings.Contains(d.seen.String(), text) {
			d.t.Errorf("the demo did not say %q", text)
		}
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "shophand")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	t.Run("all is as it should be", func(t *testing.T) {
		t.Parallel()
		d := startTour(t, binary)
		if status := d.end(); status != 0 {
			t.Fatalf("exit status %d, want 0; it said:\n%s%s", status, &d.seen, &d.errors)
		}
		d.said("1. An order comes in", "known already: starts nothing again", "answered 401", "order.total = 25.00",
			"is killed with -9 in the middle of labels/buy", "2 attempts, one key", "nobody answers, Shopify keeps it",
			"none is lost", "each flow once", "left no process behind", "went on at their time", "The books agree: all 16 checks hold.")
		if strings.Contains(d.seen.String(), "\x1b") {
			t.Error("the demo colours what does not go to a terminal")
		}
	})

	t.Run("the books notice what the demo did not do", func(t *testing.T) {
		t.Parallel()
		d := startTour(t, binary)
		data := d.until(`its data in (\S+)`)[1]
		d.until(`^2\. `)
		const shop = "leaf-and-kettle.myshopify.com"
		var events []struct {
			Subject string `json:"subject"`
		}
		shophand(t, binary, data, &events, "event", "list", "--shop", shop, "--type", "order.paid", "--limit", "1", "--json")
		if len(events) != 1 {
			t.Fatalf("%d events, want 1", len(events))
		}
		var started struct {
			Run string `json:"run"`
		}
		shophand(t, binary, data, &started, "flow", "run", "buy-label", "--shop", shop, "--subject", events[0].Subject, "--json")
		if status := d.end(); status == 0 {
			t.Fatalf("exit status 0 although a run was started behind its back; it said:\n%s", &d.seen)
		}
		d.said("✗", "run "+started.Run+" of buy-label for #1001", "is one too many", "has 2 labels, not 1")
		if !strings.Contains(d.errors.String(), "checks of the demo's books do not hold") {
			t.Errorf("the error does not say what is wrong: %s", &d.errors)
		}
	})

	t.Run("a host that ends by itself ends the demo", func(t *testing.T) {
		t.Parallel()
		d := startTour(t, binary)
		pid, err := strconv.Atoi(d.until(`host\[(\d+)\] listens`)[1])
		if err != nil {
			t.Fatal(err)
		}
		d.until(`^1\. `)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if status := d.end(); status == 0 {
			t.Fatalf("exit status 0 although its host was killed; it said:\n%s", &d.seen)
		}
		d.said("✗", "the host's last words")
	})
}

// shophand runs a command that prints JSON.
func shophand(t *testing.T, binary, data string, into any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append(args, "--data", data)...)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("shophand %s: %v: %s", strings.Join(args, " "), err, &failure)
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("shophand %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
