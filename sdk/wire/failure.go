package wire

import (
	"fmt"
	"time"
)

// Code says of what kind a failure is.
type Code string

// The codes.
const (
	Internal     Code = "internal"      // a bug
	InvalidInput Code = "invalid_input" // the input or configuration is not what the action takes
	Unauthorized Code = "unauthorized"  // the vendor refuses the connection's credentials
	NotFound     Code = "not_found"
	Conflict     Code = "conflict"
	RateLimited  Code = "rate_limited"
	Unavailable  Code = "unavailable" // the vendor cannot be reached or has a problem
)

// Failure says why an attempt did not succeed. It is an error.
type Failure struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Permanent: trying again is of no use.
	Permanent bool `json:"permanent,omitempty"`
	// RetryAfter above 0: not before that; such an attempt is not counted.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Unknown: nobody knows whether the action took effect.
	Unknown bool `json:"unknown,omitempty"`
}

// Error returns the message with the code before it.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Code, f.Message) }
