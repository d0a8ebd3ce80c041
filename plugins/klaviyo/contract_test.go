package klaviyo_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
)

// contract is Klaviyo's published OpenAPI, of the two operations.
type contract struct{ routes map[string]*routers.Route }

// published loads the contract from where the project keeps vendors' payloads; nil where it is absent.
func published(t *testing.T) *contract {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	c := &contract{routes: map[string]*routers.Route{}}
	for path, file := range map[string]string{"/api/events": "create_event.json", "/api/profile-import": "create_or_update_profile.json"} {
		raw, err := os.ReadFile(filepath.Join(root, "../shared/data/klaviyo/apis", file))
		if err != nil {
			return nil
		}
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		item := doc.Paths.Value(path)
		c.routes[path] = &routers.Route{Spec: doc, Server: doc.Servers[0], Path: path, PathItem: item, Method: http.MethodPost, Operation: item.Post}
	}
	return c
}

// request judges a request; nil means that the contract allows it.
func (c *contract) request(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	clone := r.Clone(context.Background())
	clone.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: clone, Route: c.routes[r.URL.Path],
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	}
	return in, openapi3filter.ValidateRequest(context.Background(), in)
}

// response judges an answer to a request.
func (c *contract) response(in *openapi3filter.RequestValidationInput, a *httptest.ResponseRecorder) error {
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.Code, Header: a.Header(), Body: io.NopCloser(bytes.NewReader(a.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// judged answers as next does, and fails the test where the contract does not allow a request or its answer.
// Without the contract it only answers: TestContract says so.
func judged(t *testing.T, next http.Handler) http.Handler {
	c := published(t)
	if c == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading a request: %v", err)
		}
		in, err := c.request(r, body)
		if err != nil {
			t.Errorf("the contract refuses the plugin's request: %v\n%s", err, body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		a := httptest.NewRecorder()
		next.ServeHTTP(a, r)
		if err := c.response(in, a); err != nil {
			t.Errorf("the contract refuses the simulator's answer: %v\n%d %s", err, a.Code, a.Body)
		}
		for name, values := range a.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(a.Code)
		_, _ = w.Write(a.Body.Bytes())
	})
}

// Every request and answer between plugin and simulator in this package's tests is judged by the published
// contract. This test says whether it is there, and that the judge does judge.
func TestContract(t *testing.T) {
	t.Parallel()
	c := published(t)
	if c == nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	h, sim := withSim(t)
	for action, input := range map[string]string{"create_event": anEvent, "upsert_profile": aProfile} {
		if _, err := invoke(h, action, "k", input); err != nil {
			t.Error(err)
		}
	}
	if n := len(sim.Calls()); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/events", nil)
	in, err := c.request(r, []byte(`{"data":{"type":"order"}}`))
	if err == nil {
		t.Error("the judge allows a request without revision and with another resource")
	}
	a := httptest.NewRecorder()
	reply(400, map[string]string{"Content-Type": jsonAPI}, `{"error":"no"}`)(a, r)
	if err := c.response(in, a); err == nil {
		t.Error("the judge allows an error without errors")
	}
}

// What the contract refuses the simulator refuses. It refuses more, as Klaviyo does: unknown fields, profiles
// without identifiers, values out of the described bounds.
func TestSimulatorIsAsStrictAsTheContract(t *testing.T) {
	t.Parallel()
	c := published(t)
	if c == nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	const (
		event   = `{"data":{"type":"event","attributes":{"properties":{},"metric":{"data":{"type":"metric","attributes":{"name":"m"}}},"profile":{"data":{"type":"profile","attributes":{"email":"a@example.com"}}}}}}`
		profile = `{"data":{"type":"profile","attributes":{"email":"a@example.com","location":{}}}}`
	)
	values := []string{`null`, `true`, `0`, `1.5`, `""`, `"x"`, `"2026-11-20T12:00:00Z"`, `"+442079460000"`, `"EUR"`, `[]`, `["x"]`, `{}`, `{"data":{}}`, `{"x":1}`}
	type place struct{ path, old, new string } // new has the mark of a value
	places := []place{
		{"/api/events", event, `?`},
		{"/api/events", `{"data":{"type":"event"`, `{"data":?,"x":{"type":"event"`},
		{"/api/events", `"type":"event"`, `"type":?`},
		{"/api/events", `"type":"metric"`, `"type":?`},
		{"/api/events", `"type":"profile"`, `"type":?`},
		{"/api/events", `{"name":"m"}`, `?`},
		{"/api/events", `"name":"m"`, `"name":?`},
		{"/api/events", `{"email":"a@example.com"}`, `?`},
		{"/api/events", `"properties":{}`, `"properties":?`},
		{"/api/events", `"properties":{},`, ``},
		{"/api/events", `"type":"event",`, ``},
		{"/api/events", `"type":"profile",`, `"id":?,"type":"profile",`},
		{"/api/events", `"name":"m"`, `"name":"m","service":?`},
		{"/api/profile-import", profile, `?`},
		{"/api/profile-import", `"type":"profile"`, `"type":?`},
		{"/api/profile-import", `"type":"profile"`, `"type":"profile","id":?`},
		{"/api/profile-import", `"type":"profile"`, `"type":"profile","meta":?`},
		{"/api/profile-import", `{"email":"a@example.com","location":{}}`, `?`},
		{"/api/profile-import", `"location":{}`, `"location":?`},
	}
	for _, name := range []string{"time", "value", "value_currency", "unique_id", "backfill"} {
		places = append(places, place{"/api/events", `"properties":{}`, `"properties":{},"` + name + `":?`})
	}
	for _, name := range []string{"phone_number", "external_id", "_kx", "first_name", "last_name", "organization", "locale", "title", "image", "properties"} {
		field := place{"", `"email":"a@example.com"`, `"email":"a@example.com","` + name + `":?`}
		for _, field.path = range []string{"/api/events", "/api/profile-import"} {
			places = append(places, field)
		}
	}
	for _, name := range []string{"address1", "address2", "city", "country", "region", "zip", "timezone", "ip", "latitude", "longitude"} {
		places = append(places, place{"/api/profile-import", `"location":{}`, `"location":{"` + name + `":?}`})
	}
	accepted, refused := 0, 0
	for _, p := range places {
		for _, value := range values {
			body := event
			if p.path != "/api/events" {
				body = profile
			}
			if !strings.Contains(body, p.old) {
				t.Fatalf("%s is not in %s", p.old, body)
			}
			body = strings.Replace(body, p.old, strings.Replace(p.new, "?", value, 1), 1)
			sim := klaviyosim.New(klaviyosim.Config{APIKey: key, Now: func() time.Time { return start }})
			r := httptest.NewRequest(http.MethodPost, p.path, strings.NewReader(body))
			r.Header.Set("Content-Type", jsonAPI)
			r.Header.Set("Revision", "2026-07-15")
			r.Header.Set("Authorization", "Klaviyo-API-Key "+key)
			in, allowed := c.request(r, []byte(body))
			a := httptest.NewRecorder()
			sim.ServeHTTP(a, r)
			// nullable stands beside a $ref there, which OpenAPI 3.0 has readers ignore.
			nullableRef := value == "null" && (strings.Contains(p.new, `"location":?`) || strings.Contains(p.new, `"meta":?`))
			switch ok := a.Code < 300; {
			case ok && allowed != nil && !nullableRef:
				t.Errorf("the simulator takes what the contract refuses: %s\n%v", body, allowed)
			case ok:
				accepted++
			default:
				refused++
			}
			if err := c.response(in, a); err != nil {
				t.Errorf("the contract refuses the simulator's answer to %s: %v\n%d %s", body, err, a.Code, a.Body)
			}
		}
	}
	if accepted < 100 || refused < 300 {
		t.Errorf("%d bodies accepted and %d refused: the test has lost its grip", accepted, refused)
	}
}
