// Package enginetest is the conformance suite of engine.Engine: whatever carries runs must pass it. It has what
// such tests need: flows, shops, events of orders, and an invoker that records what it is asked for.
package enginetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/shophand/shophand/core/engine"
)

// Options of an engine under test.
type Options struct {
	// Dir is the folder for what the engine keeps.
	Dir     string
	Flows   engine.Flows
	Shops   engine.Shops
	Invoker engine.Invoker
	// PerPlugin bounds the attempts at work at one plugin; the engine's own bound where 0.
	PerPlugin int
}

// Open opens the engine in a folder, or fails the test. It is called in a bubble of testing/synctest, whose
// clock the engine must go by; the suite opens folders again, and copies of folders that were made while an
// engine was at rest. It closes each engine before the cleanups that Open registers run.
type Open func(t testing.TB, o Options) engine.Engine

// Exercise runs the suite. Each test is a bubble, so one that leaves a goroutine behind fails.
func Exercise(t *testing.T, open Open) {
	for name, test := range map[string]func(*world){
		"has what it accepted on disk":                                     survives,
		"passes over arrivals that it has had":                             positions,
		"starts a flow once per event":                                     once,
		"starts nothing for what was before the connection":                connected,
		"lets a newer update supersede an older one and nothing else":      supersedes,
		"keeps what is rejected until it is understood":                    rejects,
		"does not take the deletion of one kind for another's":             mistakes,
		"tells why a flow did not start":                                   skips,
		"fails a run whose condition cannot be evaluated":                  unevaluated,
		"ends runs as their steps do":                                      ends,
		"retries under the same key":                                       retries,
		"comes again when it was told to":                                  comesAgain,
		"lets a person decide what is unsafe and repeats the rest":         unknown,
		"refuses an output that is not JSON":                               notJSON,
		"hands a step what it needs":                                       hands,
		"carries a long loop through":                                      longLoop,
		"finishes a run on the version it started with":                    versions,
		"replays as new runs with new keys":                                replays,
		"starts by hand":                                                   byHand,
		"never fires a timer early":                                        timersOnTime,
		"fires the earliest of many timers first":                          timersInOrder,
		"fires overdue timers after a restart":                             timersOverdue,
		"serves shops in turn":                                             turns,
		"works a long backlog off":                                         backlog,
		"keeps room for others when one shop hangs":                        shopHangs,
		"keeps other plugins going when one hangs":                         pluginHangs,
		"takes what many give it at once":                                  concurrent,
		"drains when it is closed":                                         drains,
		"goes on with what did not finish before it was closed":            abandons,
		"never lets a run fail because the host crashed":                   crashes,
		"makes an attempt once when work comes while it takes up old work": resumesOnce,
		"does what it says when the caller gives up":                       givesUp,
		"takes nothing when it is closed":                                  closed,
		"lists the newest first":                                           lists,
		"says what it does not know":                                       notFound,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { test(newWorld(t, open, dir)) })
		})
	}
}

// Full tells whether tests run at their large size: SHOPHAND_TEST_SCALE=full.
func Full() bool { return strings.EqualFold(os.Getenv("SHOPHAND_TEST_SCALE"), "full") }

// Copy copies a folder's files, as a crash at this moment would leave them, to a new folder.
func Copy(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(from), filepath.Base(from)+"-copy")
	for _, err := os.Stat(to); err == nil; _, err = os.Stat(to) {
		to += "-copy"
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
