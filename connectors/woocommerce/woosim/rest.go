package woosim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// problem is WordPress's error in an answer.
type problem struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Data    problemData `json:"data"`
}

type problemData struct {
	Status  int               `json:"status"`
	Params  map[string]string `json:"params,omitempty"`
	Error   int               `json:"json_error_code,omitempty"`
	Problem string            `json:"json_error_message,omitempty"`
}

// said is a code with its message.
type said struct{ code, message string }

// The errors that were observed; errCannotEdit is from WooCommerce's source.
var (
	errInvalidID  = said{"woocommerce_rest_shop_order_invalid_id", "Invalid ID."}
	errNoRoute    = said{"rest_no_route", "No route was found matching the URL and request method."}
	errBadJSON    = said{"rest_invalid_json", "Invalid JSON body passed."}
	errBadParam   = said{"rest_invalid_param", "Invalid parameter(s): status"}
	errCannotList = said{"woocommerce_rest_cannot_view", "Sorry, you cannot list resources."}
	errCannotView = said{"woocommerce_rest_cannot_view", "Sorry, you cannot view this resource."}
	errCannotEdit = said{"woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."}
)

func failure(s said, status int) *problem {
	return &problem{Code: s.code, Message: s.message, Data: problemData{Status: status}}
}

func unauthorised(message string) *problem {
	return failure(said{"woocommerce_rest_authentication_error", message}, http.StatusUnauthorized)
}

func (p *problem) body() []byte { return encode(p) }

// statuses are those that the API lets an order have.
func statuses() []string {
	return []string{"auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"}
}

// maxRequest is the most that is read of a request, in bytes.
const maxRequest = 8 << 20

// ServeHTTP is the store's REST API.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "Request Entity Too Large", http.StatusRequestEntityTooLarge)
		return
	}
	answer := s.answer(r, body)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for name, value := range answer.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, answer.Body)
}

func (s *Store) answer(r *http.Request, body []byte) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var instead *Answer
	if len(s.answers) > 0 {
		instead, s.answers = &s.answers[0], s.answers[1:]
	}
	var a Answer
	if instead == nil || instead.After {
		a = s.serve(r, body)
	}
	if instead != nil {
		a = *instead
	}
	s.calls = append(s.calls, Call{Method: r.Method, Path: r.URL.Path, Body: string(body), Status: a.Status})
	return a
}

// serve does what a request asks. The caller holds the lock.
func (s *Store) serve(r *http.Request, body []byte) Answer {
	_, route, _ := strings.Cut(r.URL.Path, "/wp-json/wc/v3/")
	id, ok := strings.CutPrefix(route, "orders/")
	if ok = ok && id != "" && strings.Trim(id, "0123456789") == ""; !ok && route != "orders" {
		return refuse(failure(errNoRoute, http.StatusNotFound))
	}
	if p := s.authorise(r); p != nil {
		return refuse(p)
	}
	order := s.orders[id]
	switch {
	case !ok && r.Method == http.MethodGet:
		return s.list(r)
	case !ok:
		return refuse(failure(errNoRoute, http.StatusNotFound))
	case r.Method == http.MethodGet && order == nil:
		return refuse(failure(errInvalidID, http.StatusNotFound))
	case r.Method == http.MethodGet:
	case r.Method == http.MethodPut, r.Method == http.MethodPost, r.Method == http.MethodPatch:
		if p := s.put(order, body); p != nil {
			return refuse(p)
		}
	default:
		return refuse(failure(errNoRoute, http.StatusNotFound))
	}
	return Answer{
		Status: http.StatusOK, Header: map[string]string{"Allow": "GET, POST, PUT, PATCH, DELETE"},
		Body: string(only(r.URL.Query().Get("_fields"), encode(order.payload(s.config)))),
	}
}

// list gives all orders, the newest first: a store of a test has one page of them.
func (s *Store) list(r *http.Request) Answer {
	var all []*storedOrder
	for _, o := range s.orders {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *storedOrder) int { return int(b.ID - a.ID) })
	bodies := make([][]byte, len(all))
	for i, o := range all {
		bodies[i] = only(r.URL.Query().Get("_fields"), encode(o.payload(s.config)))
	}
	return Answer{
		Status: http.StatusOK, Header: map[string]string{"Allow": "GET, POST"},
		Body: "[" + string(bytes.Join(bodies, []byte(","))) + "]",
	}
}

// put changes an order's status, note and meta data.
func (s *Store) put(o *storedOrder, body []byte) *problem {
	var change struct {
		Status       *string       `json:"status"`
		CustomerNote *string       `json:"customer_note"`
		MetaData     []metaPayload `json:"meta_data"`
	}
	if err := json.Unmarshal(body, &change); err != nil {
		p := failure(errBadJSON, http.StatusBadRequest)
		p.Data.Error, p.Data.Problem = 4, "Syntax error"
		return p
	}
	if o == nil {
		return failure(errInvalidID, http.StatusBadRequest)
	}
	if change.Status != nil && !slices.Contains(statuses(), *change.Status) {
		p := failure(errBadParam, http.StatusBadRequest)
		list := statuses()
		p.Data.Params = map[string]string{"status": "status is not one of " + strings.Join(list[:len(list)-1], ", ") + ", and " + list[len(list)-1] + "."}
		return p
	}
	for _, m := range change.MetaData {
		s.setMeta(o, m.Key, m.Value)
	}
	if change.CustomerNote != nil {
		o.CustomerNote = *change.CustomerNote
	}
	if change.Status != nil {
		s.setStatus(o, *change.Status)
	}
	return nil
}

func refuse(p *problem) Answer { return Answer{Status: p.Data.Status, Body: string(p.body())} }

// only keeps those of a document's fields that are listed, as WordPress's parameter _fields asks; "" keeps all.
func only(fields string, document []byte) []byte {
	if fields == "" {
		return document
	}
	wanted := strings.Split(fields, ",")
	d := json.NewDecoder(bytes.NewReader(document))
	_, _ = d.Token()
	out := []byte("{")
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break // our own document
		}
		if key, _ := name.(string); slices.Contains(wanted, key) {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(out, `"`+key+`":`...), value...)
		}
	}
	return append(out, '}')
}
