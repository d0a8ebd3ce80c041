package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestPluginsAreProcesses looks at whose connection a plugin's request comes over: that of a process of its own
// below the host, which sees nothing of the host's environment.
func TestPluginsAreProcesses(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	var mu sync.Mutex
	owners := map[int]bool{}
	sink.onTake = func(r received) { // while the connection is open
		owner := ownerOf(r.Peer, sink.port)
		mu.Lock()
		defer mu.Unlock()
		owners[owner] = true
	}
	h := newHouse(t)
	h.serve()
	h.shops()
	h.flow(`flow: tell
on: order.created
steps:
  - do: http/request
    with: {method: POST, url: "` + sink.URL() + `/tell", json: {id: "${order.id}"}}
`)
	for i := range int64(3) {
		h.accepted(fromShopify("orders/create", shopifyOrder(1+i, fmt.Sprint("#", i), "10.00").json(t)))
		h.finished("tell", int(i)+1)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(owners) != 1 || owners[0] {
		t.Fatalf("the requests came from the processes %v, want one", owners)
	}
	for owner := range owners {
		if owner == h.cmd.Process.Pid || !slices.Contains(descendants(h.cmd.Process.Pid), owner) {
			t.Errorf("the http plugin runs in process %d, which is not one below the host's %d", owner, h.cmd.Process.Pid)
		}
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", owner))
		if want := pluginProcess + "\x00http\x00"; !strings.HasSuffix(string(command), want) {
			t.Errorf("it was started as %q", command)
		}
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", owner))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{appSecret, adminToken, "SHOPIFY_API_SECRET", "SHOPHAND_ADMIN_TOKEN", "SHOPHAND_DATA"} {
			if strings.Contains(string(environment), secret) {
				t.Errorf("its environment holds %s", secret)
			}
		}
	}
}
