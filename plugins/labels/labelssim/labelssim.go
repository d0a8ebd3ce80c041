// Package labelssim is a simulator of EasyPost, as far as labels need it: shipments are created, found by id or
// reference, rated anew and bought. It answers in the vendor's recorded form and keeps everything in memory.
//
// It differs where the vendor's behaviour depends on carriers: a rate is a table's price by weight, an address
// is wrong when its street says "unknown street" (as in the vendor's own fixtures), and shipments that leave a
// country need no customs papers. Of several shipments with one reference it returns the newest; the vendor does
// not say which it returns.
package labelssim

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Config of a simulator.
type Config struct {
	// APIKey that requests must carry as the user of Basic authentication; "" accepts any but none.
	APIKey string
	// Now tells the time; nil means time.Now.
	Now func() time.Time
	// FilesURL and TrackURL begin the addresses of labels and tracking pages; defaults are example addresses.
	FilesURL, TrackURL string
	// RetryAfter is sent with 429 and 503 where it is at least a second. The vendor documents none.
	RetryAfter time.Duration
}

// Sim is the simulator, an http.Handler that is safe for concurrent use.
type Sim struct {
	config Config
	mux    *http.ServeMux

	mu        sync.Mutex
	serial    int         // of the last id made
	shipments []*shipment // oldest first
	requests  []string
	faults    faults
}

var _ http.Handler = (*Sim)(nil)

// New returns a simulator without shipments.
func New(config Config) *Sim {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.FilesURL == "" {
		config.FilesURL = "https://easypost-files.example.com/files/postage_label"
	}
	if config.TrackURL == "" {
		config.TrackURL = "https://track.example.com"
	}
	s := &Sim{config: config, mux: http.NewServeMux(), faults: faults{hang: make(chan struct{})}}
	close(s.faults.hang)
	s.mux.HandleFunc("POST /v2/shipments", s.create)
	s.mux.HandleFunc("GET /v2/shipments/{id}", s.withShipment(s.read))
	s.mux.HandleFunc("POST /v2/shipments/{id}/rerate", s.withShipment(s.rerate))
	s.mux.HandleFunc("POST /v2/shipments/{id}/buy", s.withShipment(s.buy))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeError(w, notFound()) })
	return s
}

// ServeHTTP answers one request.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		writeError(w, refusal{status: http.StatusBadRequest, code: "BAD_REQUEST", message: "The request could not be read."})
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	refused, hang := s.admit(r)
	select {
	case <-hang:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
	if refused != nil {
		writeError(w, *refused)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// admit notes a request and returns the fault or the refused key that is its answer.
func (s *Sim) admit(r *http.Request) (*refusal, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	user, _, ok := r.BasicAuth()
	switch {
	case !ok || user == "" || s.config.APIKey != "" && user != s.config.APIKey:
		return &refusal{status: http.StatusUnauthorized, code: "UNAUTHORIZED",
			message: "You are not authorized to perform this request. Please check your API key."}, s.faults.hang
	case s.faults.inactive:
		return &refusal{status: http.StatusForbidden, code: "APIKEY.INACTIVE",
			message: "This api key is no longer active. Please use a different api key or reactivate this key."}, s.faults.hang
	}
	return s.faults.next(s.config.RetryAfter), s.faults.hang
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Shipment draft `json:"shipment"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		writeError(w, refusal{status: http.StatusBadRequest, code: "BAD_REQUEST", message: "The request body is not valid JSON."})
		return
	}
	s.mu.Lock()
	shipment, refused := s.newShipment(in.Shipment)
	if refused == nil {
		s.shipments = append(s.shipments, shipment)
	}
	s.answer(w, http.StatusCreated, shipment, refused, &s.faults.dropCreates)
}

func (s *Sim) read(w http.ResponseWriter, _ *http.Request, found *shipment) {
	s.answer(w, http.StatusOK, found, nil, nil)
}

func (s *Sim) rerate(w http.ResponseWriter, _ *http.Request, found *shipment) {
	found.Rates = s.quote(found)
	s.answer(w, http.StatusOK, map[string]any{"rates": found.Rates}, nil, nil)
}

func (s *Sim) buy(w http.ResponseWriter, r *http.Request, found *shipment) {
	var in struct {
		Rate struct {
			ID string `json:"id"`
		} `json:"rate"`
	}
	var refused *refusal
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Rate.ID == "" {
		refused = required("rate")
	} else {
		refused = s.purchase(found, in.Rate.ID)
	}
	s.answer(w, http.StatusOK, found, refused, &s.faults.dropBuys)
}

// withShipment hands over the shipment that the path names, by id or reference, with the state locked: the
// handler's answer unlocks it.
func (s *Sim) withShipment(handle func(http.ResponseWriter, *http.Request, *shipment)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("id")
		s.mu.Lock()
		for i := len(s.shipments) - 1; i >= 0; i-- {
			if found := s.shipments[i]; found.ID == name || found.Reference != nil && *found.Reference == name {
				handle(w, r, found)
				return
			}
		}
		s.mu.Unlock()
		writeError(w, notFound())
	}
}

// answer unlocks the state and answers. Where answers are to be lost it cuts the connection instead.
func (s *Sim) answer(w http.ResponseWriter, status int, value any, refused *refusal, drop *int) {
	body, err := json.Marshal(value)
	lost := drop != nil && *drop > 0
	if lost {
		*drop--
	}
	s.mu.Unlock()
	switch {
	case lost:
		panic(http.ErrAbortHandler)
	case refused != nil:
		writeError(w, *refused)
	case err != nil:
		writeError(w, refusal{status: http.StatusInternalServerError, code: "INTERNAL_SERVER_ERROR", message: err.Error()})
	default:
		write(w, status, body)
	}
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache, no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Shipment is what the simulator knows of a shipment.
type Shipment struct {
	ID, Reference, InvoiceNumber string
	To, From                     Address
	Parcel                       Parcel
	Bought                       bool
	// The rest is of a bought one.
	Carrier, Service, Currency string
	Rate                       commerce.Decimal
	TrackingCode, LabelURL     string
}

// Shipments returns all shipments, oldest first.
func (s *Sim) Shipments() []Shipment {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Shipment, 0, len(s.shipments))
	for _, shipment := range s.shipments {
		out = append(out, shipment.shown())
	}
	return out
}

// Labels returns the shipments that are bought, oldest first.
func (s *Sim) Labels() []Shipment {
	var out []Shipment
	for _, shipment := range s.Shipments() {
		if shipment.Bought {
			out = append(out, shipment)
		}
	}
	return out
}

// Spent returns what all labels cost, in US dollars.
func (s *Sim) Spent() commerce.Decimal {
	var sum commerce.Decimal
	for _, label := range s.Labels() {
		sum = sum.Add(label.Rate)
	}
	return sum
}

// Requests returns method and path of every request, in the order in which they came.
func (s *Sim) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}
