package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/core/ingest/bolt"
	"github.com/shophand/shophand/core/ingest/ingesttest"
	"github.com/shophand/shophand/sdk/event"
)

// appenderVar makes the test binary append to the intake that it names, see appender.
const appenderVar = "SHOPHAND_TEST_APPENDER"

func TestMain(m *testing.M) {
	if path := os.Getenv(appenderVar); path != "" {
		appender(path)
		return
	}
	os.Exit(m.Run())
}

// appender appends for each line of its input, several at a time, and prints the line when Append returned.
func appender(path string) {
	log, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	lines := make(chan string)
	for range 8 {
		wg.Go(func() {
			for line := range lines {
				if err := log.Append(context.Background(), event.Delivery{Shop: "tea", Body: []byte(line)}); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Fprintf(os.Stdout, "kept %s\n", line)
			}
		})
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		lines <- in.Text()
	}
	close(lines)
	wg.Wait()
	if err := log.Close(); err != nil {
		os.Exit(1)
	}
}

func open(t testing.TB, path string, o bolt.Options) *bolt.Log {
	t.Helper()
	log, err := bolt.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ingesttest.Exercise(t, func(t testing.TB, dir string, q ingesttest.Quota) ingest.Log {
		return open(t, filepath.Join(dir, "intake.db"), bolt.Options{MaxBytes: q.Total, MaxShopBytes: q.Shop})
	})
}

// TestKill kills a process while it appends, again and again, and looks for everything that it had said to be
// kept.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.db")
	kept, sent := map[string]bool{}, 0
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), appenderVar+"="+path)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var feeding sync.WaitGroup
		feeding.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sent++
				if _, err := fmt.Fprintf(in, "%d %s\n", sent, strings.Repeat("x", 5000)); err != nil {
					return
				}
			}
		})
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for n := 0; n < 40+round*17 && lines.Scan(); n++ {
			kept[strings.TrimPrefix(lines.Text(), "kept ")] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // said before the kill, not read yet
			if line, ok := strings.CutPrefix(lines.Text(), "kept "); ok && strings.HasSuffix(line, strings.Repeat("x", 5000)) {
				kept[line] = true
			}
		}
		close(stop)
		feeding.Wait()
		_ = cmd.Wait() // it was killed
		log := open(t, path, bolt.Options{})
		found := map[string]bool{}
		for after := uint64(0); ; {
			entries, err := log.Read("tea", after, 100, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				found[string(e.Delivery.Body)] = true
				after = e.Seq
			}
		}
		for line := range kept {
			if !found[line] {
				t.Fatalf("after kill %d, %q is lost, one of %d", round, line[:10], len(kept))
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFsyncBeforeReturn watches the system calls of one append: its data, and then the page that makes it
// valid, are flushed before anybody is told.
func TestFsyncBeforeReturn(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is absent: whether appends are flushed before they return was NOT checked")
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	cmd := exec.Command(strace, "-f", "-y", "-e", "trace=pwrite64,write,fsync,fdatasync", "-o", trace, os.Args[0])
	cmd.Env = append(os.Environ(), appenderVar+"="+filepath.Join(dir, "intake.db"))
	cmd.Stdin = strings.NewReader("the-delivery\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("strace can't trace here, appends were NOT checked: %v: %s", err, out)
	}
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := string(raw)
	told := strings.Index(calls, `"kept the-delivery`)
	if told < 0 {
		t.Fatalf("the append never returned:\n%s", calls)
	}
	calls = calls[:told]
	writes := regexp.MustCompile(`pwrite64\(\d+<[^>]*intake\.db>`).FindAllStringIndex(calls, -1)
	if len(writes) < 2 {
		t.Fatalf("nothing was written to the intake before the append returned:\n%s", calls)
	}
	flushed := regexp.MustCompile(`fdatasync(\(\d+<[^>]*intake\.db>\)| resumed>\)) += 0`)
	if !flushed.MatchString(calls[writes[len(writes)-1][1]:]) {
		t.Fatalf("the last write to the intake was not flushed before the append returned:\n%s", calls)
	}
	// The data too is flushed before the page that refers to it is written.
	if !flushed.MatchString(calls[writes[len(writes)-2][1]:writes[len(writes)-1][0]]) {
		t.Fatalf("the data was not flushed before the page that makes it valid:\n%s", calls)
	}
}

// made returns the path of an intake with some entries.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "intake.db")
	log := open(t, path, bolt.Options{})
	for n := range 50 {
		d := event.Delivery{Platform: "shopify", Shop: fmt.Sprint("shop", n%3), Body: bytes.Repeat([]byte{byte(n)}, 3000)}
		if err := log.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"a newer format": {func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.AppendUvarint(nil, 3))
			})
		}, "was written by a newer Shophand (the intake has format 3; this one knows 1)"},
		"another program's file": {func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return errors.Join(tx.DeleteBucket([]byte("meta")), tx.DeleteBucket([]byte("deliveries")), must(tx.CreateBucket([]byte("accounts"))))
			})
		}, "is not the intake of Shophand: it was written by another program"},
		"an entry of a newer format": {func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("deliveries")).Put(bytes.Repeat([]byte{1}, 8), []byte{9, 9, 9})
			})
		}, "its format is 9"},
		"text":            {func(t *testing.T, path string) { write(t, path, []byte("hello, this is no database\n")) }, "restore it from a backup"},
		"much text":       {func(t *testing.T, path string) { write(t, path, bytes.Repeat([]byte("hello\n"), 10_000)) }, "is not the intake of Shophand"},
		"zeros":           {func(t *testing.T, path string) { write(t, path, make([]byte, 1<<20)) }, "is not the intake of Shophand"},
		"a file cut off":  {func(t *testing.T, path string) { cut(t, path, 20_000) }, "bytes are missing; restore it from a backup"},
		"only two pages":  {func(t *testing.T, path string) { cut(t, path, 8192) }, "bytes are missing; restore it from a backup"},
		"a page and half": {func(t *testing.T, path string) { cut(t, path, 6000) }, "restore it from a backup"},
		"a folder":        {func(t *testing.T, path string) { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) }, "is not the intake of Shophand"},
		"one that is open": {func(t *testing.T, path string) { open(t, path, bolt.Options{}) },
			"is in use by another process"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := made(t)
			test.spoil(t, path)
			before, _ := os.ReadFile(path)
			_, err := bolt.Open(path, bolt.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want an error with %q", err, test.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// TestLostPages loses one page after another, as a power failure may on a disk that lies about flushing: the
// host is told, or goes on with what is there, but never dies of it.
func TestLostPages(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(made(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "intake.db")
	refused := 0
	for page := range len(bytes.TrimRight(whole, "\x00"))/4096 + 1 {
		spoilt := bytes.Clone(whole)
		clear(spoilt[page*4096 : (page+1)*4096])
		write(t, path, spoilt)
		log, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			refused++
			continue
		}
		for _, b := range log.Shops() {
			_, _ = log.Read(b.Shop, 0, 100, 1<<20)
		}
		_ = log.Close()
	}
	if refused == 0 {
		t.Error("no loss was noticed")
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(made(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("the intake has the mode %o", got)
	}
}

func TestReserveForPlatformsThatNeverRetry(t *testing.T) {
	t.Parallel()
	log := open(t, filepath.Join(t.TempDir(), "intake.db"), bolt.Options{MaxBytes: 80_000, MaxShopBytes: 80_000, NoRetry: []string{"woocommerce"}})
	fill := func(platform string) (taken int) {
		for {
			err := log.Append(t.Context(), event.Delivery{Platform: platform, Shop: "tea", Body: make([]byte, 900)})
			if errors.Is(err, ingest.ErrFull) {
				return taken
			}
			if err != nil {
				t.Fatal(err)
			}
			taken++
		}
	}
	if shopify, woo := fill("shopify"), fill("woocommerce"); shopify < 60 || shopify > 75 || woo < 8 || woo > 12 {
		t.Errorf("Shopify got %d of the quota, then WooCommerce %d", shopify, woo)
	}
}

func TestCompactsAfterAFlood(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.db")
	options := bolt.Options{CompactAbove: 4 << 20}
	log := open(t, path, options)
	for range 40 {
		if err := log.Append(t.Context(), event.Delivery{Shop: "flood", Body: make([]byte, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	last := event.Delivery{Shop: "tea", Header: map[string]string{}, Body: []byte("keep me")}
	if err := log.Append(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if err := log.Trim(t.Context(), "flood", 1<<64-1); err != nil {
		t.Fatal(err)
	}
	seq := log.Shops()[0].Last
	_ = log.Close()
	before := sizeOf(t, path)
	log = open(t, path, options)
	// A commit on top gives the file the size that it works with.
	if err := log.Append(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if after := sizeOf(t, path); after > before/2 {
		t.Errorf("the file had %d bytes, and has %d", before, after)
	}
	entries, err := log.Read("tea", 0, 10, 1<<20)
	if err != nil || len(entries) != 2 || entries[0].Seq != seq || string(entries[0].Delivery.Body) != "keep me" || entries[1].Seq <= seq {
		t.Errorf("after compaction: %v, %v", entries, err)
	}
}

func TestBackupWhileAppending(t *testing.T) {
	t.Parallel()
	log := open(t, made(t), bolt.Options{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := log.Append(context.Background(), event.Delivery{Shop: "later", Body: make([]byte, 3000)}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 5 {
		path := filepath.Join(t.TempDir(), "copy.db")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(log.Backup(f), f.Close()); err != nil {
			t.Fatal(err)
		}
		entries, err := open(t, path, bolt.Options{}).Read("shop0", 0, 100, 1<<20)
		if err != nil || len(entries) != 17 {
			t.Errorf("the copy has %d entries of shop0, want 17: %v", len(entries), err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestNumbersFollowTheClock shows that numbers go on above those of a file that is gone, and that a clock set
// back does no harm.
func TestNumbersFollowTheClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	log := open(t, filepath.Join(t.TempDir(), "intake.db"), bolt.Options{Now: func() time.Time { return now }})
	var last uint64
	for _, at := range []time.Duration{0, time.Hour, 0, -time.Hour, -100 * 365 * 24 * time.Hour} {
		now = now.Add(at)
		if err := log.Append(t.Context(), event.Delivery{Shop: "tea"}); err != nil {
			t.Fatal(err)
		}
		seq := log.Shops()[0].Last
		if seq <= last || at >= 0 && seq < uint64(now.UnixMicro()) {
			t.Errorf("at %s the number is %d, the one before was %d", now, seq, last)
		}
		last = seq
	}
}

func edit(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func must(_ *bbolt.Bucket, err error) error { return err }

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
