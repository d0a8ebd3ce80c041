package klaviyosim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
)

const (
	key     = "pk_0123456789abcdef"
	jsonAPI = "application/vnd.api+json"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// account is a simulator with a clock that the test moves.
type account struct {
	*klaviyosim.Sim
	now time.Time
}

func newAccount(c klaviyosim.Config) *account {
	a := &account{now: start}
	c.APIKey, c.Now = key, func() time.Time { return a.now }
	a.Sim = klaviyosim.New(c)
	return a
}

// post sends a request that is right but for what change does to it.
func (a *account) post(path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Klaviyo-API-Key "+key)
	r.Header.Set("Revision", klaviyosim.Revision)
	r.Header.Set("Content-Type", jsonAPI)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// event is the body of an event with further attributes, of a profile with the given attributes.
func event(attributes, profile string) string {
	return `{"data":{"type":"event","attributes":{"properties":{},` + attributes +
		`"metric":{"data":{"type":"metric","attributes":{"name":"Placed Order"}}},"profile":{"data":{"type":"profile","attributes":{` + profile + `}}}}}}`
}

func profile(id, attributes string) string {
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return `{"data":{"type":"profile",` + id + `"attributes":{` + attributes + `}}}`
}

// errorOf reads the only error of an answer.
func errorOf(t *testing.T, w *httptest.ResponseRecorder) (code, detail, where string) {
	t.Helper()
	var body struct {
		Errors []struct {
			ID, Code, Title, Detail string
			Status                  int
			Source                  struct{ Pointer, Parameter string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 {
		t.Fatalf("not one error: %d %s, %v", w.Code, w.Body, err)
	}
	e := body.Errors[0]
	if e.ID == "" || e.Title == "" || e.Detail == "" || e.Status != w.Code || w.Header().Get("Content-Type") != jsonAPI {
		t.Errorf("not an error object of JSON:API: %s", w.Body)
	}
	return e.Code, e.Detail, e.Source.Pointer + e.Source.Parameter
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	const email = `"email":"ada@example.com"`
	good := event("", email)
	at := "/data/attributes"
	for name, c := range map[string]struct {
		path, body string
		change     func(*http.Request)
		status     int
		code, at   string
	}{
		"no key":                   {"/api/events", good, header("Authorization", ""), 401, "not_authenticated", "/data"},
		"a bearer token":           {"/api/events", good, header("Authorization", "Bearer "+key), 401, "not_authenticated", "/data"},
		"another key":              {"/api/events", good, header("Authorization", "Klaviyo-API-Key pk_x"), 401, "authentication_failed", "/data"},
		"no revision":              {"/api/events", good, header("Revision", ""), 400, "invalid", "revision"},
		"another revision":         {"/api/events", good, header("Revision", "2024-10-15"), 400, "invalid", "revision"},
		"plain JSON":               {"/api/events", good, header("Content-Type", "application/json"), 415, "unsupported_media_type", "content-type"},
		"no media type":            {"/api/events", good, header("Content-Type", ""), 415, "unsupported_media_type", "content-type"},
		"another path":             {"/api/event", good, nil, 404, "not_found", "/data"},
		"another method":           {"/api/events", good, func(r *http.Request) { r.Method = http.MethodGet }, 405, "method_not_allowed", "/data"},
		"not JSON":                 {"/api/events", `{"data":`, nil, 400, "parse_error", "/data"},
		"two documents":            {"/api/events", good + good, nil, 400, "parse_error", "/data"},
		"an empty body":            {"/api/events", "", nil, 400, "parse_error", "/data"},
		"not an object":            {"/api/events", `[]`, nil, 400, "invalid", "/data"},
		"another resource":         {"/api/events", strings.Replace(good, `"event"`, `"order"`, 1), nil, 400, "invalid", "/data/type"},
		"properties missing":       {"/api/events", strings.Replace(good, `"properties":{},`, "", 1), nil, 400, "invalid", at + "/properties"},
		"unknown attribute":        {"/api/events", event(`"colour/tone":"red",`, email), nil, 400, "invalid", at + "/colour~1tone"},
		"unknown of the profile":   {"/api/events", event("", email+`,"firstName":"Ada"`), nil, 400, "invalid", at + "/profile/data/attributes/firstName"},
		"value as text":            {"/api/events", event(`"value":"150.00",`, email), nil, 400, "invalid", at + "/value"},
		"currency in small":        {"/api/events", event(`"value_currency":"eur",`, email), nil, 400, "invalid", at + "/value_currency"},
		"time long ago":            {"/api/events", event(`"time":"1990-12-31T23:59:59Z",`, email), nil, 400, "invalid", at + "/time"},
		"time far ahead":           {"/api/events", event(`"time":"2027-11-20T12:00:01Z",`, email), nil, 400, "invalid", at + "/time"},
		"time without zone":        {"/api/events", event(`"time":"2026-11-20T12:00:00",`, email), nil, 400, "invalid", at + "/time"},
		"metric too long":          {"/api/events", strings.Replace(good, "Placed Order", strings.Repeat("ö", 128), 1), nil, 400, "invalid", at + "/metric/data/attributes/name"},
		"metric of spaces":         {"/api/events", strings.Replace(good, "Placed Order", "  ", 1), nil, 400, "invalid", at + "/metric/data/attributes/name"},
		"a string over 100 KB":     {"/api/events", strings.Replace(good, `"properties":{}`, `"properties":{"a":["`+strings.Repeat("x", 100_001)+`"]}`, 1), nil, 400, "invalid", at + "/properties/a/0"},
		"an event over 5 MB":       {"/api/events", good + strings.Repeat(" ", 5_000_000), nil, 413, "payload_too_large", "/data"},
		"an event of nobody":       {"/api/events", event("", `"first_name":"Ada","email":null`), nil, 400, "invalid", at + "/profile/data/attributes"},
		"an event of an unknown":   {"/api/events", strings.Replace(good, `"type":"profile"`, `"type":"profile","id":"x"`, 1), nil, 404, "not_found", at + "/profile/data/id"},
		"an e-mail that is none":   {"/api/profile-import", profile("", `"email":"ada"`), nil, 400, "invalid", at + "/email"},
		"a national phone":         {"/api/profile-import", profile("", `"phone_number":"020 7946 0000"`), nil, 400, "invalid", at + "/phone_number"},
		"an unknown profile":       {"/api/profile-import", profile("x", ""), nil, 404, "not_found", "/data/"},
		"a profile of nobody":      {"/api/profile-import", profile("", ""), nil, 400, "invalid", at},
		"a profile over 100 KB":    {"/api/profile-import", profile("", email) + strings.Repeat(" ", 100_000), nil, 413, "payload_too_large", "/data"},
		"a place in a place":       {"/api/profile-import", profile("", email+`,"location":{"city":{}}`), nil, 400, "invalid", at + "/location/city"},
		"patch operations":         {"/api/profile-import", strings.Replace(profile("", email), `"type"`, `"meta":{"patch_properties":{}},"type"`, 1), nil, 400, "invalid", "/data/meta"},
		"anonymous id in a import": {"/api/profile-import", profile("", email+`,"anonymous_id":"a"`), nil, 400, "invalid", at + "/anonymous_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(klaviyosim.Config{})
			if c.change == nil {
				c.change = func(*http.Request) {}
			}
			w := a.post(c.path, c.body, c.change)
			code, _, where := errorOf(t, w)
			if w.Code != c.status || code != c.code || where != c.at {
				t.Errorf("got %d %s at %q, want %d %s at %q: %s", w.Code, code, where, c.status, c.code, c.at, w.Body)
			}
			if len(a.Events())+len(a.Profiles()) > 0 {
				t.Error("it took effect")
			}
			if calls := a.Calls(); len(calls) != 1 || calls[0].Status != c.status || calls[0].Path != c.path {
				t.Errorf("calls: %+v", calls)
			}
		})
	}
}

// One event for the same profile, metric and unique_id; by default an event's second stands for the latter.
func TestEventsAreRecordedOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(klaviyosim.Config{})
	take := func(body string) {
		t.Helper()
		if w := a.post("/api/events/", body); w.Code != http.StatusAccepted || w.Body.Len() > 0 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	take(event(`"unique_id":"1","value":150.00,`, `"email":"ada@example.com"`))
	take(event(`"unique_id":"1","value":7,`, `"email":"Ada@Example.com"`)) // the same profile
	take(event(`"unique_id":"2",`, `"email":"ada@example.com"`))
	take(event(`"unique_id":"1",`, `"email":"ben@example.com"`))
	take(strings.Replace(event(`"unique_id":"1",`, `"email":"ada@example.com"`), "Placed Order", "Paid Order", 1))
	take(event("", `"email":"ada@example.com"`))
	a.now = a.now.Add(999 * time.Millisecond)
	take(event("", `"email":"ada@example.com"`))
	a.now = a.now.Add(time.Millisecond)
	take(event("", `"email":"ada@example.com"`))
	var got []string
	for _, e := range a.Events() {
		got = append(got, fmt.Sprint(e.ProfileID[len(e.ProfileID)-1:], " ", e.Metric, " ", e.UniqueID, " ", e.Value))
	}
	want := []string{"1 Placed Order 1 150.00", "1 Placed Order 2 ", "2 Placed Order 1 ", "1 Paid Order 1 ", "1 Placed Order 1795176000 ", "1 Placed Order 1795176001 "}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProfilesAreFoundByTheirIdentifiers(t *testing.T) {
	t.Parallel()
	a := newAccount(klaviyosim.Config{})
	send := func(want int, body string) string {
		t.Helper()
		w := a.post("/api/profile-import", body)
		if w.Code != want {
			t.Fatalf("got %d, want %d: %s", w.Code, want, w.Body)
		}
		var out struct{ Data struct{ ID string } }
		_ = json.Unmarshal(w.Body.Bytes(), &out)
		return out.Data.ID
	}
	id := send(201, profile("", `"email":"ada@example.com","first_name":"Ada"`))
	for _, body := range []string{
		profile("", `"email":"ADA@example.com","phone_number":"+442079460000"`),
		profile("", `"phone_number":"+442079460000","external_id":"7"`),
		profile("", `"external_id":"7","email":"ada@example.org"`), // a new address
		profile(id, `"last_name":"Byron","first_name":null`),
	} {
		if got := send(200, body); got != id {
			t.Errorf("%s updated %s", body, got)
		}
	}
	other := send(201, profile("", `"email":"ada@example.com"`)) // the old address is free
	w := a.post("/api/profile-import", profile("", `"email":"ada@example.com","phone_number":"+442079460000"`))
	if code, _, _ := errorOf(t, w); w.Code != 409 || code != "duplicate_profile" || !strings.Contains(w.Body.String(), `"duplicate_profile_id":"`+id+`"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	// An event never moves an identifier from one profile to another.
	if w := a.post("/api/events", event("", `"email":"ada@example.com","phone_number":"+442079460000","title":"Dr"`)); w.Code != 202 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	want := []map[string]any{
		{"email": "ada@example.org", "phone_number": "+442079460000", "external_id": "7", "last_name": "Byron"},
		{"email": "ada@example.com", "title": "Dr"},
	}
	for i, p := range a.Profiles() {
		if !reflect.DeepEqual(p.Attributes, want[i]) {
			t.Errorf("profile %d is %v, want %v", i, p.Attributes, want[i])
		}
	}
	if e := a.Events(); len(e) != 1 || e[0].ProfileID != other {
		t.Errorf("events: %+v", e)
	}
}

// The windows are fixed: a second and a minute, each operation by itself.
func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	a := newAccount(klaviyosim.Config{ProfileLimit: klaviyosim.Limit{Burst: 2, Steady: 3}})
	a.now = start.Add(50*time.Second + 200*time.Millisecond)
	check := func(status int, remaining, reset, retryAfter string) {
		t.Helper()
		w := a.post("/api/profile-import", profile("", `"email":"ada@example.com"`))
		limit := "3"
		if status == 429 { // these headers give way to Retry-After
			limit = ""
		}
		h := w.Header()
		if w.Code != status || h.Get("RateLimit-Limit") != limit || h.Get("RateLimit-Remaining") != remaining ||
			h.Get("RateLimit-Reset") != reset || h.Get("Retry-After") != retryAfter {
			t.Errorf("got %d %v, want %d %s %s %s", w.Code, h, status, remaining, reset, retryAfter)
		}
	}
	check(201, "2", "10", "")
	check(200, "1", "10", "")
	check(429, "", "", "1")
	a.now = a.now.Add(time.Second)
	check(200, "0", "9", "")
	check(429, "", "", "9")
	if w := a.post("/api/events", event("", `"email":"ada@example.com"`)); w.Code != 202 || w.Header().Get("RateLimit-Remaining") != "3499" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	a.now = start.Add(time.Minute)
	check(200, "2", "60", "")
	// Who is not let in is not counted.
	a.post("/api/profile-import", "", func(r *http.Request) { r.Header.Set("Authorization", "") })
	check(200, "1", "60", "")
}

func TestLimitsAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for root != filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Dir(root)
	}
	raw, err := os.ReadFile(filepath.Join(root, "../shared/data/klaviyo/ratelimits.json"))
	if err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	var published map[string]struct {
		Path      string
		Ratelimit struct{ Burst, Steady string }
	}
	if err := json.Unmarshal(raw, &published); err != nil {
		t.Fatal(err)
	}
	for operation, body := range map[string]string{
		"create_event": event("", `"external_id":"1"`), "create_or_update_profile": profile("", `"external_id":"1"`),
	} {
		limit, a := published[operation], newAccount(klaviyosim.Config{})
		burst, steady := 0, 0
		for range 60 {
			n := 0
			for ; a.post(limit.Path, body).Code < 300; n++ {
			}
			burst, steady = max(burst, n), steady+n
			a.now = a.now.Add(time.Second)
		}
		if got := [2]string{strconv.Itoa(burst) + "/s", strconv.Itoa(steady) + "/m"}; got != [2]string{limit.Ratelimit.Burst, limit.Ratelimit.Steady} {
			t.Errorf("%s: %v, published are %v", operation, got, limit.Ratelimit)
		}
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	body := event(`"unique_id":"1",`, `"email":"ada@example.com"`)

	t.Run("fail", func(t *testing.T) {
		t.Parallel()
		a := newAccount(klaviyosim.Config{})
		a.FailNext(2, http.StatusServiceUnavailable)
		for _, want := range []int{503, 503, 202} {
			if w := a.post("/api/events", body); w.Code != want {
				t.Errorf("got %d, want %d", w.Code, want)
			}
		}
		a.FailNext(1, http.StatusTooManyRequests)
		if w := a.post("/api/events", body); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("got %d %v", w.Code, w.Header())
		}
		if len(a.Events()) != 1 {
			t.Errorf("%d events", len(a.Events()))
		}
	})

	t.Run("lose", func(t *testing.T) {
		t.Parallel()
		a := newAccount(klaviyosim.Config{})
		a.LoseNext(1)
		server := httptest.NewServer(a)
		defer server.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/events", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Klaviyo-API-Key " + key}, "Revision": {klaviyosim.Revision}, "Content-Type": {jsonAPI}}
		if r, err := server.Client().Do(req); err == nil {
			r.Body.Close()
			t.Errorf("answered %d", r.StatusCode)
		}
		if calls := a.Calls(); len(a.Events()) != 1 || len(calls) != 1 || !calls[0].Lost || calls[0].Status != 202 {
			t.Errorf("events %v, calls %+v", a.Events(), calls)
		}
	})

	t.Run("delay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(klaviyosim.Config{})
			a.Delay(time.Hour)
			began := time.Now()
			if w := a.post("/api/events", body); w.Code != 202 || time.Since(began) != time.Hour {
				t.Errorf("got %d after %s", w.Code, time.Since(began))
			}
		})
	})

	for _, c := range []string{"resume", "the caller leaves"} {
		t.Run("hang until "+c, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(klaviyosim.Config{})
				a.Hang()
				a.Hang() // once is enough to resume
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				status := make(chan int, 1)
				go func() {
					defer func() {
						if recover() != nil { // http.ErrAbortHandler
							status <- 0
						}
					}()
					status <- a.post("/api/events", body, func(r *http.Request) { *r = *r.WithContext(ctx) }).Code
				}()
				synctest.Wait()
				if len(status) > 0 || len(a.Calls()) > 0 {
					t.Fatal("it does not hang")
				}
				want := 202
				if c == "resume" {
					a.Resume()
					a.Resume()
				} else {
					want = 0
					leave()
				}
				if got := <-status; got != want {
					t.Errorf("got %d, want %d", got, want)
				}
			})
		})
	}
}

// FuzzServe sends any body: it is taken or refused in the form of the contract, and repeating it changes nothing.
func FuzzServe(f *testing.F) {
	f.Add(true, event(`"unique_id":"1","value":1e400,"time":"2026-11-20T12:00:00Z",`, `"email":"a@example.com","location":{"latitude":1},"properties":{"x":null}`))
	f.Add(true, event(`"backfill":null,`, `"_kx":"a","anonymous_id":"b","phone_number":null`))
	f.Add(false, profile("", `"phone_number":"+442079460000","properties":{"a":[1,{"b":null}]}`))
	f.Add(false, `{"data":{"type":"profile","id":null,"attributes":{"external_id":"\ud800"}}}`)
	f.Fuzz(func(t *testing.T, isEvent bool, body string) {
		a := newAccount(klaviyosim.Config{})
		path := "/api/profile-import"
		if isEvent {
			path = "/api/events"
		}
		first := a.post(path, body)
		events, profiles := len(a.Events()), len(a.Profiles())
		second := a.post(path, body)
		if len(a.Events()) != events || len(a.Profiles()) != profiles {
			t.Errorf("the repetition added something: %s", body)
		}
		taken := first.Code < 300
		if taken != (second.Code < 300) || taken != (profiles == 1) || first.Code >= 500 {
			t.Errorf("got %d, then %d, %d profiles: %s", first.Code, second.Code, profiles, body)
		}
		if isEvent && taken {
			return
		}
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(first.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, first.Body)
		}
		member := "errors"
		if taken {
			member = "data"
		}
		if len(answer) != 1 || !bytes.HasPrefix(answer[member], []byte{'['}) && !taken {
			t.Errorf("got %d %s", first.Code, first.Body)
		}
	})
}
