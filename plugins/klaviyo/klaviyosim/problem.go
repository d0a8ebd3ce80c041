package klaviyosim

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problem is one error of an answer. Empty code and title are those of the answer's status.
type problem struct {
	code, title, detail string
	pointer             string // into the body; "/data" where it is empty
	parameter           string // name of a header or query parameter, instead of a pointer
	meta                map[string]any
}

// usual returns code and title of a status, as Klaviyo's framework words them.
func usual(status int) (code, title string) {
	switch status {
	case http.StatusBadRequest:
		return "invalid", "Invalid input."
	case http.StatusUnauthorized:
		return "authentication_failed", "Incorrect authentication credentials."
	case http.StatusForbidden:
		return "permission_denied", "You do not have permission to perform this action."
	case http.StatusNotFound:
		return "not_found", "Not found."
	case http.StatusMethodNotAllowed:
		return "method_not_allowed", "Method not allowed."
	case http.StatusConflict:
		return "duplicate_profile", "Conflict."
	case http.StatusRequestEntityTooLarge:
		return "payload_too_large", "Payload too large."
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type", "Unsupported media type in request."
	case http.StatusTooManyRequests:
		return "throttled", "Request was throttled."
	}
	if status >= 500 {
		return "error", "A server error occurred."
	}
	return "error", http.StatusText(status)
}

// problem returns an answer of JSON:API error objects.
func (s *Sim) problem(status int, found ...problem) answer {
	type source struct {
		Pointer   string `json:"pointer,omitempty"`
		Parameter string `json:"parameter,omitempty"`
	}
	type object struct {
		ID     string         `json:"id"`
		Status int            `json:"status"`
		Code   string         `json:"code"`
		Title  string         `json:"title"`
		Detail string         `json:"detail"`
		Source source         `json:"source"`
		Links  map[string]any `json:"links"`
		Meta   map[string]any `json:"meta"`
	}
	var body struct {
		Errors []object `json:"errors"`
	}
	for _, p := range found {
		s.problems++
		o := object{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.problems), Status: status,
			Code: p.code, Title: p.title, Detail: p.detail, Source: source{p.pointer, p.parameter},
			Links: map[string]any{}, Meta: p.meta,
		}
		code, title := usual(status)
		if o.Code == "" {
			o.Code = code
		}
		if o.Title == "" {
			o.Title = title
		}
		if o.Detail == "" {
			o.Detail = o.Title
		}
		if o.Source == (source{}) {
			o.Source.Pointer = "/data"
		}
		if o.Meta == nil {
			o.Meta = map[string]any{}
		}
		body.Errors = append(body.Errors, o)
	}
	return answer{status: status, body: body}
}

// failed is the answer that FailNext asks for.
func (s *Sim) failed(status int) answer {
	if status == http.StatusTooManyRequests {
		return s.throttled(time.Second)
	}
	return s.problem(status, problem{})
}

// throttled is the answer to a request over the limit. It has Retry-After in place of the RateLimit headers
// (https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling).
func (s *Sim) throttled(wait time.Duration) answer {
	seconds := int((wait + time.Second - 1) / time.Second)
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	a := s.problem(http.StatusTooManyRequests, problem{detail: fmt.Sprintf("Request was throttled. Expected available in %d %s.", seconds, unit)})
	a.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return a
}

// authenticate checks the private key; false means that the answer refuses it.
func (s *Sim) authenticate(r *http.Request) (answer, bool) {
	value := r.Header.Get("Authorization")
	key, ok := strings.CutPrefix(value, "Klaviyo-API-Key ")
	switch {
	case !ok || key == "":
		return s.problem(http.StatusUnauthorized, problem{
			code: "not_authenticated", title: "Authentication credentials were not provided.", detail: "Missing or invalid private key.",
		}), false
	case key != s.config.APIKey:
		return s.problem(http.StatusUnauthorized, problem{}), false
	}
	return answer{}, true
}

// negotiate checks the headers that the contract asks for.
func (s *Sim) negotiate(r *http.Request) (answer, bool) {
	switch v := r.Header.Get("Revision"); v {
	case Revision:
	case "":
		return s.problem(http.StatusBadRequest, problem{detail: "A revision header is required.", parameter: "revision"}), false
	default:
		return s.problem(http.StatusBadRequest, problem{detail: fmt.Sprintf("%q is not a revision that is served here; use %s.", v, Revision), parameter: "revision"}), false
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != mediaType {
		return s.problem(http.StatusUnsupportedMediaType, problem{
			detail: fmt.Sprintf("Unsupported media type %q in request; use %s.", r.Header.Get("Content-Type"), mediaType), parameter: "content-type",
		}), false
	}
	return answer{}, true
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	raw, err := json.Marshal(a.body)
	if err != nil { // all of it came from JSON or is ours
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(a.status)
	_, _ = w.Write(raw)
}
