package demo

import (
	"net/http"
	"strings"
	"sync"
)

// gate stands in front of a vendor. It lets requests through, and holds answers back on request: what was asked
// for is done then, and who asked does not know it.
type gate struct {
	vendor http.Handler

	mu     sync.Mutex
	method string
	suffix string        // of the paths whose answers are held back
	opened chan struct{} // closed: nothing is held back
	held   int           // answers so far
}

func newGate(vendor http.Handler) *gate {
	g := &gate{vendor: vendor, opened: make(chan struct{})}
	close(g.opened)
	return g
}

// hold has answers to requests of a method, to paths with an end, wait until open.
func (g *gate) hold(method, suffix string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.method, g.suffix, g.opened, g.held = method, suffix, make(chan struct{}), 0
}

// holding returns how many answers have been held back since hold.
func (g *gate) holding() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

// open lets answers through from now on.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	if r.Method == g.method && strings.HasSuffix(r.URL.Path, g.suffix) {
		w = &heldAnswer{ResponseWriter: w, gate: g, opened: g.opened, request: r}
	}
	g.mu.Unlock()
	g.vendor.ServeHTTP(w, r)
}

// heldAnswer begins when its gate opens, or never where the caller is gone.
type heldAnswer struct {
	http.ResponseWriter
	gate    *gate
	opened  <-chan struct{}
	request *http.Request
}

func (h *heldAnswer) WriteHeader(status int) {
	select {
	case <-h.opened:
		h.ResponseWriter.WriteHeader(status)
		return
	default:
	}
	h.gate.mu.Lock()
	h.gate.held++
	h.gate.mu.Unlock()
	select {
	case <-h.opened:
		h.ResponseWriter.WriteHeader(status)
	case <-h.request.Context().Done():
		panic(http.ErrAbortHandler)
	}
}
