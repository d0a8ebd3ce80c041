package pluginhost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"time"
)

// Limits of what a plugin prints.
const (
	maxLine   = 64 << 10 // a longer one counts as several
	maxRecord = 4 << 10  // text of one log record; more is cut
	keptLines = 20       // of standard error, for reasons
)

// output makes log records of what one process prints: lines of standard error in hclog's JSON form keep their
// level and fields, others are debug records, but for a Go panic's. So many lines a second are logged and the
// others counted. It is safe for concurrent use.
type output struct {
	log    *slog.Logger // names the plugin
	now    func() time.Time
	limit  int
	redact func(string) string

	mu       sync.Mutex
	last     [keptLines][]byte // ring of the newest lines of standard error, as they came
	count    int               // of all those lines
	panicked string            // the newest line that a Go panic starts with
	inPanic  bool
	second   int64
	logged   int // lines in that second
	dropped  int // since the last summary
	summary  *time.Timer
}

func newOutput(log *slog.Logger, now func() time.Time, limit int, redact func(string) string) *output {
	return &output{log: log, now: now, limit: limit, redact: redact}
}

// readStderr reads to the end of r.
func (o *output) readStderr(r io.Reader) { readLines(bufio.NewReaderSize(r, maxLine), o.stderrLine) }

// readStdout reads to the end of r, which is standard output behind the handshake.
func (o *output) readStdout(r *bufio.Reader) { readLines(r, o.stdoutLine) }

func readLines(r *bufio.Reader, each func([]byte)) {
	for {
		line, err := r.ReadSlice('\n')
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			each(line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (o *output) stdoutLine(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.log.Enabled(context.Background(), slog.LevelDebug) && o.allowed() {
		o.log.Debug("printed on standard output: " + o.text(string(line)))
	}
}

func (o *output) stderrLine(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	slot := &o.last[o.count%keptLines]
	*slot = append((*slot)[:0], line[:min(len(line), maxRecord)]...)
	o.count++
	if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
		o.inPanic, o.panicked = true, string(*slot)
	}
	if o.wanted(line) && o.allowed() {
		o.record(line)
	}
}

// wanted says whether a line might be logged at all, cheaply: lines that nobody reads must not use up the limit.
func (o *output) wanted(line []byte) bool {
	if o.log.Enabled(context.Background(), slog.LevelDebug) || o.inPanic {
		return true
	}
	return line[0] == '{' && !bytes.Contains(line, []byte(`"@level":"debug"`)) && !bytes.Contains(line, []byte(`"@level":"trace"`))
}

// allowed counts a line and says whether it is logged.
func (o *output) allowed() bool {
	now := o.now()
	if second := now.Unix(); second != o.second {
		o.summarize()
		o.second, o.logged = second, 0
	}
	if o.logged < o.limit {
		o.logged++
		return true
	}
	o.dropped++
	if o.summary == nil { // the flood may end before another line comes
		o.summary = time.AfterFunc(time.Second, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.summarize()
		})
	}
	return false
}

func (o *output) summarize() {
	if o.summary != nil {
		o.summary.Stop()
		o.summary = nil
	}
	if o.dropped > 0 {
		o.log.Warn(fmt.Sprintf("%d lines dropped: the plugin prints more than %d a second", o.dropped, o.limit))
		o.dropped = 0
	}
}

// end logs what is left to say of a process that has ended.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.summarize()
}

// record logs one line of standard error.
func (o *output) record(line []byte) {
	message, level, fields, ok := parseRecord(line)
	if !ok {
		level = slog.LevelDebug
		if o.inPanic {
			level = slog.LevelError
		}
		o.log.Log(context.Background(), level, o.text(string(line)))
		return
	}
	if !o.log.Enabled(context.Background(), level) {
		return
	}
	message = o.text(message)
	left := maxRecord - len(message)
	var attrs []slog.Attr
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		value, room := fields[key], max(left-len(key), 0)
		if text, ok := value.(string); ok {
			value = cut(o.redact(text), room)
		} else if raw, err := json.Marshal(value); err == nil && (len(raw) > 32 || raw[0] == '{' || raw[0] == '[') {
			value = cut(o.redact(string(raw)), room)
		}
		if left -= len(key) + len(fmt.Sprint(value)); left < 0 {
			break
		}
		switch key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin", "pid":
			key = "plugin_" + key // ours are what they say
		}
		attrs = append(attrs, slog.Any(key, value))
	}
	o.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (o *output) text(s string) string {
	return cut(o.redact(strings.ToValidUTF8(s, "\uFFFD")), maxRecord)
}

// parseRecord takes a line in hclog's form apart.
func parseRecord(line []byte) (message string, level slog.Level, fields map[string]any, ok bool) {
	if line[0] != '{' {
		return "", 0, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil || d.More() {
		return "", 0, nil, false
	}
	if message, ok = fields["@message"].(string); !ok {
		return "", 0, nil, false
	}
	name, _ := fields["@level"].(string)
	switch name {
	case "error":
		level = slog.LevelError
	case "warn":
		level = slog.LevelWarn
	case "info":
		level = slog.LevelInfo
	default:
		level = slog.LevelDebug
	}
	for _, key := range []string{"@message", "@level", "@timestamp", "@module"} {
		delete(fields, key)
	}
	return message, level, fields, true
}

// lastWords is what tells most of why the process ended: the line that a panic started with where it ended by
// one, else the last line. Empty where it printed nothing.
func (o *output) lastWords(byPanic bool) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	line := o.panicked
	if !byPanic || line == "" {
		if o.count == 0 {
			return ""
		}
		line = string(o.last[(o.count-1)%keptLines])
		if message, _, _, ok := parseRecord([]byte(line)); ok {
			line = message
		}
	}
	return cut(o.text(line), 300)
}

// tail is the newest lines of standard error, oldest first.
func (o *output) tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for i := max(0, o.count-keptLines); i < o.count; i++ {
		out = append(out, o.text(string(o.last[i%keptLines])))
	}
	return out
}

// writer returns a writer whose lines go where each takes them, for what comes over the connection.
func (o *output) writer(each func([]byte)) io.Writer { return &lineWriter{each: each} }

// lineWriter cuts a stream into lines. It is for one goroutine.
type lineWriter struct {
	each func([]byte)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i >= 0 {
			w.rest = append(w.rest, b[:i]...)
			b = b[i+1:]
		} else {
			w.rest = append(w.rest, b...)
		}
		if i >= 0 || len(w.rest) >= maxLine {
			if line := bytes.TrimRight(w.rest, "\r"); len(line) > 0 {
				w.each(line)
			}
			w.rest = w.rest[:0]
		}
		if i < 0 {
			return n, nil
		}
	}
}
