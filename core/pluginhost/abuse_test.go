//go:build unix

package pluginhost_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk/wire"
)

// TestAbuse has one plugin misbehave while another is in the middle of a call: the call that did it gets a clear
// reason of the right type, the next one works, and the other plugin does not notice.
func TestAbuse(t *testing.T) {
	t.Parallel()
	const ok, unknown, notStarted = "ok", "unknown", "not started"
	for name, c := range map[string]struct {
		action, input string
		within        time.Duration
		foreign       bool // a plugin without the SDK
		want, reason  string
		sameProcess   bool
	}{
		"panic in an action":      {action: "panic", want: unknown, reason: `^plugin victim broke while carrying out panic: .*panicked: boom$`, sameProcess: true},
		"panic in a goroutine":    {action: "panic_go", want: unknown, reason: `^plugin victim exited with status 2 while carrying out panic_go; last words: panic: boom in a goroutine`},
		"panic without the SDK":   {action: "panic", foreign: true, want: unknown, reason: `^plugin victim exited with status 2 while carrying out panic; last words: panic: boom`},
		"exit":                    {action: "exit", input: "7", want: unknown, reason: `^plugin victim exited with status 7 while carrying out exit; last words: bye$`},
		"killed":                  {action: "kill", want: unknown, reason: `^plugin victim was ended by signal: killed while carrying out kill`},
		"hang":                    {action: "hang", within: 200 * time.Millisecond, want: unknown, reason: `^plugin victim did not answer within 200ms$`, sameProcess: true},
		"frozen":                  {action: "freeze", within: 200 * time.Millisecond, want: unknown, reason: `^plugin victim did not answer within 200ms$`},
		"error instead of result": {action: "error", want: unknown, reason: `^plugin victim broke while carrying out error: broken inside$`, sameProcess: true},
		"says unavailable":        {action: "unavailable", want: unknown, reason: `carrying out unavailable: come back later$`, sameProcess: true},
		"says it is too late":     {action: "early", want: unknown, reason: `carrying out early: the vendor took too long$`, sameProcess: true},
		"answers 5 MiB":           {action: "bytes", input: fmt.Sprint(5 << 20), want: unknown, reason: `^plugin victim sent 5\.0 MiB; at most 4 MiB are taken$`, sameProcess: true},
		"answers 5 MiB unlimited": {action: "bytes", input: fmt.Sprint(5 << 20), foreign: true, want: unknown, reason: `^plugin victim sent 5\.0 MiB; at most 4 MiB are taken$`, sameProcess: true},
		"answers 2 MiB":           {action: "bytes", input: fmt.Sprint(2 << 20), want: unknown, reason: `^plugin victim sent an output of 2 MiB; at most 1 MiB are taken$`, sameProcess: true},
		"answers what is no JSON": {action: "not_json", want: unknown, reason: `^plugin victim sent an output that is not JSON: "{oops"$`, sameProcess: true},
		"answers nothing":         {action: "nothing", want: ok, reason: `^\{\}$`, sameProcess: true},
		"writes too much":         {action: "big_write", input: fmt.Sprint(65 << 10), want: unknown, reason: `^plugin victim sent a write of 65 KiB to "k"; at most 64 KiB are taken$`, sameProcess: true},
		"fails at length":         {action: "long_failure", input: fmt.Sprint(1 << 20), want: "failure", reason: `^internal: é+…$`, sameProcess: true},
		"takes 5 MiB":             {action: "size", input: `"` + strings.Repeat("x", 5<<20-2) + `"`, want: ok, reason: `^5242880$`, sameProcess: true},
		"is sent 9 MiB":           {action: "size", input: `"` + strings.Repeat("x", 9<<20-2) + `"`, want: notStarted, reason: `^plugin victim is not called: .* have 9 MiB together; at most 7.9 MiB are sent$`, sameProcess: true},
		"takes less than is sent": {action: "size", input: `"` + strings.Repeat("x", 5<<20-2) + `"`, foreign: true, want: notStarted, reason: `^plugin victim takes at most 4 MiB, and the attempt has 5\.0 MiB$`, sameProcess: true},
		"prints to stdout":        {action: "stdout", want: ok, reason: `^"printed"$`, sameProcess: true},
		"logs what hclog is not":  {action: "stderr", input: `"{\"@message\":5,\"@level\":{},\"@timestamp\":[]}\n{\"@message\":\"m\",\"@level\":7}\n{\n\n[]\u0000\n"`, want: ok, reason: `^"printed"$`, sameProcess: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			victim := builtin("victim")
			if c.foreign {
				victim = builtin("victim", "foreign")
			}
			h := newHost(t, pluginhost.Config{}, victim, builtin("other"))
			g := newGate()
			other := h.block("other", g)
			before := h.pid("victim")
			if c.input == "" {
				c.input = "null"
			}
			if c.within == 0 {
				c.within = patience
			}
			out, err := h.try(c.within, "victim", c.action, c.input)
			var failure *wire.Failure
			var text string
			switch c.want {
			case ok:
				if err != nil {
					t.Fatal(err)
				}
				text = out
			case "failure":
				if !errors.As(err, &failure) {
					t.Fatalf("got %v", err)
				}
				text = failure.Error()
			case unknown:
				u := asUnknown(t, err)
				text = u.Reason
				if u.Plugin != "victim" || u.Action != c.action || u.Error() != u.Reason {
					t.Errorf("got %#v", u)
				}
			case notStarted:
				text = asNotStarted(t, err).Reason
				if !asNotStarted(t, err).Permanent {
					t.Errorf("not permanent: %v", err)
				}
			}
			if !regexp.MustCompile(c.reason).MatchString(text) {
				t.Errorf("got %q, want %s", text, c.reason)
			}
			if !c.sameProcess {
				h.logs.wait(t, "plugin ended", `"plugin":"victim"`)
				waitGone(t, before, 0)
			}
			if got := h.must("victim", "echo", `"still here"`); got != `"still here"` {
				t.Errorf("next call got %s", got)
			}
			if after := h.pid("victim"); (after == before) != c.sameProcess {
				t.Errorf("process %d before, %d after", before, after)
			}
			close(g.opened)
			if err := receive(t, other, "the other plugin's call"); err != nil {
				t.Errorf("other plugin: %v", err)
			}
			if s := h.status("other"); s.Restarts != 0 || s.LastError != "" {
				t.Errorf("other plugin: %+v", s)
			}
		})
	}
}

// TestFlood has a plugin write to standard error as fast as it can: 8 MiB, or 1 GiB at full scale.
func TestFlood(t *testing.T) {
	t.Parallel()
	amount := 8 << 20
	if os.Getenv("SHOPHAND_TEST_SCALE") == "full" {
		amount = 1 << 30
	}
	const perSecond = 50
	h := newHost(t, pluginhost.Config{LogLines: perSecond}, builtin("victim"), builtin("other"))
	begun := time.Now()
	out, err := h.try(10*time.Minute, "victim", "flood", fmt.Sprint(amount))
	if err != nil || out != `"flooded"` {
		t.Fatal(out, err)
	}
	took := time.Since(begun)
	h.logs.wait(t, "lines dropped: the plugin prints more than 50 a second", `"plugin":"victim"`)
	if got, most := len(h.logs.all()), (int(took/time.Second)+2)*(perSecond+1)+10; got > most {
		t.Errorf("%d records in %s, want at most %d", got, took, most)
	}
	h.must("other", "echo", "1")
	h.must("victim", "echo", "1")
	t.Logf("%d MiB in %s, %d records", amount>>20, took, len(h.logs.all()))
}

func TestLogRecords(t *testing.T) {
	t.Parallel()
	redact := func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }
	h := newHost(t, pluginhost.Config{Redact: redact}, builtin("victim"))
	print := func(lines ...string) {
		t.Helper()
		raw, err := json.Marshal(strings.Join(lines, "\n") + "\n")
		if err != nil {
			t.Fatal(err)
		}
		h.must("victim", "stderr", string(raw))
	}
	print(`{"@level":"warn","@message":"low","@timestamp":"2026-11-22T12:00:00.000000Z","@module":"victim","n":12345678901234567890,"list":[1,"hunter2"],"plugin":"forged","token":"hunter2"}`,
		"plain hunter2", "[]\x00é", `{"@level":"error","@message":"`+strings.Repeat("m", 3<<10)+`","stack":"`+strings.Repeat("s", 10<<10)+`"}`, "panic: hunter2 is wrong", "goroutine 1:",
		`{"@level":"info","@message":"`+strings.Repeat("é", 3<<10)+`","a":"a","b":{"c":"`+strings.Repeat("c", 100)+`"}}`)
	for _, want := range [][]string{
		{`"level":"WARN"`, `"msg":"low"`, `"plugin":"victim"`, `"n":12345678901234567890`, `"list":"[1,\"***\"]"`, `"plugin_plugin":"forged"`, `"token":"***"`},
		{`"level":"DEBUG"`, `"msg":"plain ***"`, `"plugin":"victim"`},
		{`"level":"ERROR"`, "mmm", `"stack":"sss`, "…"},
		{`"level":"ERROR"`, `"msg":"panic: *** is wrong"`},
		{`"level":"ERROR"`, `"msg":"goroutine 1:"`},
		{`"level":"INFO"`, "éééé…"},
	} {
		if line := h.logs.wait(t, want...); len(line) > 5<<10 {
			t.Errorf("a record has %d bytes", len(line))
		}
	}
	h.must("victim", "stdout", "null")
	h.logs.wait(t, `"level":"DEBUG"`, `"msg":"printed on standard output: noise on standard output"`)
	h.logs.wait(t, `"level":"DEBUG"`, `"msg":"printed on standard output: raw noise"`)

	u := asUnknown(t, func() error { _, err := h.try(patience, "victim", "exit", "2"); return err }())
	if strings.Contains(u.Reason, "hunter2") || !strings.Contains(u.Reason, "panic: *** is wrong") {
		t.Errorf("reason: %s", u.Reason)
	}
	for _, line := range h.logs.all() {
		if strings.Contains(line, "hunter2") {
			t.Errorf("logged: %s", line)
		}
	}
}
