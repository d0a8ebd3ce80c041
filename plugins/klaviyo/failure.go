package klaviyo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// refusal is an answer of Klaviyo that is not a success.
type refusal struct {
	status   int
	problems []problem
}

// problem is one error object of Klaviyo's answer.
type problem struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Source struct {
		Pointer   string `json:"pointer"`
		Parameter string `json:"parameter"`
	} `json:"source"`
	Meta struct {
		DuplicateProfileID string `json:"duplicate_profile_id"`
	} `json:"meta"`
}

// maxProblems bounds how many of Klaviyo's errors a message holds.
const maxProblems = 5

func (r *refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "klaviyo answered %d", r.status)
	if text := http.StatusText(r.status); text != "" {
		b.WriteString(" " + text)
	}
	for i, p := range r.problems {
		if i == maxProblems {
			fmt.Fprintf(&b, "; and %d more", len(r.problems)-i)
			break
		}
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		b.WriteString(separator + p.text())
	}
	return b.String()
}

// mapped returns p with f applied to all of its text.
func (p problem) mapped(f func(string) string) problem {
	for _, s := range []*string{&p.Code, &p.Title, &p.Detail, &p.Source.Pointer, &p.Source.Parameter, &p.Meta.DuplicateProfileID} {
		*s = f(*s)
	}
	return p
}

// text says what is wrong, and where.
func (p problem) text() string {
	what, where := p.Detail, p.Source.Pointer
	if what == "" {
		what = p.Title
	}
	if what == "" {
		what = p.Code
	}
	if where == "" {
		where = p.Source.Parameter
	}
	if where == "" {
		return short(what)
	}
	return fmt.Sprintf("%s (at %s)", short(what), short(where))
}

// duplicate returns the id of the profile that has one of the identifiers, where Klaviyo tells it.
func (r *refusal) duplicate() string {
	for _, p := range r.problems {
		if id := p.Meta.DuplicateProfileID; id != "" {
			return short(id)
		}
	}
	return ""
}

// failed returns the failure that an answer means to the host. What Klaviyo says goes into it, after hide took
// the key out.
func failed(resp *http.Response, hide func(string) string) error {
	r := &refusal{status: resp.StatusCode}
	// An answer without readable errors is told by its status alone.
	if raw, err := readAnswer(resp.Body); err == nil {
		var body struct {
			Errors []problem `json:"errors"`
		}
		if json.Unmarshal(raw, &body) == nil {
			for _, p := range body.Errors {
				r.problems = append(r.problems, p.mapped(hide))
			}
		}
	}
	after, wait := retryAfter(resp.Header)
	switch s := r.status; {
	case s == http.StatusTooManyRequests:
		if !wait {
			after = minRetryAfter
		}
		return sdk.RetryAfter(after, r)
	case s == http.StatusServiceUnavailable && wait:
		return sdk.RetryAfter(after, sdk.Fail(wire.Unavailable, r))
	case s >= 500, s == http.StatusRequestTimeout:
		return sdk.Fail(wire.Unavailable, r)
	case s == http.StatusForbidden && resp.Header.Get("Cf-Mitigated") != "":
		// Not Klaviyo's word on the key: Cloudflare, which stands before the API, challenges a client now and
		// then (https://github.com/klaviyo/klaviyo-api-python/issues/84).
		return sdk.Fail(wire.Unavailable, r)
	case s == http.StatusUnauthorized:
		return sdk.Permanent(sdk.Fail(wire.Unauthorized, fmt.Errorf("%w; check the connection's api_key", r)))
	case s == http.StatusForbidden:
		return sdk.Permanent(sdk.Fail(wire.Unauthorized,
			fmt.Errorf("%w; the connection's api_key needs the scopes events:write and profiles:write", r)))
	case s == http.StatusNotFound:
		return sdk.Permanent(sdk.Fail(wire.NotFound, r))
	case s == http.StatusConflict:
		return sdk.Permanent(sdk.Fail(wire.Conflict, r))
	case s >= 400:
		return sdk.Permanent(sdk.Fail(wire.InvalidInput, r))
	case s >= 300:
		return sdk.Permanent(sdk.Fail(wire.InvalidInput,
			fmt.Errorf("%w, a redirect to %q; set the connection's base_url to the API's own address", r, short(hide(resp.Header.Get("Location"))))))
	}
	return notKlaviyo(resp, errors.New("the status is not one of this request"), hide)
}

// unreachable is the failure of a request that got no answer. It may have taken effect.
func unreachable(host string, err error, hide func(string) string) error {
	err = fmt.Errorf("calling klaviyo at %s: %w", host, &shown{hide(withoutURL(err).Error()), err})
	if errors.Is(err, safehttp.ErrPrivateAddress) {
		return sdk.Permanent(sdk.Fail(wire.InvalidInput, err))
	}
	return sdk.Fail(wire.Unavailable, err)
}

// shown is an error with another text: that of a broken answer quotes it raw.
type shown struct {
	text string
	err  error
}

func (s *shown) Error() string { return short(s.text) }
func (s *shown) Unwrap() error { return s.err }

// notKlaviyo is the failure of an answer that is not what the contract promises, as a proxy or an overloaded
// server gives. It may be another one the next time.
func notKlaviyo(resp *http.Response, err error, hide func(string) string) error {
	return sdk.Fail(wire.Unavailable, fmt.Errorf("klaviyo answered %d (%q) with something that its API does not: %w",
		resp.StatusCode, short(hide(resp.Header.Get("Content-Type"))), &shown{hide(err.Error()), err}))
}

// Bounds of what Retry-After is taken for. Klaviyo's longest window is one minute
// (https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling); an hour is a mistake of somebody's.
const (
	minRetryAfter = time.Second
	maxRetryAfter = time.Hour
)

// retryAfter reads Retry-After, whole seconds or an HTTP date, within the bounds; false where there is none that
// can be read. A date counts from the answer's own Date, so that the two clocks need not agree.
func retryAfter(h http.Header) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, seconds is the greatest
		seconds = min(seconds, uint64(maxRetryAfter/time.Second))
		return max(time.Duration(seconds)*time.Second, minRetryAfter), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), minRetryAfter), maxRetryAfter), true
}

// maxText bounds a piece of somebody else's text in a message, in bytes.
const maxText = 300

// short returns text as valid UTF-8, cut to maxText at a character's boundary.
func short(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
