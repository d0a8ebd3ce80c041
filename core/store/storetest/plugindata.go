package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk/wire"
)

// put writes one entry, whatever is there, under a key of its own, and returns its version.
func put(t *testing.T, s store.Store, plugin, shop, key, value string) uint64 {
	t.Helper()
	data := s.PluginData(plugin, shop)
	item, err := data.Get(t.Context(), key)
	noError(t, err)
	once := fmt.Sprintf("put %s %d", key, item.Version)
	_, err = s.ApplyOnce(t.Context(), plugin, shop, once, []wire.Write{{Key: key, Value: json.RawMessage(value), Version: item.Version}}, json.RawMessage(`{}`))
	noError(t, err)
	item, err = data.Get(t.Context(), key)
	noError(t, err)
	if string(item.Value) != value || item.Version == 0 || item.Key != key {
		t.Fatalf("written as %s, read as %+v", value, item)
	}
	return item.Version
}

func pluginData(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	data := s.PluginData("loyalty", "tea")
	for _, key := range []string{"account/7", "", strings.Repeat("k", store.MaxKey+1)} {
		if item, err := data.Get(ctx, key); err != nil || item.Version != 0 || item.Value != nil || item.Key != key {
			t.Errorf("an absent entry is %+v, %v", item, err)
		}
	}
	if list, err := data.List(ctx, "", "", 10); err != nil || len(list) != 0 {
		t.Errorf("of nothing, a list is %v, %v", list, err)
	}
	first := put(t, s, "loyalty", "tea", "account/7", `{"points":5}`)
	second := put(t, s, "loyalty", "tea", "account/7", `{"points":6}`)
	if second == first {
		t.Errorf("a changed entry still has version %d", first)
	}
	longest := strings.Repeat("k", store.MaxKey)
	put(t, s, "loyalty", "tea", longest, `"`+strings.Repeat("v", store.MaxValue-2)+`"`)
	_, err := s.ApplyOnce(ctx, "loyalty", "tea", "delete", []wire.Write{{Key: "account/7", Delete: true, Version: second}}, json.RawMessage(`{}`))
	noError(t, err)
	if item, err := data.Get(ctx, "account/7"); err != nil || item.Version != 0 {
		t.Errorf("a deleted entry is %+v, %v", item, err)
	}
}

func pages(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	var all []string
	var writes []wire.Write
	for i := range 25 {
		key := fmt.Sprintf("entry/7/%03d", i)
		all = append(all, key)
		writes = append(writes, wire.Write{Key: key, Value: json.RawMessage(strconv.Itoa(i))})
	}
	for _, key := range []string{"entry/7", "entry/70/000", "entry/6/999", "f", "a", "entry/7/\xff"} {
		writes = append(writes, wire.Write{Key: key, Value: json.RawMessage(`0`)})
	}
	all = append(all, "entry/7/\xff")
	_, err := s.ApplyOnce(ctx, "loyalty", "tea", "fill", writes, json.RawMessage(`{}`))
	noError(t, err)
	data := s.PluginData("loyalty", "tea")
	for _, limit := range []int{1, 7, 26, 100} {
		var got []string
		after := ""
		for {
			page, err := data.List(ctx, "entry/7/", after, limit)
			noError(t, err)
			if len(page) > limit {
				t.Fatalf("a page of %d has %d entries", limit, len(page))
			}
			if len(page) == 0 {
				break
			}
			for _, item := range page {
				got = append(got, item.Key)
				if item.Version == 0 || item.Value == nil {
					t.Errorf("listed as %+v", item)
				}
			}
			after = page[len(page)-1].Key
		}
		if !reflect.DeepEqual(got, all) {
			t.Errorf("in pages of %d: %q", limit, got)
		}
	}
	for name, test := range map[string]struct {
		prefix, after string
		limit, want   int
	}{
		"after the whole prefix":     {"entry/7/", "entry/8", 10, 0},
		"after what comes before":    {"entry/7/", "a", 100, 26},
		"after a key that is none":   {"entry/7/", "entry/7/0105", 100, 15},
		"everything":                 {"", "", 100, 31},
		"nothing with that prefix":   {"entry/5", "", 10, 0},
		"a limit of nothing":         {"", "", 0, 0},
		"a limit below nothing":      {"", "", -1, 0},
		"a prefix that is no letter": {"\xff", "", 10, 0},
	} {
		if got, err := data.List(ctx, test.prefix, test.after, test.limit); err != nil || len(got) != test.want {
			t.Errorf("%s: %d entries, %v; want %d", name, len(got), err, test.want)
		}
	}
}

// apart writes the same key of several plugins and shops, names that begin alike among them.
func apart(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	owners := [][2]string{{"loyalty", "tea"}, {"loyalty", "tea2"}, {"loyalty2", "tea"}, {"http", "tea"}, {"loyal", "tytea"}}
	for _, o := range owners {
		value := json.RawMessage(`"` + o[0] + o[1] + `"`)
		out, err := s.ApplyOnce(ctx, o[0], o[1], "same key", []wire.Write{{Key: "same", Value: value}}, value)
		if err != nil || !bytes.Equal(out, value) {
			t.Errorf("%v: %s, %v", o, out, err)
		}
	}
	for _, o := range owners {
		want := `"` + o[0] + o[1] + `"`
		if item, err := s.PluginData(o[0], o[1]).Get(ctx, "same"); err != nil || string(item.Value) != want {
			t.Errorf("%v reads %s, %v", o, item.Value, err)
		}
		if list, err := s.PluginData(o[0], o[1]).List(ctx, "", "", 10); err != nil || len(list) != 1 {
			t.Errorf("%v lists %v, %v", o, list, err)
		}
		if out, ok, err := s.Applied(ctx, o[0], o[1], "same key"); err != nil || !ok || string(out) != want {
			t.Errorf("%v has applied %s, %v, %v", o, out, ok, err)
		}
	}
}

func atomicWrites(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	version := put(t, s, "p", "tea", "there", `1`)
	for name, writes := range map[string][]wire.Write{
		"must be absent and is there":  {{Key: "new", Value: json.RawMessage(`1`)}, {Key: "there", Value: json.RawMessage(`2`)}},
		"must be there and is absent":  {{Key: "new", Value: json.RawMessage(`1`)}, {Key: "absent", Value: json.RawMessage(`2`), Version: 1}},
		"has another version":          {{Key: "there", Value: json.RawMessage(`2`), Version: version}, {Key: "there", Value: json.RawMessage(`3`), Version: version + 1}},
		"a deletion of what is absent": {{Key: "new", Value: json.RawMessage(`1`)}, {Key: "absent", Delete: true, Version: 7}},
	} {
		_, err := s.ApplyOnce(ctx, "p", "tea", name, writes, json.RawMessage(`{}`))
		says(t, err, store.ErrConflict)
		if _, ok, err := s.Applied(ctx, "p", "tea", name); err != nil || ok {
			t.Errorf("%s: the key counts as applied: %v", name, err)
		}
	}
	list, err := s.PluginData("p", "tea").List(ctx, "", "", 10)
	noError(t, err)
	if len(list) != 1 || string(list[0].Value) != `1` || list[0].Version != version {
		t.Errorf("a conflict has changed the data to %+v", list)
	}
	// After a conflict the action is invoked anew, under the same key.
	out, err := s.ApplyOnce(ctx, "p", "tea", "has another version", []wire.Write{{Key: "there", Value: json.RawMessage(`4`), Version: version}}, json.RawMessage(`"second"`))
	if err != nil || string(out) != `"second"` {
		t.Errorf("after a conflict: %s, %v", out, err)
	}
}

func once(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	if out, ok, err := s.Applied(ctx, "p", "tea", "key"); err != nil || ok || out != nil {
		t.Errorf("a key that nobody used: %s, %v, %v", out, ok, err)
	}
	write := func(value string, version uint64) []wire.Write {
		return []wire.Write{{Key: "a", Value: json.RawMessage(value), Version: version}}
	}
	out, err := s.ApplyOnce(ctx, "p", "tea", "key", write(`1`, 0), json.RawMessage(`"first"`))
	if err != nil || string(out) != `"first"` {
		t.Fatalf("%s, %v", out, err)
	}
	before, err := s.PluginData("p", "tea").Get(ctx, "a")
	noError(t, err)
	// Neither what it would write nor whether that could be written matters the second time.
	for _, version := range []uint64{0, before.Version, 77} {
		out, err = s.ApplyOnce(ctx, "p", "tea", "key", write(`2`, version), json.RawMessage(`"second"`))
		if err != nil || string(out) != `"first"` {
			t.Errorf("the same key again: %s, %v", out, err)
		}
	}
	if after, err := s.PluginData("p", "tea").Get(ctx, "a"); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("the same key again has changed %+v to %+v, %v", before, after, err)
	}
	if out, ok, err := s.Applied(ctx, "p", "tea", "key"); err != nil || !ok || string(out) != `"first"` {
		t.Errorf("applied: %s, %v, %v", out, ok, err)
	}
	// Without writes, and even without an output, a key is used up.
	for range 2 {
		if out, err = s.ApplyOnce(ctx, "p", "tea", "nothing", nil, nil); err != nil || len(out) != 0 {
			t.Errorf("nothing gives %s, %v", out, err)
		}
	}
	if _, ok, err := s.Applied(ctx, "p", "tea", "nothing"); err != nil || !ok {
		t.Errorf("a key without writes is not kept: %v, %v", ok, err)
	}
	large := json.RawMessage(`"` + strings.Repeat("x", wire.MaxOutput-2) + `"`)
	if out, err = s.ApplyOnce(ctx, "p", "tea", "large", nil, large); err != nil || !bytes.Equal(out, large) {
		t.Errorf("the largest output: %d bytes, %v", len(out), err)
	}
}

func limits(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	many := func(n int) (writes []wire.Write) {
		for i := range n {
			writes = append(writes, wire.Write{Key: fmt.Sprintf("many/%03d", i), Value: json.RawMessage(`0`)})
		}
		return writes
	}
	for name, test := range map[string]struct {
		writes []wire.Write
		says   string
	}{
		"too many":        {many(store.MaxWrites + 1), "257 writes"},
		"a long key":      {[]wire.Write{{Key: "good"}, {Key: strings.Repeat("k", store.MaxKey+1), Value: json.RawMessage(`0`)}}, "513 bytes"},
		"an empty key":    {[]wire.Write{{Key: "", Value: json.RawMessage(`0`)}}, "empty key"},
		"a large value":   {[]wire.Write{{Key: "k", Value: make(json.RawMessage, store.MaxValue+1)}}, "65537 bytes"},
		"a key deleted":   {[]wire.Write{{Key: strings.Repeat("k", store.MaxKey+1), Delete: true}}, "513 bytes"},
		"none but a name": {[]wire.Write{{Key: "good", Value: json.RawMessage(`0`)}, {}}, "empty key"},
	} {
		_, err := s.ApplyOnce(ctx, "p", "tea", name, test.writes, json.RawMessage(`{}`))
		says(t, err, store.ErrTooLarge, test.says)
		if len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
		if _, ok, err := s.Applied(ctx, "p", "tea", name); err != nil || ok {
			t.Errorf("%s: the key counts as applied: %v", name, err)
		}
	}
	if list, err := s.PluginData("p", "tea").List(ctx, "", "", 10); err != nil || len(list) != 0 {
		t.Errorf("what is over a limit has written %v, %v", list, err)
	}
	_, err := s.ApplyOnce(ctx, "p", "tea", "as many as can be", many(store.MaxWrites), json.RawMessage(`{}`))
	noError(t, err)
}

// versionsGrow deletes an entry and makes it anew: whoever read the old one must not write over the new one.
func versionsGrow(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	old := put(t, s, "p", "tea", "a", `"old"`)
	_, err := s.ApplyOnce(ctx, "p", "tea", "delete", []wire.Write{{Key: "a", Delete: true, Version: old}}, json.RawMessage(`{}`))
	noError(t, err)
	_, err = s.ApplyOnce(ctx, "p", "tea", "make", []wire.Write{{Key: "a", Value: json.RawMessage(`"new"`)}}, json.RawMessage(`{}`))
	noError(t, err)
	_, err = s.ApplyOnce(ctx, "p", "tea", "late", []wire.Write{{Key: "a", Value: json.RawMessage(`"late"`), Version: old}}, json.RawMessage(`{}`))
	says(t, err, store.ErrConflict)
}

// increments has many add to two counters at once, as actions do: read, write with the version that was read,
// and again after a conflict.
func increments(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	const workers, each = 8, 25
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for w := range workers {
		wg.Go(func() {
			data := s.PluginData("p", "tea")
			for i := 0; i < each; {
				var writes []wire.Write
				for _, key := range []string{"one", "two"} {
					item, err := data.Get(ctx, key)
					if err != nil {
						errs <- err
						return
					}
					n, _ := strconv.Atoi(string(item.Value)) // absent: 0
					writes = append(writes, wire.Write{Key: key, Value: json.RawMessage(strconv.Itoa(n + 1)), Version: item.Version})
				}
				_, err := s.ApplyOnce(ctx, "p", "tea", fmt.Sprintf("%d/%d", w, i), writes, json.RawMessage(`{}`))
				switch {
				case err == nil:
					i++
				case !errors.Is(err, store.ErrConflict):
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	for _, key := range []string{"one", "two"} {
		if item, err := s.PluginData("p", "tea").Get(ctx, key); err != nil || string(item.Value) != strconv.Itoa(workers*each) {
			t.Errorf("%s is %s after %d increments, %v", key, item.Value, workers*each, err)
		}
	}
}

// onceFromMany has one idempotency key applied by many at once: all get the output of the one that was first.
func onceFromMany(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	const workers = 16
	for round := range 10 {
		outputs, errs := make([]string, workers), make([]error, workers)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				key := fmt.Sprintf("entry/%d/%d", round, w)
				out, err := s.ApplyOnce(ctx, "p", "tea", fmt.Sprintf("round %d", round), []wire.Write{{Key: key, Value: json.RawMessage(`1`)}}, json.RawMessage(strconv.Itoa(w)))
				outputs[w], errs[w] = string(out), err
			})
		}
		wg.Wait()
		noError(t, errs...)
		for _, out := range outputs {
			if out != outputs[0] {
				t.Fatalf("one key gave the outputs %q", outputs)
			}
		}
		list, err := s.PluginData("p", "tea").List(ctx, fmt.Sprintf("entry/%d/", round), "", workers)
		noError(t, err)
		if len(list) != 1 || !strings.HasSuffix(list[0].Key, "/"+outputs[0]) {
			t.Errorf("the output is that of %s, the writes are %+v", outputs[0], list)
		}
	}
}
