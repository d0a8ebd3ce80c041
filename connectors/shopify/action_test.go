package shopify_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk/commerce/shopaction"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

// actionsAt serves the connector's actions with a shop behind an address.
func actionsAt(t *testing.T, api http.Handler) *sdktest.Harness {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return actions(t, map[string]any{"shop": shop, "token": token, "api_url": server.URL})
}

func actions(t *testing.T, access map[string]any) *sdktest.Harness {
	t.Helper()
	c, err := shopify.New(shopify.Config{HTTP: safehttp.New(safehttp.Options{AllowPrivate: true})})
	if err != nil {
		t.Fatal(err)
	}
	h := sdktest.New(t, c.Actions())
	if err := h.Configure(access); err != nil {
		t.Fatalf("configuring: %v", err)
	}
	return h
}

func tag(h *sdktest.Harness, order string, tags ...string) (shopaction.TagOrderOutput, error) {
	return sdktest.Invoke[shopaction.TagOrderOutput](h, "tag_order", shopaction.TagOrderInput{Order: order, Tags: tags})
}

func TestTagOrder(t *testing.T) {
	t.Parallel()
	sim, id := newShop(t)
	h, order := actionsAt(t, sim), fmt.Sprint(id)
	for _, c := range []struct {
		name, order string
		add, want   []string
	}{
		{"adds", order, []string{"vip", "größe 4"}, []string{"first", "Gift", "vip", "größe 4"}},
		{"keeps what is there, in whatever case", order, []string{"GIFT", "vip", "new"}, []string{"first", "Gift", "vip", "größe 4", "new"}},
		{"changes nothing the second time", order, []string{"GIFT", "vip", "new"}, []string{"first", "Gift", "vip", "größe 4", "new"}},
		{"takes a gid", "gid://shopify/Order/" + order, []string{"vip"}, []string{"first", "Gift", "vip", "größe 4", "new"}},
	} {
		out, err := tag(h, c.order, c.add...)
		if err != nil || out.Order != order || !slices.Equal(out.Tags, c.want) {
			t.Errorf("%s: got %+v, %v; want %v", c.name, out, err, c.want)
		}
	}
	if got := sim.Tags(id); len(got) != 5 {
		t.Errorf("the shop has %v", got)
	}
	calls := sim.Calls()
	if len(calls) != 4 || calls[0].Operation != "tagOrder" || calls[0].Path != "/admin/api/2026-10/graphql.json" || calls[0].Variables["id"] != "gid://shopify/Order/"+order {
		t.Errorf("calls: %+v", calls)
	}
	d := h.Describe()
	if d.Name != "shop" || len(d.Actions) != 1 || d.Actions[0].Outcome != wire.Idempotent || d.Actions[0].Effect != wire.NoEffect {
		t.Errorf("described as %+v", d)
	}
}

// failure is what an attempt is expected to fail with.
type failure struct {
	code      wire.Code
	permanent bool
	after     time.Duration
	says      string
}

func (want failure) check(t *testing.T, err error) {
	t.Helper()
	var f *wire.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure", err)
	}
	if f.Code != want.code || f.Permanent != want.permanent || f.RetryAfter != want.after || !strings.Contains(f.Message, want.says) {
		t.Errorf("got %s, permanent %v, after %s: %s\nwant %+v", f.Code, f.Permanent, f.RetryAfter, f.Message, want)
	}
	if strings.Contains(f.Message, token) {
		t.Errorf("the failure shows the token: %s", f.Message)
	}
}

func TestTagOrderRefusals(t *testing.T) {
	t.Parallel()
	sim, id := newShop(t)
	h, order := actionsAt(t, sim), fmt.Sprint(id)
	for name, c := range map[string]struct {
		order string
		tags  []string
		want  failure
	}{
		"unknown order":   {"999", []string{"a"}, failure{wire.NotFound, true, 0, "tagging order 999: Shopify: id Order does not exist"}},
		"not a number":    {"#1001", []string{"a"}, failure{wire.InvalidInput, true, 0, `"#1001" is not the id`}},
		"no order":        {"", []string{"a"}, failure{wire.InvalidInput, true, 0, "is not the id"}},
		"another kind":    {"gid://shopify/Customer/1", []string{"a"}, failure{wire.InvalidInput, true, 0, "is not the id"}},
		"no tag":          {order, []string{}, failure{wire.InvalidInput, true, 0, "no tag to add"}},
		"an empty tag":    {order, []string{"a", " "}, failure{wire.InvalidInput, true, 0, "a tag is empty"}},
		"a comma":         {order, []string{"a,b"}, failure{wire.InvalidInput, true, 0, "give two tags"}},
		"too many tags":   {order, make([]string, 251), failure{wire.InvalidInput, true, 0, "more than the 250"}},
		"a tag too long":  {order, []string{strings.Repeat("x", 41)}, failure{wire.InvalidInput, true, 0, "maximum length"}},
		"more than allow": {order, numbered(250), failure{wire.InvalidInput, true, 0, "Tags cannot be more than 250"}},
	} {
		_, err := tag(h, c.order, c.tags...)
		t.Log(name)
		c.want.check(t, err)
	}
	if got := sim.Tags(id); !slices.Equal(got, []string{"first", "Gift"}) {
		t.Errorf("a refused call left the tags %v", got)
	}
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("t", i)
	}
	return out
}

func TestTagOrderIsThrottled(t *testing.T) {
	t.Parallel()
	sim, id := newShop(t)
	h := actionsAt(t, sim)
	sim.Throttle(1)
	_, err := tag(h, fmt.Sprint(id), "a")
	failure{wire.RateLimited, false, 100 * time.Millisecond, "Throttled"}.check(t, err)
	if _, err := tag(h, fmt.Sprint(id), "a"); err != nil {
		t.Error(err)
	}
	sim.Break(503, 429)
	_, err = tag(h, fmt.Sprint(id), "b")
	failure{wire.Unavailable, false, 0, "HTTP 503"}.check(t, err)
	_, err = tag(h, fmt.Sprint(id), "b")
	failure{wire.RateLimited, false, 2 * time.Second, "HTTP 429"}.check(t, err)
}

// An empty bucket needs the time that is computed from what the call costs.
func TestThrottleWaitIsComputed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	sim, err := shopifysim.New(shopifysim.Config{Shop: shop, Token: token, Secret: secret, Points: 15, PointsPerSecond: 2, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(sim.AddOrder(shopifysim.Order{}))
	h := actionsAt(t, sim)
	if _, err := tag(h, id, "a"); err != nil {
		t.Fatal(err)
	}
	_, err = tag(h, id, "b") // 5 points left, 10 asked for, 2 a second
	failure{wire.RateLimited, false, 2500 * time.Millisecond, "Throttled"}.check(t, err)
	now = now.Add(2500 * time.Millisecond)
	if _, err := tag(h, id, "b"); err != nil {
		t.Error(err)
	}
}

// The layers in which the Admin API says no, and what is no answer at all.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header string // Retry-After
		body   string
		want   failure
	}{
		"bad token":             {401, "", `{"errors":"[API] Invalid API key or access token"}`, failure{wire.Unauthorized, true, 0, "set a new one"}},
		"no scope":              {403, "", `{"errors":"[API] This action requires merchant approval for write_orders scope."}`, failure{wire.Unauthorized, true, 0, "write_orders"}},
		"no shop":               {404, "", `{"errors":"Not Found"}`, failure{wire.NotFound, true, 0, "no such shop"}},
		"frozen":                {402, "", `{"errors":"Unavailable Shop"}`, failure{wire.Unavailable, false, 0, "HTTP 402"}},
		"locked":                {423, "", ``, failure{wire.Unavailable, false, 0, "no text"}},
		"limited":               {429, "3.5", ``, failure{wire.RateLimited, false, 3500 * time.Millisecond, "HTTP 429"}},
		"limited, no time":      {429, "soon", ``, failure{wire.RateLimited, false, 2 * time.Second, "HTTP 429"}},
		"limited for years":     {429, "1e300", ``, failure{wire.RateLimited, false, 10 * time.Minute, "HTTP 429"}},
		"limited, not a number": {429, "NaN", ``, failure{wire.RateLimited, false, 2 * time.Second, "HTTP 429"}},
		"bad gateway":           {502, "", "<html>\n<body> 502 </body>", failure{wire.Unavailable, false, 0, "<html> <body> 502"}},
		"bad request":           {400, "", `{"errors":{"query":"Required parameter missing or invalid"}}`, failure{wire.InvalidInput, true, 0, "HTTP 400"}},
		"errors as text":        {200, "", `{"errors":"Unprocessable"}`, failure{wire.InvalidInput, true, 0, "Unprocessable"}},
		"undefined field":       {200, "", `{"errors":[{"message":"Field 'x' doesn't exist on type 'Mutation'","extensions":{"code":"undefinedField"}}]}`, failure{wire.Internal, true, 0, "doesn't exist"}},
		"access denied":         {200, "", `{"data":{"tagsAdd":null},"errors":[{"message":"Access denied for tagsAdd field.","extensions":{"code":"ACCESS_DENIED"}}]}`, failure{wire.Unauthorized, true, 0, "Access denied"}},
		"partial data":          {200, "", `{"data":{"tagsAdd":{"node":{"tags":["a"]},"userErrors":[]}},"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, failure{wire.Unavailable, false, 0, "Internal error"}},
		"invalid id":            {200, "", `{"errors":[{"message":"Invalid id","extensions":{"code":"RESOURCE_NOT_FOUND"}}]}`, failure{wire.NotFound, true, 0, "Invalid id"}},
		"throttled, no cost":    {200, "", `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`, failure{wire.RateLimited, false, 2 * time.Second, "Throttled"}},
		"throttled": {200, "", `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":752,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":666,"restoreRate":50.0}}}}`,
			failure{wire.RateLimited, false, 1720 * time.Millisecond, "Throttled"}},
		"two reasons":   {200, "", `{"data":{"tagsAdd":{"node":null,"userErrors":[{"field":["tags"],"message":"are bad"},{"field":null,"message":"no"}]}}}`, failure{wire.InvalidInput, true, 0, "tags are bad; no"}},
		"no node":       {200, "", `{"data":{"tagsAdd":{"node":null,"userErrors":[]}}}`, failure{wire.NotFound, true, 0, "no such order"}},
		"null data":     {200, "", `{"data":null}`, failure{wire.Unavailable, false, 0, "neither data nor errors"}},
		"another shape": {200, "", `{"data":{"tagsAdd":[]}}`, failure{wire.Unavailable, false, 0, "shape"}},
		"no tagsAdd":    {200, "", `{"data":{}}`, failure{wire.Unavailable, false, 0, "no tagsAdd"}},
		"not JSON":      {200, "", `<html>`, failure{wire.Unavailable, false, 0, "not JSON"}},
		"too much":      {200, "", `{"data":"` + strings.Repeat("x", 5<<20) + `"}`, failure{wire.Unavailable, true, 0, "more than 4194304 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := actionsAt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			_, err := tag(h, "1", "a")
			c.want.check(t, err)
		})
	}
}

// A redirect would take the token along: Go keeps headers of that kind when the host changes.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 1)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.Header.Get("X-Shopify-Access-Token") }))
	defer thief.Close()
	for _, status := range []int{301, 302, 307, 308} {
		h := actionsAt(t, http.RedirectHandler(thief.URL, status))
		_, err := tag(h, "1", "a")
		failure{wire.NotFound, true, 0, "redirects to another address"}.check(t, err)
	}
	if len(reached) > 0 {
		t.Errorf("the token %q went elsewhere", <-reached)
	}
}

// roundTrip is a transport that must not be used.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Nothing leaves before the shop's name and the address are right.
func TestAccessIsCheckedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	var to string
	c, err := shopify.New(shopify.Config{HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		to = r.URL.String()
		return nil, errors.New("no network here")
	})}})
	if err != nil {
		t.Fatal(err)
	}
	h := sdktest.New(t, c.Actions())
	for name, a := range map[string]struct{ access, want string }{
		"the shop itself":     {`{"shop":"nordlicht.myshopify.com","token":"x"}`, "https://nordlicht.myshopify.com/admin/api/2026-10/graphql.json"},
		"a stand-in":          {`{"shop":"anything","token":"x","api_url":"http://127.0.0.1:9/base/"}`, "http://127.0.0.1:9/base/admin/api/2026-10/graphql.json"},
		"evil path":           {`{"shop":"evil.example/nordlicht.myshopify.com","token":"x"}`, ""},
		"upper case":          {`{"shop":"Nordlicht.myshopify.com","token":"x"}`, ""},
		"no shop":             {`{"shop":"","token":"x"}`, ""},
		"no token":            {`{"shop":"nordlicht.myshopify.com","token":""}`, ""},
		"another scheme":      {`{"shop":"nordlicht.myshopify.com","token":"x","api_url":"file:///etc/passwd"}`, ""},
		"a user in the URL":   {`{"shop":"nordlicht.myshopify.com","token":"x","api_url":"http://a@127.0.0.1"}`, ""},
		"a query in the URL":  {`{"shop":"nordlicht.myshopify.com","token":"x","api_url":"http://127.0.0.1/?x="}`, ""},
		"an address, no host": {`{"shop":"nordlicht.myshopify.com","token":"x","api_url":"https://"}`, ""},
	} {
		to = ""
		if err := h.Configure(json.RawMessage(a.access)); (err == nil) != (a.want != "") {
			t.Errorf("%s: configuring gives %v", name, err)
		}
		if _, err := tag(h, "1", "a"); err == nil || to != a.want {
			t.Errorf("%s: called %q, want %q (%v)", name, to, a.want, err)
		}
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(released) }))
	defer server.Close()
	c, err := shopify.New(shopify.Config{HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { cancel() }()
	result, err := c.Actions().Invoke(ctx, wire.Invocation{
		Action: "tag_order", Input: json.RawMessage(`{"order":"1","tags":["a"]}`), Config: json.RawMessage(`{"shop":"x","token":"x","api_url":"` + server.URL + `"}`),
	}, nil)
	if err != nil || result.Failure == nil || result.Failure.Code != wire.Unavailable || result.Failure.Permanent {
		t.Errorf("got %+v, %v", result, err)
	}
}

// A shop that answers in another version than asked for is worth a line in the log.
func TestVersionMismatchIsLogged(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Shopify-API-Version", "2027-01")
		_, _ = io.WriteString(w, `{"data":{"tagsAdd":{"node":{"tags":null},"userErrors":[]}}}`)
	}))
	defer server.Close()
	var log strings.Builder
	c, err := shopify.New(shopify.Config{HTTP: server.Client(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	result, err := c.Actions().Invoke(t.Context(), wire.Invocation{
		Action: "tag_order", Input: json.RawMessage(`{"order":"1","tags":["a"]}`), Config: json.RawMessage(`{"shop":"x","token":"hidden-token","api_url":"` + server.URL + `"}`),
	}, nil)
	if err != nil || string(result.Output) != `{"order":"1","tags":[]}` {
		t.Errorf("got %+v, %v", result, err)
	}
	if !strings.Contains(log.String(), "answered=2027-01") || strings.Contains(log.String(), "hidden-token") {
		t.Errorf("logged: %s", log.String())
	}
}

// publishedSchema is Shopify's Admin API of the default version.
func publishedSchema(t *testing.T) *ast.Schema {
	t.Helper()
	file, err := os.Open(published(t, "shopify/admin-api/admin_"+shopify.DefaultAPIVersion+".nodesc.graphql.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "admin", Input: string(source)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What the connector sends is valid in the published schema, and the simulator's schema is a part of it.
func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	sim, id := newShop(t)
	if _, err := tag(actionsAt(t, sim), fmt.Sprint(id), "a"); err != nil {
		t.Fatal(err)
	}
	for _, call := range sim.Calls() {
		if _, list := gqlparser.LoadQueryWithRules(schema, call.Query, rules.NewDefaultRules()); len(list) > 0 {
			t.Errorf("%s: %v", call.Operation, list)
		}
	}
	ours, err := gqlparser.LoadSchema(&ast.Source{Name: "simulator", Input: shopifysim.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range ours.Types {
		if typ.BuiltIn {
			continue
		}
		theirs := schema.Types[name]
		if theirs == nil || theirs.Kind != typ.Kind {
			t.Errorf("the published schema has no %s of the kind %s", name, typ.Kind)
			continue
		}
		for _, f := range typ.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			if p := theirs.Fields.ForName(f.Name); p == nil || signature(p) != signature(f) {
				t.Errorf("%s.%s is not as published", name, f.Name)
			}
		}
	}
}

func signature(f *ast.FieldDefinition) string {
	var b strings.Builder
	for _, a := range f.Arguments {
		fmt.Fprintf(&b, "%s:%s ", a.Name, a.Type)
	}
	return b.String() + f.Type.String()
}
