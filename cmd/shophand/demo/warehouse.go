package demo

import (
	"encoding/json"
	"net/http"
	"sync"
)

// pick is one line of an order that the warehouse was told to pick.
type pick struct {
	Order    string `json:"order"`
	Shop     string `json:"shop"`
	Line     string `json:"line"`
	SKU      string `json:"sku"`
	Title    string `json:"title"`
	Quantity int    `json:"quantity"`
}

// warehouse is any system of a merchant's that takes requests by HTTP. It knows Idempotency-Key: a key that it has
// seen is answered as before, and nothing is picked again.
type warehouse struct {
	mu       sync.Mutex
	picks    []pick
	keys     map[string]int // key -> place in picks
	requests int
}

func newWarehouse() *warehouse { return &warehouse{keys: map[string]int{}} }

func (h *warehouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in pick
	key := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || r.URL.Path != "/picks" || key == "" {
		http.Error(w, "POST /picks with an Idempotency-Key", http.StatusBadRequest)
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in); err != nil {
		http.Error(w, "the body is no pick: "+err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.requests++
	number, known := h.keys[key]
	if !known {
		number = len(h.picks)
		h.keys[key] = number
		h.picks = append(h.picks, in)
	}
	h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]int{"pick": number + 1}) // the caller may have gone
}

// taken returns all picks, and how many requests brought them.
func (h *warehouse) taken() ([]pick, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]pick(nil), h.picks...), h.requests
}
