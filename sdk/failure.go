package sdk

import (
	"context"
	"errors"
	"time"

	"github.com/shophand/shophand/sdk/wire"
)

// Failure is an error of which the host knows the kind. Its Code is one of the wire package's codes.
type Failure = wire.Failure

// Fail returns an error of a kind, worth another try.
func Fail(code wire.Code, err error) error { return &failure{code: code, err: err} }

// Permanent marks err as one for which trying again is of no use.
func Permanent(err error) error { return &failure{err: err, permanent: true} }

// RetryAfter marks err as one after which the host waits at least d before it tries again. Such an attempt is
// not counted.
func RetryAfter(d time.Duration, err error) error { return &failure{err: err, retryAfter: d} }

// Unknown marks err as one after which nobody knows whether the action took effect: a request was sent and no
// answer came. An action that must not be repeated unasked is then left to a person; any other is tried again.
func Unknown(err error) error { return &failure{err: err, unknown: true} }

// failure marks another error. Marks may be stacked: the outermost one that says something counts.
type failure struct {
	code       wire.Code
	err        error
	permanent  bool
	retryAfter time.Duration
	unknown    bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failureOf says what an action's error means to the host.
func failureOf(err error) *Failure {
	out := &Failure{Message: err.Error()}
	var direct *Failure
	if errors.As(err, &direct) {
		out.Code, out.Permanent, out.RetryAfter, out.Unknown = direct.Code, direct.Permanent, direct.RetryAfter, direct.Unknown
	}
	readMarks(err, out)
	if out.Code == "" {
		out.Code = defaultCode(err, out)
	}
	return out
}

// readMarks collects the marks on an error and on those that it wraps, one or several.
func readMarks(err error, out *Failure) {
	if f, ok := err.(*failure); ok {
		if out.Code == "" {
			out.Code = f.code
		}
		out.Permanent = out.Permanent || f.permanent
		out.Unknown = out.Unknown || f.unknown
		if out.RetryAfter == 0 {
			out.RetryAfter = f.retryAfter
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			readMarks(inner, out)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			readMarks(inner, out)
		}
	}
}

func defaultCode(err error, f *Failure) wire.Code {
	switch {
	case f.RetryAfter > 0:
		return wire.RateLimited
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return wire.Unavailable
	}
	return wire.Internal
}
