package shopifysim

import (
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// schemaSource is what Schema returns.
//
//go:embed schema.graphql
var schemaSource string

// Schema returns the part of the Admin API that the simulator answers, in GraphQL's schema language.
func Schema() string { return schemaSource }

func loadSchema() (*ast.Schema, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaSource})
	if err != nil {
		return nil, fmt.Errorf("reading the simulator's schema: %w", err)
	}
	return schema, nil
}

// maxRequest bounds a request to the Admin API.
const maxRequest = 1 << 20

// object is a JSON object.
type object = map[string]any

// ServeHTTP answers the Admin API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	call := Call{At: s.config.Now(), Path: r.URL.Path}
	status, answer := s.answer(r, &call)
	call.Status = status
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	if status == http.StatusOK {
		w.Header().Set("X-Shopify-Api-Version", s.config.APIVersion)
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2.0")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the caller may have gone
}

// answer works out the answer to a request. Errors that are not GraphQL's have one text in "errors".
func (s *Sim) answer(r *http.Request, call *Call) (int, object) {
	if r.URL.Path != "/admin/api/"+s.config.APIVersion+"/graphql.json" {
		return http.StatusNotFound, object{"errors": "Not Found"}
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, object{"errors": "Method Not Allowed"}
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Shopify-Access-Token")), []byte(s.config.Token)) != 1 {
		return http.StatusUnauthorized, object{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		return http.StatusRequestEntityTooLarge, object{"errors": "Request Entity Too Large"}
	}
	var request struct {
		Query     string `json:"query"`
		Variables object `json:"variables"`
		Operation string `json:"operationName"`
	}
	if err := json.Unmarshal(body, &request); err != nil || request.Query == "" {
		return http.StatusBadRequest, object{"errors": object{"query": "Required parameter missing or invalid"}}
	}
	call.Query, call.Variables = request.Query, request.Variables
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.broken) > 0 {
		status := s.broken[0]
		s.broken = s.broken[1:]
		return status, object{"errors": http.StatusText(status)}
	}
	return http.StatusOK, s.execute(request.Query, request.Operation, request.Variables, call)
}
