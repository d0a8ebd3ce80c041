// Package klaviyosim is a simulator of Klaviyo: an account in memory that answers POST /api/events and
// POST /api/profile-import as the published contract of revision 2026-07-15 says
// (https://github.com/klaviyo/openapi), for tests and demonstrations without an account.
//
// It checks the key, the revision, the media type and every attribute, limits the rate, records an event once
// for the same profile, metric and unique_id, and finds profiles by their identifiers. Where the contract is
// silent (texts of errors, unknown attributes, identifiers of two profiles in one request) it does what Klaviyo
// has been seen to do. Events are processed at once, not later. Query parameters and the patch operations of
// `meta` are not simulated; the latter are refused.
//
// Switches make it fail, hang or lose its answers on request.
package klaviyosim

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// Revision is the only revision of the API that is simulated.
	Revision  = "2026-07-15"
	mediaType = "application/vnd.api+json"

	maxEvent   = 5_000_000 // bytes of a payload of create_event: "must not exceed 5 MB"
	maxProfile = 100_000   // bytes of a payload of create_or_update_profile: "100KB"
	maxCalls   = 1000
)

// Config of a simulator.
type Config struct {
	// APIKey is the one private key that is accepted.
	APIKey string
	// Now is the account's clock; nil means the system's.
	Now func() time.Time
	// EventLimit and ProfileLimit replace the published rate limits where they are not zero.
	EventLimit, ProfileLimit Limit
}

// Sim is a Klaviyo account. It is an http.Handler and safe for concurrent use.
type Sim struct {
	config Config

	mu       sync.Mutex
	events   []Event
	recorded map[string]bool // by profile, metric and unique_id
	profiles []*profile
	owners   map[string]*profile // by identifier, see keyOf
	calls    []Call
	windows  map[string]*windows // by operation
	problems int                 // error objects so far, for their ids

	failures   int // answers still to fail, with failStatus
	failStatus int
	losses     int // answers still to lose
	delay      time.Duration
	hanging    chan struct{} // closed by Resume; nil where nothing hangs
}

var _ http.Handler = (*Sim)(nil)

// New returns an account without events and profiles.
func New(c Config) *Sim {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.EventLimit == (Limit{}) {
		c.EventLimit = Limit{Burst: 350, Steady: 3500}
	}
	if c.ProfileLimit == (Limit{}) {
		c.ProfileLimit = Limit{Burst: 75, Steady: 750}
	}
	return &Sim{config: c, recorded: map[string]bool{}, owners: map[string]*profile{}, windows: map[string]*windows{}}
}

// Call is one request as it was answered. It holds no key and no personal data.
type Call struct {
	At     time.Time
	Method string
	Path   string
	Status int
	// Lost tells that the work was done but no answer was sent.
	Lost bool
}

// Calls returns the last thousand requests, oldest first. One that hangs is not among them yet.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// FailNext has the next n requests answered with an HTTP status of 400 or more, and nothing done.
func (s *Sim) FailNext(n, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures, s.failStatus = n, status
}

// LoseNext has the next n requests carried out and their connections broken instead of answered: the caller
// cannot know whether they took effect.
func (s *Sim) LoseNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = n
}

// Delay has every request wait for d before anything is done with it.
func (s *Sim) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Hang has all requests wait, before anything is done with them, until Resume or until their callers give up.
func (s *Sim) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hanging == nil {
		s.hanging = make(chan struct{})
	}
}

// Resume lets waiting requests go on.
func (s *Sim) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hanging != nil {
		close(s.hanging)
		s.hanging = nil
	}
}

// answer is a response before it is written.
type answer struct {
	status int
	header http.Header
	body   any // nil: none
}

// ServeHTTP answers one request.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The body is read before any wait, so that the server notices a caller that gives up.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if !s.pause(r) {
		panic(http.ErrAbortHandler)
	}
	a, lost := s.serve(r, body, err)
	if lost {
		panic(http.ErrAbortHandler)
	}
	a.write(w)
}

// pause waits as the switches say; false means that the caller is gone.
func (s *Sim) pause(r *http.Request) bool {
	s.mu.Lock()
	delay, hanging := s.delay, s.hanging
	s.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false
		}
	}
	if hanging != nil {
		select {
		case <-hanging:
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// serve does the work of one request and keeps the call.
func (s *Sim) serve(r *http.Request, body []byte, readErr error) (a answer, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now().UTC()
	if s.failures > 0 {
		s.failures--
		a = s.failed(s.failStatus)
	} else {
		a = s.route(r, body, readErr, now)
		if s.losses > 0 {
			s.losses--
			lost = true
		}
	}
	s.calls = append(s.calls, Call{At: now, Method: r.Method, Path: r.URL.Path, Status: a.status, Lost: lost})
	if over := len(s.calls) - maxCalls; over > 0 {
		s.calls = append([]Call(nil), s.calls[over:]...)
	}
	return a, lost
}

// operation is one of the two that are simulated.
type operation struct {
	name    string
	limit   Limit
	maxBody int
	rule    rule
	run     func(attributes map[string]any, id string, now time.Time) answer
}

// route finds the operation and checks all that both have in common.
func (s *Sim) route(r *http.Request, body []byte, readErr error, now time.Time) answer {
	var op operation
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/api/events":
		op = operation{"create_event", s.config.EventLimit, maxEvent, eventRule(now), s.createEvent}
	case "/api/profile-import":
		op = operation{"create_or_update_profile", s.config.ProfileLimit, maxProfile, profileRule(), s.importProfile}
	default:
		return s.problem(http.StatusNotFound, problem{detail: "No API endpoint found at " + r.URL.Path + "."})
	}
	if r.Method != http.MethodPost {
		a := s.problem(http.StatusMethodNotAllowed, problem{detail: "Method \"" + r.Method + "\" not allowed."})
		a.header = http.Header{"Allow": {http.MethodPost}}
		return a
	}
	if a, ok := s.authenticate(r); !ok {
		return a
	}
	state, wait := s.take(op.name, op.limit, now)
	if wait > 0 {
		return s.throttled(wait)
	}
	a := s.perform(r, op, body, readErr, now)
	if a.header == nil {
		a.header = http.Header{}
	}
	maps.Copy(a.header, state)
	return a
}

// perform checks the request of an operation and carries it out.
func (s *Sim) perform(r *http.Request, op operation, body []byte, readErr error, now time.Time) answer {
	if a, ok := s.negotiate(r); !ok {
		return a
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readErr, &tooLarge), len(body) > op.maxBody:
		return s.problem(http.StatusRequestEntityTooLarge, problem{detail: "The payload exceeds " + strconv.Itoa(op.maxBody) + " bytes."})
	case readErr != nil:
		return s.problem(http.StatusBadRequest, problem{detail: "The request's body could not be read."})
	}
	doc, err := decode(body)
	if err != nil {
		return s.problem(http.StatusBadRequest, problem{code: "parse_error", title: "Malformed request.", detail: "JSON parse error - " + err.Error()})
	}
	if found := op.rule(doc, ""); len(found) > 0 {
		return s.problem(http.StatusBadRequest, found...)
	}
	data := doc.(map[string]any)["data"].(map[string]any) // the rule saw to both
	id, _ := data["id"].(string)
	return op.run(data["attributes"].(map[string]any), id, now)
}
