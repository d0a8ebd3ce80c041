package klaviyosim

import (
	"net/http"
	"strconv"
	"time"
)

// Limit is how many requests of one operation an account may make.
type Limit struct {
	Burst  int // in a second
	Steady int // in a minute
}

// windows counts an operation's requests in the present second and minute. Klaviyo's windows are fixed, not
// sliding (https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling).
type windows struct{ burst, steady window }

type window struct {
	start time.Time
	used  int
}

// at returns the window of a length that now is in, which is w unless that is over.
func (w window) at(now time.Time, length time.Duration) window {
	if start := now.Truncate(length); !start.Equal(w.start) {
		return window{start: start}
	}
	return w
}

// take counts one request and returns the headers that tell the state of the steady window. A wait above 0
// means that the request is over a limit and was not counted.
func (s *Sim) take(operation string, limit Limit, now time.Time) (state http.Header, wait time.Duration) {
	w := s.windows[operation]
	if w == nil {
		w = &windows{}
		s.windows[operation] = w
	}
	w.burst, w.steady = w.burst.at(now, time.Second), w.steady.at(now, time.Minute)
	reset := w.steady.start.Add(time.Minute).Sub(now)
	switch {
	case w.steady.used >= limit.Steady:
		return nil, reset
	case w.burst.used >= limit.Burst:
		return nil, w.burst.start.Add(time.Second).Sub(now)
	}
	w.burst.used++
	w.steady.used++
	header := http.Header{}
	header.Set("RateLimit-Limit", strconv.Itoa(limit.Steady))
	header.Set("RateLimit-Remaining", strconv.Itoa(limit.Steady-w.steady.used))
	header.Set("RateLimit-Reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
	return header, 0
}
