package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/shophand/shophand/core/host"
)

// TestFsyncBeforeAnswer watches the host's system calls while one webhook comes in: between the reading of the
// request and the writing of its 200, a flush of the intake's file must have begun and returned.
func TestFsyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is absent: nobody has watched whether the intake is flushed before the 200")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if out, err := exec.Command(strace, "-f", "-y", "-o", trace, "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: nobody has watched whether the intake is flushed before the 200: %v %s", err, out)
	}
	h := newHouse(t)
	h.wrap = []string{strace, "-f", "-y", "-s", "64", "-e", "trace=read,write,fsync,fdatasync", "-e", "signal=none", "-o", trace}
	t.Cleanup(func() { // before the house ends strace, which would leave the host alive
		if running, err := host.Find(h.data); err == nil && running != nil {
			_ = syscall.Kill(running.PID, syscall.SIGKILL)
		}
	})
	h.serve()
	h.shops()
	h.accepted(fromShopify("orders/create", shopifyOrder(1, "#1", "10.00").json(t)))
	running, err := host.Find(h.data)
	if err != nil || running == nil {
		t.Fatal("the host is gone", err)
	}
	if err := syscall.Kill(running.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-h.ends; err != nil {
		t.Errorf("the host ended with %v", err)
	}
	h.cmd = nil
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	// bbolt flushes what it has written, then what makes it count.
	if order := flushOrder(string(raw)); order != "request flushing flushed flushing flushed answer" {
		t.Errorf("the webhook went %q, want: request flushing flushed flushing flushed answer", order)
	}
}

// flushOrder reads from a trace what happened to the first webhook, from its request to its answer. A call of one
// thread is in two lines where another came between.
func flushOrder(trace string) string {
	var (
		request = regexp.MustCompile(`^\d+ +(?:read\(|<\.\.\. read resumed>).*"POST /webhooks/shopify`)
		begins  = regexp.MustCompile(`^(\d+) +f(?:data)?sync\(\d+<[^>]*/intake\.db>`)
		resumed = regexp.MustCompile(`^(\d+) +<\.\.\. f(?:data)?sync resumed>.*= 0$`)
		answer  = regexp.MustCompile(`^\d+ +write\(.*"HTTP/1\.1 200 OK`)
	)
	var order []string
	flushing := map[string]bool{} // by thread
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case len(order) == 0:
			if request.MatchString(line) {
				order = append(order, "request")
			}
		case answer.MatchString(line):
			return strings.Join(append(order, "answer"), " ")
		case begins.MatchString(line):
			order = append(order, "flushing")
			if strings.HasSuffix(line, "= 0") {
				order = append(order, "flushed")
			}
			flushing[begins.FindStringSubmatch(line)[1]] = true
		case resumed.MatchString(line):
			if flushing[resumed.FindStringSubmatch(line)[1]] {
				order = append(order, "flushed")
			}
		}
	}
	return strings.Join(order, " ")
}

// TestFlushOrder shows that the test above would see a missing flush.
func TestFlushOrder(t *testing.T) {
	t.Parallel()
	const (
		request = "7 read(9<socket:[1]>, \"POST /webhooks/shopify HTTP/1.1\", 4096) = 300\n"
		before  = "8 fdatasync(5</d/intake.db> <unfinished ...>\n"
		after   = "8 <... fdatasync resumed>) = 0\n"
		flush   = "8 fdatasync(5</d/intake.db>) = 0\n"
		failed  = "8 fdatasync(5</d/intake.db>) = -1 EIO (Input/output error)\n"
		other   = "8 fdatasync(6</d/engine.db>) = 0\n"
		answer  = "7 write(9<socket:[1]>, \"HTTP/1.1 200 OK\\r\\n\", 100) = 100\n"
	)
	for trace, want := range map[string]string{
		request + flush + flush + answer:          "request flushing flushed flushing flushed answer",
		request + before + after + flush + answer: "request flushing flushed flushing flushed answer",
		request + answer + flush + flush:          "request answer",
		request + before + answer + after:         "request flushing answer",
		before + request + after + answer:         "request answer",
		flush + flush + request + other + answer:  "request answer",
		request + failed + answer:                 "request flushing answer",
		flush + answer:                            "",
	} {
		if got := flushOrder(trace); got != want {
			t.Errorf("read as %q, want %q, from:\n%s", got, want, trace)
		}
	}
}
