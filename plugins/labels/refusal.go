package labels

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

const (
	// maxAnswer bounds an answer that is read; a shipment with all its rates has some 10 KiB.
	maxAnswer = 4 << 20
	// maxRefusal bounds an answer that refuses.
	maxRefusal = 64 << 10
	// pause before the next attempt where EasyPost limits requests and does not say for how long.
	pause    = 5 * time.Second
	maxPause = time.Hour
)

// EasyPost's code for a shipment whose label is bought already.
const postageExists = "SHIPMENT.POSTAGE.EXISTS"

// refusal is an answer of EasyPost that is not a success.
type refusal struct {
	status     int
	code       string
	message    string
	retryAfter time.Duration
}

func (r *refusal) Error() string {
	return fmt.Sprintf("EasyPost refused: %s (%s)", r.message, strings.TrimSpace(r.code+" "+strconv.Itoa(r.status)))
}

// refusedWith tells whether err is a refusal of that code.
func refusedWith(err error, code string) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

// transport bounds what is read of an answer and returns one that is not a success as a *refusal. A RoundTripper
// should not do the latter; it must here, because the library (v5.1.0) reads error bodies without bound, loses
// the Retry-After header and panics where such a body is the word null. It also means that no redirect is
// followed, which would hand addresses to another host.
type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // the status says enough where the body breaks off
	return nil, newRefusal(resp, body)
}

// newRefusal reads EasyPost's error: {"error": {"code", "message", "errors"}}. The message may be a list, the
// errors texts or objects (https://docs.easypost.com/docs/errors).
func newRefusal(resp *http.Response, body []byte) *refusal {
	r := &refusal{status: resp.StatusCode}
	var document struct {
		Error json.RawMessage `json:"error"`
	}
	var fields struct {
		Code    any `json:"code"`
		Message any `json:"message"`
		Errors  any `json:"errors"`
	}
	if json.Unmarshal(body, &document) == nil && json.Unmarshal(document.Error, &fields) == nil {
		code, _ := fields.Code.(string)
		r.code = short(code)
		r.message = short(strings.Join(append(texts(fields.Message), texts(fields.Errors)...), "; "))
	}
	if r.message == "" {
		r.message = "it gives no reason"
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		r.retryAfter = min(time.Duration(min(s, 1<<30))*time.Second, maxPause)
	}
	return r
}

// texts returns the texts in an error of whatever form, an object's field before its message.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var out []string
		for _, element := range v {
			out = append(out, texts(element)...)
		}
		return out
	case map[string]any:
		var parts []string
		for _, key := range []string{"field", "code", "message", "suggestion"} {
			parts = append(parts, texts(v[key])...)
		}
		if len(parts) == 0 {
			for _, element := range v {
				parts = append(parts, texts(element)...)
			}
			slices.Sort(parts)
		}
		if len(parts) > 0 {
			return []string{strings.Join(parts, " ")}
		}
	}
	return nil
}

// short cuts a text of the vendor to what fits an error or an output.
func short(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// failure returns err as the host understands it.
//
//   - refused key: unauthorized, for good: only a person can mend it
//   - too many requests: not before EasyPost says, else after a pause
//   - its own or the carrier's trouble, or no answer: unavailable, worth another try; what was done is unknown
//   - anything else that it refuses (no funds, a bad address, a bad parcel): for good, in EasyPost's words
func (e *easyPost) failure(doing string, err error) error {
	r := (*refusal)(nil)
	if !errors.As(err, &r) {
		if errors.Is(err, safehttp.ErrPrivateAddress) {
			return invalid(e.describe(doing, err))
		}
		return sdk.Fail(wire.Unavailable, e.describe(doing, err))
	}
	err = e.describe(doing, r)
	switch {
	case r.status == http.StatusTooManyRequests:
		return sdk.RetryAfter(cmp.Or(r.retryAfter, pause), err)
	case r.status/100 == 5, r.status == http.StatusRequestTimeout, slices.Contains(outcomeUnknown(), r.code):
		err = sdk.Fail(wire.Unavailable, err)
		if r.retryAfter > 0 {
			err = sdk.RetryAfter(r.retryAfter, err)
		}
		return err
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return sdk.Permanent(sdk.Fail(wire.Unauthorized, err))
	case r.status == http.StatusPaymentRequired, r.code == postageExists:
		return sdk.Permanent(sdk.Fail(wire.Conflict, err))
	case r.status == http.StatusNotFound:
		return sdk.Permanent(sdk.Fail(wire.NotFound, err))
	}
	return invalid(err)
}

// outcomeUnknown lists the codes of refusals (422) after which a label may still come: the carrier did not
// answer EasyPost in time, or an earlier purchase is not finished.
func outcomeUnknown() []string {
	return []string{"SHIPMENT.PURCHASE.IN_PROGRESS", "SHIPMENT.POSTAGE.NO_RESPONSE", "SHIPMENT.POSTAGE.TIMED_OUT"}
}

// described is an error with what was being done, in words that hold no key.
type described struct {
	text string
	err  error
}

func (d *described) Error() string { return d.text }
func (d *described) Unwrap() error { return d.err }

func (e *easyPost) describe(doing string, err error) error {
	text := doing + ": " + err.Error()
	if e.key != "" {
		text = strings.ReplaceAll(text, e.key, "***")
	}
	return &described{text: text, err: err}
}
