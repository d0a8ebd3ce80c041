package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shophand/shophand/core/host"
)

// patience bounds how long a test waits for another process: much longer than anything takes on a loaded
// machine.
const patience = 60 * time.Second

// TestScripts runs the commands as people do, by the scripts in testdata/script. `shophand` is the real one.
func TestScripts(t *testing.T) {
	t.Parallel()
	bin := linkedCommand(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			e.Setenv("SHOPHAND_TEST_MAIN", "1")
			e.Setenv("SHOPHAND_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("SHOPHAND_LISTEN", "127.0.0.1:0")
			e.Setenv("SHOPHAND_ALLOW_PRIVATE_HTTP", "1")
			e.Setenv("SHOPIFY_API_SECRET", appSecret)
			sink := newSink(e.T().(testing.TB))
			e.Setenv("SINK", sink.URL())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": scriptReady, "webhook": scriptWebhook, "eventually": scriptEventually, "fields": scriptFields, "let": scriptLet,
		},
	})
}

// linkedCommand returns a folder in which this test binary is named shophand.
func linkedCommand(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "shophand")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// scriptReady waits until the host on the data folder (or the given one) listens, and sets URL to its address
// and PID to its process.
func scriptReady(ts *testscript.TestScript, _ bool, args []string) {
	data := ts.Getenv("SHOPHAND_DATA")
	if len(args) > 0 {
		data = ts.MkAbs(args[0])
	}
	var running *host.Running
	if !within(patience, func() bool {
		running, _ = host.Find(data)
		return running != nil && answers(running.URL+"/readyz")
	}) {
		ts.Fatalf("no host is ready on %s", data)
	}
	ts.Setenv("URL", running.URL)
	ts.Setenv("PID", fmt.Sprint(running.PID))
}

// scriptWebhook sends a signed webhook with a file's content: webhook STATUS shopify|woocommerce SHOP TOPIC FILE
// [SECRET].
func scriptWebhook(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 5 {
		ts.Fatalf("usage: webhook STATUS PLATFORM SHOP TOPIC FILE [SECRET]")
	}
	d := delivery{platform: args[1], shop: args[2], topic: args[3], body: []byte(ts.ReadFile(args[4])), secret: appSecret}
	if args[1] == "woocommerce" {
		d.secret = wooSecret
	}
	if len(args) > 5 {
		d.secret = args[5]
	}
	status, text, err := d.send(ts.Getenv("URL"))
	if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("answered %d %s, want %s", status, text, args[0])
	}
}

// scriptEventually repeats a shophand command until its output matches: eventually REGEXP ARG….
func scriptEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP ARG…")
	}
	want, last := regexp.MustCompile("(?m)"+args[0]), ""
	if !within(patience, func() bool {
		_ = ts.Exec("shophand", args[1:]...)
		last = ts.ReadFile("stdout") + ts.ReadFile("stderr")
		return want.MatchString(last)
	}) {
		ts.Fatalf("%q never matched; last:\n%s", args[0], last)
	}
}

// scriptFields checks the shape of the JSON that the last command printed: fields array|object NAME…: exactly
// those fields, in every element.
func scriptFields(ts *testscript.TestScript, _ bool, args []string) {
	raw := []byte(ts.ReadFile("stdout"))
	var objects []map[string]json.RawMessage
	var err error
	if args[0] == "array" {
		err = json.Unmarshal(raw, &objects)
		if err == nil && len(objects) == 0 {
			ts.Fatalf("the array is empty")
		}
	} else {
		objects = make([]map[string]json.RawMessage, 1)
		err = json.Unmarshal(raw, &objects[0])
	}
	if err != nil {
		ts.Fatalf("stdout is no %s of objects: %v\n%s", args[0], err, raw)
	}
	want := slices.Sorted(slices.Values(args[1:]))
	for _, o := range objects {
		var got []string
		for name := range o {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			ts.Fatalf("it has the fields\n%s, want\n%s", strings.Join(got, " "), strings.Join(want, " "))
		}
	}
}

// scriptLet sets a variable to what a pattern finds in the last output: let NAME REGEXP, with one group.
func scriptLet(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("%q finds nothing in:\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}
