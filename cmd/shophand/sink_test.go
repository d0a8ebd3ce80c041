package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// received is a request that reached the sink.
type received struct {
	ID   string // of its JSON, "id"
	Key  string // Idempotency-Key
	Peer int    // the port it came from
	Path string
	Auth string
	Body []byte
}

// sink is a vendor that takes everything, on loopback.
type sink struct {
	listener net.Listener
	port     int

	mu       sync.Mutex
	requests []received
	onTake   func(received) // called before the answer; nil: nothing
}

func newSink(t testing.TB) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{listener: l, port: l.Addr().(*net.TCPAddr).Port}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *sink) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// ServeHTTP counts a request only when it is whole.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var doc struct{ ID any }
	_ = json.Unmarshal(body, &doc)
	got := received{ID: fmt.Sprint(doc.ID), Key: r.Header.Get("Idempotency-Key"), Path: r.URL.Path, Auth: r.Header.Get("Authorization"), Body: body}
	if _, port, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		_, _ = fmt.Sscan(port, &got.Peer)
	}
	s.mu.Lock()
	s.requests = append(s.requests, got)
	onTake := s.onTake
	s.mu.Unlock()
	if onTake != nil {
		onTake(got)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// all returns what has come so far.
func (s *sink) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received{}, s.requests...)
}

// byID returns what has come so far, by id.
func (s *sink) byID() map[string][]received {
	out := map[string][]received{}
	for _, r := range s.all() {
		out[r.ID] = append(out[r.ID], r)
	}
	return out
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}
