package pluginhost

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// recordSizes is a log that keeps the size of its largest record and their number.
type recordSizes struct{ largest, count int }

func (r *recordSizes) Write(b []byte) (int, error) {
	r.largest = max(r.largest, len(b))
	r.count++
	return len(b), nil
}

// FuzzOutput: whatever a plugin prints, the host goes on, its records stay small and few.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{
		"plain\n", "panic: boom\n\ngoroutine 1 [running]:\n", "\n\r\n{}\n[]\nnull\n", "no end",
		`{"@level":"info","@message":"m","@timestamp":"2026-11-22T12:00:00.000000Z","a":{"b":[1,2]},"c":1e999}` + "\n",
		`{"@message":5}` + "\n" + `{"@message":"m"}{"@message":"n"}` + "\n", "\xff\xfe\x00\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(checkOutput)
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	checkOutput(t, []byte(strings.Repeat("x", 3*maxLine+1)+"\n"))
	checkOutput(t, []byte(`{"@message":"`+strings.Repeat("é", maxRecord)+`","k":"v","l":["`+strings.Repeat("x", maxRecord)+`"]}`))
}

func checkOutput(t *testing.T, printed []byte) {
	var log recordSizes
	second := time.Unix(1, 0)
	o := newOutput(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), func() time.Time { return second }, 10, func(s string) string { return s })
	o.readStderr(bytes.NewReader(printed))
	o.readStdout(bufio.NewReaderSize(bytes.NewReader(printed), maxLine))
	w := o.writer(o.stderrLine)
	for i := 0; i < len(printed); i += 7 {
		_, _ = w.Write(printed[i:min(i+7, len(printed))])
	}
	o.end()
	for _, byPanic := range []bool{true, false} {
		if words := o.lastWords(byPanic); len(words) > 300 || !utf8.ValidString(words) {
			t.Errorf("last words %q", words)
		}
	}
	if tail := o.tail(); len(tail) > keptLines {
		t.Errorf("%d lines kept", len(tail))
	}
	if log.count > 11 { // the limit and the summary
		t.Errorf("%d records", log.count)
	}
	if log.largest > 6*maxRecord+4<<10 { // JSON may write a byte as six
		t.Errorf("a record of %d bytes", log.largest)
	}
}

// TestCut never cuts a character in two nor returns too much.
func TestCut(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", "abc", "aéé", "日本語", "日本語日本語"} {
		for n := range 12 {
			got := cut(s, n)
			if len(got) > n || !utf8.ValidString(got) || len(s) <= n && got != s {
				t.Errorf("cut(%q, %d) = %q", s, n, got)
			}
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 65 << 10: "65 KiB", 1 << 20: "1 MiB", 4 << 20: "4 MiB", 5452595: "5.2 MiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	if got := fmt.Sprint(roughly(29999 * time.Millisecond)); got != "30s" {
		t.Error(got)
	}
}
