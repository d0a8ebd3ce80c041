package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestDamagedFolder cuts the files of a data folder: every command says so in one line and ends with a status
// that is not zero, and no process dies of it.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	good := newHouse(t)
	good.serve()
	good.shops()
	good.stop()
	line := regexp.MustCompile(`^shophand: [^\n]*\n$`)
	for _, file := range folderFiles() {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if err := os.CopyFS(h.data, os.DirFS(good.data)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(h.data, "key"), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(h.data, file)
			if err := os.Truncate(path, int64(3*os.Getpagesize())); err != nil {
				t.Fatal(err)
			}
			commands := [][]string{{"serve"}, {"run", "list"}}
			if file == "intake.db" { // commands do not need it
				commands = commands[:1]
			}
			for _, command := range commands {
				stdout, stderr, err := h.try(command...)
				if err == nil || !line.MatchString(stderr) || !regexp.MustCompile(regexp.QuoteMeta(file)+` is damaged: \d+ of its \d+ bytes are missing; restore it from a backup`).MatchString(stderr) {
					t.Errorf("%v: %v\n%s%s", command, err, stdout, stderr)
				}
			}
		})
	}
}
