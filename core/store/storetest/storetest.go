// Package storetest is the conformance suite of store.Store: whatever keeps shops, connections, flows and the
// data of plugins must pass it.
package storetest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
)

// Open opens the store that is in a folder, or makes it there. What it encrypts, it encrypts with a key of 32
// bytes that are all the given one. The suite closes the store, and opens folders again.
type Open func(dir string, key byte) (store.Store, error)

// Exercise runs the suite.
func Exercise(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"shops":                                  shops,
		"connections":                            connections,
		"a shop goes with its connections":       removal,
		"flows":                                  flows,
		"versions of flows stay":                 versions,
		"generation":                             generation,
		"secrets are not readable at rest":       secretsAtRest,
		"another key":                            anotherKey,
		"plugin data":                            pluginData,
		"plugin data is listed in pages":         pages,
		"plugin data is apart":                   apart,
		"writes are atomic":                      atomicWrites,
		"a key is applied once":                  once,
		"limits":                                 limits,
		"versions are never given twice":         versionsGrow,
		"parallel increments lose none":          increments,
		"one key at once from many is one":       onceFromMany,
		"what was written is there after a stop": reopened,
		"what has ended says so":                 ended,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// must opens the store, or fails the test, and closes it at the end.
func must(t *testing.T, open Open, dir string) store.Store {
	t.Helper()
	s, err := open(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // some tests close it themselves
	return s
}

// noError fails the test at the first error.
func noError(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// says checks that err wraps want and names what it is about.
func says(t *testing.T, err, want error, parts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not name %q", err, part)
		}
	}
}

var (
	// addedAt is not in UTC and has nanoseconds: neither may matter.
	addedAt = time.Date(2026, 11, 22, 11, 0, 0, 123456789, time.FixedZone("CET", 3600))
	token   = sdk.Secret("shpat_the-token-of-tea")
	hook    = sdk.Secret("the-secret-of-its-webhooks")
)

func shop(name string) store.Shop {
	return store.Shop{
		Name: name, Platform: "shopify", URL: "https://" + name, APIURL: "http://127.0.0.1:9", Currency: "EUR",
		Timezone: "Europe/Berlin", AddedAt: addedAt,
		Credentials:    map[string]sdk.Secret{"token": token, "odd \"name\"": "\x00 <&> ü"},
		WebhookSecrets: []sdk.Secret{hook, "older"},
	}
}

// grep looks for text in every file below a folder.
func grep(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		found = found || bytes.Contains(raw, []byte(text))
		return err
	})
	noError(t, err)
	return found
}
