package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/engine"
)

// folderFormat names the data folder that -update makes. A change of a format that is stored makes a new one;
// those before stay as they are, and must open for ever.
const folderFormat = "1"

var update = flag.Bool("update", false, "make the data folder of the present format anew")

// folderFiles are what is kept of a data folder.
func folderFiles() []string { return []string{"intake.db", "engine.db", "store.db"} }

// folderExpectation says what a kept data folder holds, and what must come of it.
type folderExpectation struct {
	Runs     map[string]folderRun `json:"runs"`     // by id
	Requests []folderRequest      `json:"requests"` // that the runs still have to make
	Balance  int64                `json:"balance"`  // of customer 7 in the end
	Rejected string               `json:"rejected"` // id of an event that was
}

type folderRun struct {
	Flow    string `json:"flow"`
	Version string `json:"version"`
	Shop    string `json:"shop"`
	Status  string `json:"status"` // when the folder was kept; in the end all have succeeded
}

type folderRequest struct {
	Path string `json:"path"`
	ID   string `json:"id"`
	Key  string `json:"key"` // "" where the step had not begun
}

// TestFolders opens the data folders of all formats that there ever were. Runs that wait in them go on, on the
// versions of their flows, under the keys that they had.
func TestFolders(t *testing.T) {
	if *update {
		makeFolder(t, filepath.Join("testdata", "folders", folderFormat))
	}
	t.Parallel()
	folders, err := filepath.Glob("testdata/folders/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("there is no data folder to open", err)
	}
	for _, folder := range folders {
		t.Run("format "+filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			openFolder(t, folder)
		})
	}
}

func openFolder(t *testing.T, folder string) {
	var want folderExpectation
	raw, err := os.ReadFile(filepath.Join(folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	sink := newSink(t)
	h := newHouse(t)
	placeKey(t, h)
	for _, name := range folderFiles() {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(h.data, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	// Before a host runs: what is in it can be read, secrets too.
	runs := listed[engine.Run](h, "run", "list", "--limit", "100")
	if len(runs) != len(want.Runs) {
		t.Errorf("the folder holds %d runs, want %d", len(runs), len(want.Runs))
	}
	for _, r := range runs {
		if got := (folderRun{r.Flow, r.Version, r.Shop, string(r.Status)}); got != want.Runs[r.ID] {
			t.Errorf("run %s is %+v, want %+v", r.ID, got, want.Runs[r.ID])
		}
	}
	if e := shown[engine.Event](h, "event", "show", want.Rejected); e.Outcome != engine.Rejected || e.Delivery == nil {
		t.Errorf("the rejected event is %+v", e)
	}
	for _, shop := range []string{shopifyShop, wooShop} {
		if connections := h.run("connection", "list", "--shop", shop); !strings.Contains(connections, `"headers":"***"`) {
			t.Errorf("the connections of %s are %s", shop, connections)
		}
		h.run("connection", "set", "http", "--shop", shop, "base_url="+sink.URL())
	}

	h.serve()
	for id := range want.Runs {
		if !within(patience, func() bool { return shown[engine.Run](h, "run", "show", id).Status.Over() }) {
			t.Errorf("run %s does not end", id)
		}
		if r := shown[engine.Run](h, "run", "show", id); r.Status != "succeeded" || r.Version != want.Runs[id].Version {
			t.Errorf("run %s has ended as %s %s on version %s", id, r.Status, r.Reason, r.Version)
		}
	}
	for _, request := range want.Requests {
		found := 0
		for _, r := range sink.byID()[request.ID] {
			if r.Path == request.Path && r.Key != "" && (request.Key == "" || r.Key == request.Key) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the request %+v was made %d times, of %+v", request, found, sink.all())
		}
	}
	if len(sink.all()) != len(want.Requests) {
		t.Errorf("%d requests were made, want %d", len(sink.all()), len(want.Requests))
	}

	// And it works on: what came before is a duplicate, what is new runs on the flow's present version.
	h.accepted(fromShopify("orders/create", shopifyOrder(701, "#701", "50.00").json(t)))
	h.accepted(fromShopify("orders/create", shopifyOrder(799, "#799", "50.00").json(t)))
	if !within(patience, func() bool { return len(sink.byID()["799"]) == 1 }) {
		t.Error("a new order runs nothing")
	}
	for _, r := range sink.byID()["799"] {
		if r.Path != "/second" {
			t.Errorf("the new order went to %s, which is not the flow's present version", r.Path)
		}
	}
	if n := len(listed[engine.Event](h, "event", "list", "--type", "order.created", "--status", "duplicate")); n < 1 {
		t.Error("an order that the folder knows is not a duplicate")
	}
	h.run("flow", "run", "points", "--shop", shopifyShop)
	points := h.finished("points", 1)[0]
	var balance struct{ Balance int64 }
	if err := json.Unmarshal(shown[engine.Run](h, "run", "show", points.ID).Steps[0].Output, &balance); err != nil || balance.Balance != want.Balance {
		t.Errorf("the points have come to %d, want %d: %v", balance.Balance, want.Balance, err)
	}
}

// placeKey gives a house the key under which the kept folders are encrypted. It protects nothing else.
func placeKey(t *testing.T, h *house) {
	t.Helper()
	key := base64.StdEncoding.EncodeToString([]byte("the key of all kept data folders"))
	if err := errors.Join(os.MkdirAll(h.data, 0o700), os.WriteFile(filepath.Join(h.data, "key"), []byte(key+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// makeFolder keeps a data folder with runs that wait for time, and runs whose action fails and is tried again.
func makeFolder(t *testing.T, folder string) {
	h := newHouse(t)
	placeKey(t, h)
	h.serve()
	h.shops()
	for _, shop := range []string{shopifyShop, wooShop} { // nobody listens on port 9
		h.run("connection", "set", "http", "--shop", shop, "base_url=http://127.0.0.1:9", "headers.Authorization=Bearer of-the-folder")
	}
	h.flow("flow: points\non: manual\nsteps:\n  - do: loyalty/balance\n    with: {customer: \"7\"}\n")
	h.flow(`flow: give
on: order.created
if: order.total < 10
steps:
  - do: loyalty/award
    with: {customer: "${customer.id}", amount: "${order.total}"}
`)
	h.flow(`flow: tries
on: order.created
if: order.total >= 100
steps:
  - do: http/request
    retry: {attempts: 100, within: 36500d}
    with: {method: POST, url: /tries, json: {id: "${order.id}", total: "${order.total}"}}
  - do: loyalty/award
    with: {customer: "${customer.id}", amount: "${order.total}"}
`)
	waits := `flow: waits
on: order.created
if: order.total >= 10 && order.total < 100
steps:
  - wait: WAIT
  - for_each: order.line_items
    as: item
    steps:
      - do: http/request
        with: {method: POST, url: /PATH, json: {id: "${order.id}", title: "${item.title}"}}
`
	// Short enough to be over when the folder is opened, long enough for the folder to be kept before.
	h.flow(strings.NewReplacer("WAIT", "30s", "PATH", "first").Replace(waits))

	h.accepted(fromShopify("orders/create", shopifyOrder(700, "#700", "5.00").json(t)))
	h.accepted(fromShopify("orders/create", shopifyOrder(701, "#701", "50.00").json(t)))
	h.accepted(fromWoo("order.created", wooOrder(702, "702", "60.00").json(t)))
	h.accepted(fromShopify("orders/create", shopifyOrder(703, "#703", "120.00").json(t)))
	h.accepted(fromWoo("order.created", wooOrder(704, "704", "130.00").json(t)))
	h.accepted(fromShopify("orders/create", shopifyOrder(700, "#700", "5.00").json(t)))
	h.accepted(fromWoo("order.created", []byte("{nope")))
	h.finished("give", 1)

	want := folderExpectation{Runs: map[string]folderRun{}, Balance: 5 + 120}
	for _, id := range []string{"701", "702"} {
		want.Requests = append(want.Requests, folderRequest{Path: "/first", ID: id})
	}
	for _, shop := range []string{shopifyShop, wooShop} {
		if !within(patience, func() bool {
			return len(listed[engine.Run](h, "run", "list", "--flow", "waits", "--shop", shop, "--status", "waiting")) == 1
		}) {
			t.Fatalf("no run of %s waits", shop)
		}
		if !within(patience, func() bool {
			for _, r := range listed[engine.Run](h, "run", "list", "--flow", "tries", "--shop", shop) {
				if step := shown[engine.Run](h, "run", "show", r.ID).Steps[0]; step.Attempts >= 2 {
					want.Requests = append(want.Requests, folderRequest{Path: "/tries", ID: r.Subject, Key: step.IdempotencyKey})
					return true
				}
			}
			return false
		}) {
			t.Fatalf("no run of %s tries again", shop)
		}
	}
	h.flow(strings.NewReplacer("WAIT", "1s", "PATH", "second").Replace(waits)) // those that wait stay on the first
	h.stop()

	for _, r := range listed[engine.Run](h, "run", "list", "--limit", "100") {
		want.Runs[r.ID] = folderRun{r.Flow, r.Version, r.Shop, string(r.Status)}
	}
	want.Rejected = listed[engine.Event](h, "event", "list", "--rejected")[0].ID
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range folderFiles() {
		compact(t, filepath.Join(h.data, name), filepath.Join(folder, name))
	}
	raw, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "expected.json"), append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compact copies a bbolt file without the room in it.
func compact(t *testing.T, from, to string) {
	t.Helper()
	src, err := bbolt.Open(from, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(to)
	dst, err := bbolt.Open(to, 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bbolt.Compact(dst, src, 1<<20), dst.Close(), src.Close()); err != nil {
		t.Fatal(err)
	}
}
