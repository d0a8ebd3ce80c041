package pluginhost

import (
	"encoding/json"
	"fmt"

	"github.com/shophand/shophand/sdk/wire"
)

// Limits of an answer besides those of package wire; the write limits are those that plugin.proto names.
const (
	maxWriteKey   = 512
	maxWriteValue = 64 << 10
	maxMessage    = 4 << 10 // of a failure; a longer one is cut
)

// checkResult returns a result in the form in which the host uses it, or says why the host does not take it.
func checkResult(r wire.Result) (wire.Result, error) {
	if r.Failure != nil {
		r.Failure.Message = cut(r.Failure.Message, maxMessage)
		return wire.Result{Failure: r.Failure}, nil
	}
	switch {
	case len(r.Output) == 0:
		r.Output = json.RawMessage("{}")
	case len(r.Output) > wire.MaxOutput:
		return wire.Result{}, fmt.Errorf("sent an output of %s; at most %s are taken", size(len(r.Output)), size(wire.MaxOutput))
	case !json.Valid(r.Output):
		return wire.Result{}, fmt.Errorf("sent an output that is not JSON: %s", cut(fmt.Sprintf("%q", cut(string(r.Output), 200)), 200))
	}
	for _, w := range r.Writes {
		switch {
		case w.Key == "" || len(w.Key) > maxWriteKey:
			return wire.Result{}, fmt.Errorf("sent a write whose key has %d bytes; it must have 1 to %d", len(w.Key), maxWriteKey)
		case w.Delete:
		case len(w.Value) > maxWriteValue:
			return wire.Result{}, fmt.Errorf("sent a write of %s to %q; at most %s are taken", size(len(w.Value)), w.Key, size(maxWriteValue))
		case !json.Valid(w.Value):
			return wire.Result{}, fmt.Errorf("sent a write to %q that is not JSON", w.Key)
		}
	}
	return r, nil
}

// checkDescription makes sure that a description is the plugin's own and can be shown as JSON.
func checkDescription(name string, d wire.Description) error {
	if d.Name != name {
		return fmt.Errorf("it says that its name is %q", d.Name)
	}
	documents := map[string]json.RawMessage{"schema of its configuration": d.Config}
	for _, a := range d.Actions {
		documents["input schema of "+a.Name] = a.Input
		documents["output schema of "+a.Name] = a.Output
		for _, e := range a.Examples {
			documents[fmt.Sprintf("input of example %q of %s", e.Title, a.Name)] = e.Input
			documents[fmt.Sprintf("output of example %q of %s", e.Title, a.Name)] = e.Output
		}
	}
	for what, doc := range documents {
		if len(doc) > 0 && !json.Valid(doc) {
			return fmt.Errorf("the %s is not JSON", what)
		}
	}
	return nil
}

// cut returns at most n bytes of s, and says so where it is less than all.
func cut(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	if n -= len(mark); n < 0 {
		return ""
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return s[:n] + mark
}

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
