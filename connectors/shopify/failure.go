package shopify

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// How long to wait where Shopify asks for patience and does not say how long, and the bounds of what it says.
const (
	defaultWait  = 2 * time.Second
	shortestWait = 100 * time.Millisecond
	longestWait  = 10 * time.Minute
)

// refuse is a failure for which trying again is of no use.
func refuse(code wire.Code, format string, args ...any) error {
	return sdk.Permanent(sdk.Fail(code, fmt.Errorf(format, args...)))
}

// unavailable is a failure that may pass.
func unavailable(format string, args ...any) error {
	return sdk.Fail(wire.Unavailable, fmt.Errorf(format, args...))
}

// statusFailure tells what an HTTP status other than 200 means.
func statusFailure(resp *http.Response, answer []byte) error {
	said := excerpt(answer)
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return refuse(wire.Unauthorized, "Shopify refuses the shop's access token (HTTP %d: %s); set a new one", code, said)
	case code == http.StatusTooManyRequests:
		return sdk.RetryAfter(retryAfter(resp.Header.Get("Retry-After")), sdk.Fail(wire.RateLimited, fmt.Errorf("the rate of calls is above what Shopify allows (HTTP 429: %s)", said)))
	case code == http.StatusNotFound:
		return refuse(wire.NotFound, "Shopify knows no such shop or API version (HTTP 404: %s)", said)
	case code == http.StatusPaymentRequired, code == http.StatusLocked, code == http.StatusRequestTimeout, code >= 500:
		return unavailable("Shopify, or the shop, is not available (HTTP %d: %s)", code, said) // 402: frozen, 423: locked
	case code >= 300 && code < 400:
		return refuse(wire.NotFound, "Shopify redirects to another address (HTTP %d), which is not followed; is the shop's name right?", code)
	default:
		return refuse(wire.InvalidInput, "Shopify refuses the call (HTTP %d: %s)", code, said)
	}
}

// retryAfter reads the header of that name: seconds, which Shopify writes with a fraction.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(header), 64)
	if err != nil || math.IsNaN(seconds) {
		return defaultWait
	}
	return bounded(seconds)
}

// bounded is a time to wait in seconds, kept within what is sensible.
func bounded(seconds float64) time.Duration {
	if seconds > longestWait.Seconds() {
		return longestWait
	}
	return max(time.Duration(math.Ceil(seconds*1000))*time.Millisecond, shortestWait)
}

// wait is how long the bucket needs to hold what the operation asks for.
func (c cost) wait() time.Duration {
	if c.Throttle.Restore <= 0 || c.Requested <= 0 {
		return defaultWait
	}
	return bounded((c.Requested - c.Throttle.Available) / c.Throttle.Restore)
}

// errorsFailure tells what the errors of an answer mean, which may come beside partial data; nil if there are
// none. For some errors Shopify sends one text in the place of the list.
func errorsFailure(raw json.RawMessage, c cost) error {
	if len(raw) == 0 || isNull(raw) {
		return nil
	}
	var all []graphQLError
	if err := json.Unmarshal(raw, &all); err != nil {
		return refuse(wire.InvalidInput, "Shopify refuses the call: %s", excerpt(raw))
	}
	if len(all) == 0 {
		return nil
	}
	messages := make([]string, 0, len(all))
	for _, e := range all {
		messages = append(messages, e.Message)
	}
	said := errors.New(cut("Shopify: " + strings.Join(messages, "; ")))
	for _, e := range all { // the first that has a meaning of its own counts
		switch e.Extensions.Code {
		case "THROTTLED":
			return sdk.RetryAfter(c.wait(), sdk.Fail(wire.RateLimited, said))
		case "ACCESS_DENIED":
			return sdk.Permanent(sdk.Fail(wire.Unauthorized, said))
		case "INTERNAL_SERVER_ERROR", "TIMEOUT", "SHOP_INACTIVE":
			return sdk.Fail(wire.Unavailable, said)
		case "RESOURCE_NOT_FOUND", "NOT_FOUND":
			return sdk.Permanent(sdk.Fail(wire.NotFound, said))
		}
	}
	return sdk.Permanent(sdk.Fail(wire.Internal, said)) // our operation, or the version, is wrong
}

// userFailure tells what the userErrors of a mutation mean: Shopify understood and refused. nil if there are
// none.
func userFailure(what string, all []userError) error {
	if len(all) == 0 {
		return nil
	}
	code := wire.InvalidInput
	said := make([]string, 0, len(all))
	for _, e := range all {
		if m := strings.ToLower(e.Message); strings.Contains(m, "not exist") || strings.Contains(m, "not found") {
			code = wire.NotFound
		}
		said = append(said, strings.TrimSpace(strings.Join(e.Field, ".")+" "+e.Message))
	}
	return sdk.Permanent(sdk.Fail(code, errors.New(cut(what+": Shopify: "+strings.Join(said, "; ")))))
}

// cut bounds text that Shopify wrote.
func cut(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
