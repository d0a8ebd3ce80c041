package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/event"
)

// Run holds a connector to all rules of the package comment.
func Run(t *testing.T, s Subject) {
	t.Helper()
	if s.Redeliver == nil {
		s.Redeliver = func(h http.Header) http.Header { return h.Clone() }
	}
	t.Run("signature", func(t *testing.T) { t.Parallel(); signature(t, s) })
	t.Run("headers", func(t *testing.T) { t.Parallel(); headers(t, s) })
	seen := map[string]bool{}
	for _, c := range s.Cases {
		if seen[c.Name] {
			t.Fatalf("two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		kind := fmt.Sprint(s.Connector.KeepHeaders(c.Header)) // fmt sorts maps
		first := c.Error == "" && !seen[kind]
		seen[kind] = seen[kind] || first
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			d := s.delivery(c.Header, c.Body)
			events, err := Translate(t, s.Connector, d)
			if c.Error != "" {
				rejected(t, events, err, c.Error)
				return
			}
			if err != nil {
				t.Fatalf("rejected: %v", err)
			}
			if c.Check != nil {
				c.Check(t, events)
			}
			if !c.NoGolden {
				golden(t, c.Name, events, s.Update)
			}
			sayItOtherwise(t, s, c, events)
			hostile(t, s, c, first)
		})
	}
}

// delivery is what the host keeps of a request.
func (s Subject) delivery(h http.Header, body []byte) event.Delivery {
	return event.Delivery{
		Platform: s.Connector.Platform(), Shop: s.Shop, Header: s.Connector.KeepHeaders(h), Body: body,
		ReceivedAt: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC),
	}
}

func rejected(t *testing.T, events []event.Event, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || len(events) > 0 {
		t.Errorf("got %d events and the error %v, want none and an error with %q", len(events), err, want)
	}
}

// golden compares events, without their raw bodies, with testdata/name.golden.
func golden(t *testing.T, name string, events []event.Event, update bool) {
	t.Helper()
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(withoutRaw(events)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".golden")
	if update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s does not hold the events any more; see what -update changes\n%s", path, firstDifference(got.String(), string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "one is longer than the other"
}

func withoutRaw(events []event.Event) []event.Event {
	out := make([]event.Event, len(events))
	for i, e := range events {
		e.Raw = nil
		out[i] = e
	}
	return out
}

// sayItOtherwise checks that the same message in other words comes to the same events.
func sayItOtherwise(t *testing.T, s Subject, c Case, want []event.Event) {
	t.Helper()
	for how, body := range map[string][]byte{"white space": indented(c.Body), "order of keys": reordered(c.Body)} {
		if body == nil {
			continue // not JSON
		}
		got, err := Translate(t, s.Connector, s.delivery(c.Header, body))
		if err != nil {
			t.Errorf("with another %s: %v", how, err)
		} else if !reflect.DeepEqual(withoutRaw(got), withoutRaw(want)) {
			t.Errorf("with another %s the events differ\n%s", how, firstDifference(text(got), text(want)))
		}
	}
	again := s.delivery(s.Redeliver(c.Header), c.Body)
	again.ReceivedAt = again.ReceivedAt.Add(26 * time.Hour)
	got, err := Translate(t, s.Connector, again)
	if err != nil || len(got) != len(want) {
		t.Fatalf("delivered again: %d events, %v; want %d", len(got), err, len(want))
	}
	for i := range got {
		if got[i].Identity != want[i].Identity || got[i].Type != want[i].Type || got[i].Subject != want[i].Subject {
			t.Errorf("delivered again, the event %s has the identity %s, not %s", got[i].Type, got[i].Identity, want[i].Identity)
		}
	}
}

func text(events []event.Event) string {
	b, err := json.MarshalIndent(withoutRaw(events), "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// headers checks what is kept of a request's headers.
func headers(t *testing.T, s Subject) {
	body := []byte(`{"id":1}`)
	one, other := s.Sign(body, "one"), s.Sign(body, "other")
	kept := s.Connector.KeepHeaders(one)
	differ := 0
	for name, values := range one {
		if reflect.DeepEqual(values, other[name]) {
			continue
		}
		differ++
		for k, v := range kept {
			if http.CanonicalHeaderKey(k) == http.CanonicalHeaderKey(name) || strings.Contains(v, values[0]) {
				t.Errorf("the signature in %s is kept as %s", name, k)
			}
		}
	}
	if differ != 1 {
		t.Errorf("Sign changes %d headers with the secret, want 1", differ)
	}
	if len(kept) == 0 {
		t.Error("nothing is kept")
	}
	for name := range kept {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("%s is kept under a name that is not canonical", name)
		}
	}
	foreign := http.Header{"Authorization": {"Bearer x"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"192.0.2.1"}}
	if got := s.Connector.KeepHeaders(foreign); len(got) > 0 {
		t.Errorf("kept of a stranger's headers: %v", got)
	}
	if got := s.Connector.KeepHeaders(nil); len(got) > 0 {
		t.Errorf("kept of nothing: %v", got)
	}
	if !maps.Equal(kept, s.Connector.KeepHeaders(one)) {
		t.Error("the same headers are kept in two ways")
	}
}
