package labelssim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// faults are what a person or a test has the simulator do wrong.
type faults struct {
	inactive              bool
	broke                 bool
	failures              []int // statuses of the next requests
	dropCreates, dropBuys int
	buyCode, buyMessage   string
	hang                  chan struct{} // closed: requests pass
}

// FailNext has the next n requests refused with a status, in the vendor's form. The key is checked before.
func (s *Sim) FailNext(n, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.faults.failures = append(s.faults.failures, status)
	}
}

// DropCreates has the next n requests that create a shipment be carried out and their answers be lost.
func (s *Sim) DropCreates(n int) { s.set(func(f *faults) { f.dropCreates = n }) }

// DropBuys has the next n requests that buy be carried out and their answers be lost.
func (s *Sim) DropBuys(n int) { s.set(func(f *faults) { f.dropBuys = n }) }

// RefuseBuying has every purchase refused (422) with a code of the vendor's, until the code is "".
func (s *Sim) RefuseBuying(code, message string) {
	s.set(func(f *faults) { f.buyCode, f.buyMessage = code, message })
}

// InsufficientFunds has every purchase refused for want of money.
func (s *Sim) InsufficientFunds(on bool) { s.set(func(f *faults) { f.broke = on }) }

// InactiveKey has every request refused as from a key that was switched off.
func (s *Sim) InactiveKey(on bool) { s.set(func(f *faults) { f.inactive = on }) }

// ExpireRates makes the rates that were quoted so far worthless, as time does.
func (s *Sim) ExpireRates() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shipment := range s.shipments {
		shipment.sellable = nil
	}
}

// Hang has requests wait, until it is switched off or their callers give up.
func (s *Sim) Hang(on bool) {
	s.set(func(f *faults) {
		select {
		case <-f.hang:
			if on {
				f.hang = make(chan struct{})
			}
		default:
			if !on {
				close(f.hang)
			}
		}
	})
}

func (s *Sim) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// next returns the failure that the next request is to meet.
func (f *faults) next(retryAfter time.Duration) *refusal {
	if len(f.failures) == 0 {
		return nil
	}
	r := refusal{status: f.failures[0], code: "BAD_REQUEST", message: http.StatusText(f.failures[0])}
	f.failures = f.failures[1:]
	switch r.status {
	case http.StatusUnauthorized:
		r.code = "UNAUTHORIZED"
	case http.StatusPaymentRequired:
		r.code = "PAYMENT_REQUIRED"
	case http.StatusForbidden:
		r.code = "FORBIDDEN"
	case http.StatusNotFound:
		r.code = "NOT_FOUND"
	case http.StatusUnprocessableEntity:
		r.code = "SHIPMENT.INVALID_PARAMS"
	case http.StatusTooManyRequests:
		r.code, r.retryAfter = "RATE_LIMITED", retryAfter
	case http.StatusServiceUnavailable:
		r.code, r.retryAfter = "SERVICE_UNAVAILABLE", retryAfter
	case http.StatusInternalServerError:
		r.code = "INTERNAL_SERVER_ERROR"
	}
	return &r
}

// refusal is an error in the vendor's form.
type refusal struct {
	status        int
	code, message string
	errors        []any
	retryAfter    time.Duration
}

// required is the refusal of a request that lacks a parameter.
func required(field string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, code: "PARAMETER.REQUIRED", message: "Missing required parameter.",
		errors: []any{map[string]string{"field": field, "message": "cannot be blank"}}}
}

func notFound() refusal {
	return refusal{status: http.StatusNotFound, code: "NOT_FOUND", message: "The requested resource could not be found."}
}

func writeError(w http.ResponseWriter, r refusal) {
	if seconds := int(r.retryAfter / time.Second); seconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if r.errors == nil {
		r.errors = []any{}
	}
	body, err := json.Marshal(map[string]any{"error": map[string]any{"code": r.code, "message": r.message, "errors": r.errors}})
	if err != nil { // texts only: cannot be
		body = []byte(`{"error":{}}`)
	}
	write(w, r.status, body)
}
