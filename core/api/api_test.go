package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/core/api"
	"github.com/shophand/shophand/core/host"
	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/plugins/klaviyo"
)

const token = "the-admin-token-of-this-test"

// TestMain lets this test binary be the klaviyo plugin, which has a secret in its configuration.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "klaviyo" {
		klaviyo.New().Serve()
		return
	}
	os.Exit(m.Run())
}

// newAPI returns the API of a host on an empty data folder.
func newAPI(t *testing.T) http.Handler {
	t.Helper()
	shopifyConnector, err := shopify.New(shopify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := klaviyo.New().Description()
	h, err := host.New(host.Config{
		Data: t.TempDir(), Listen: "127.0.0.1:8080", AdminToken: token, Version: "1.2.3", Passive: true,
		Shopify: shopifyConnector, WooCommerce: woocommerce.New(woocommerce.Config{}),
		Plugins: []pluginhost.Program{{Name: "klaviyo", Args: []string{"klaviyo"}, Description: &d}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return h.Handler()
}

// ask sends a request with the admin token and returns the status and the body of the answer.
func ask(h http.Handler, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// message returns the message of an error's body, "" where it has not the form of one.
func message(body string) string {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	d := json.NewDecoder(strings.NewReader(body))
	if d.Decode(&answer) != nil {
		return ""
	}
	return answer.Error.Message
}

// TestEveryRouteNeedsTheToken asks every address that there is without the token. Nothing behind it is touched:
// there is nothing.
func TestEveryRouteNeedsTheToken(t *testing.T) {
	t.Parallel()
	h := api.New(api.Config{Token: token})
	routes := h.(*gin.Engine).Routes()
	if len(routes) < 20 {
		t.Errorf("there are only %d routes", len(routes))
	}
	routes = append(routes, gin.RouteInfo{Method: "GET", Path: "/api/v1/nothing"}, gin.RouteInfo{Method: "GET", Path: "/"}, gin.RouteInfo{Method: "POST", Path: "/api/v2/shops"})
	for _, route := range routes {
		path := strings.NewReplacer(":name", "x", ":id", "x").Replace(route.Path)
		for name, header := range map[string]string{
			"none": "", "another": "Bearer another", "no scheme": token, "another scheme": "Token " + token, "a part": "Bearer " + token[:10], "more": "Bearer " + token + "x",
			"Basic": "Basic " + token, "an empty one": "Bearer ", "two": "Bearer Bearer " + token,
		} {
			r := httptest.NewRequest(route.Method, path, strings.NewReader(`{}`))
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized || message(w.Body.String()) != "the admin token is missing or wrong" || w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s with the token %q: %d %s", route.Method, route.Path, name, w.Code, w.Body)
			}
		}
	}
}

// TestNoTokenConfigured lets nobody in.
func TestNoTokenConfigured(t *testing.T) {
	t.Parallel()
	h := api.New(api.Config{})
	for _, header := range []string{"", "Bearer ", "Bearer"} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/version", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

const (
	wooShop = `{"platform":"woocommerce","name":"tea","url":"https://tea.example.com","key":"ck_of-the-shop","secret":"cs_of-the-shop","webhook_secret":"whs_of-the-shop"}`
	aFlow   = `flow: thanks\non: order.paid\nsteps:\n  - do: klaviyo/create_event\n    with: {metric: Paid, email: \"${customer.email}\"}\n`
)

// TestErrors asks in wrong ways: each is answered as JSON, with the right status and a word that helps.
func TestErrors(t *testing.T) {
	t.Parallel()
	h := newAPI(t)
	if status, body := ask(h, "POST", "/shops", wooShop); status != http.StatusCreated {
		t.Fatal(status, body)
	}
	if status, body := ask(h, "POST", "/flows", `{"source":"flow: hand\non: manual\nsteps:\n  - stop: done\n"}`); status != http.StatusOK {
		t.Fatal(status, body)
	}
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"no such address":          {"GET", "/llamas", "", 404, "there is nothing at /api/v1/llamas"},
		"no such method":           {"PATCH", "/shops", "", 404, "there is nothing at /api/v1/shops"},
		"a slash too many":         {"GET", "/shops/", "", 404, ""},
		"no body":                  {"POST", "/shops", "", 400, "the request's body: EOF"},
		"not JSON":                 {"POST", "/shops", "{nope", 400, "the request's body: invalid character"},
		"a list":                   {"POST", "/shops", "[]", 400, "the request's body: "},
		"two values":               {"POST", "/shops", wooShop + wooShop, 400, "there is more after its one JSON value"},
		"an unknown field":         {"POST", "/shops", `{"platform":"shopify","colour":"red"}`, 400, `unknown field "colour"`},
		"a field of another type":  {"POST", "/shops", `{"platform":7}`, 400, "cannot unmarshal number"},
		"an unknown field, flow":   {"POST", "/flows", `{"sauce":"x"}`, 400, `unknown field "sauce"`},
		"an unknown field, run":    {"POST", "/flows/hand/run", `{"shop":"tea","when":"now"}`, 400, `unknown field "when"`},
		"an unknown field, set":    {"PUT", "/connections", `{"plugin":"klaviyo","shop":"tea","key":"x"}`, 400, `unknown field "key"`},
		"too large":                {"POST", "/flows", `{"source":"` + strings.Repeat("x", 9<<20) + `"}`, 413, "too large"},
		"no platform":              {"POST", "/shops", `{"name":"x"}`, 400, `there is no platform ""; shopify and woocommerce are known`},
		"a shop again":             {"POST", "/shops", wooShop, 409, "shop tea: exists already"},
		"a shop that is not there": {"GET", "/shops/coffee", "", 404, "shop coffee: not found"},
		"an odd name":              {"GET", "/shops/%2e%2e%2f%2e%2e", "", 404, "shop ../..: not found"},
		"removing what is absent":  {"DELETE", "/shops/coffee", "", 404, "shop coffee: not found"},
		"a flow that is not there": {"GET", "/flows/absent", "", 404, "flow absent: not found"},
		"a flow of one shop only":  {"GET", "/flows/hand?shop=tea", "", 404, "flow hand: not found"},
		"a flow for no shop":       {"POST", "/flows", `{"source":"` + aFlow + `","shop":"coffee"}`, 404, "shop coffee: not found"},
		"a run of no shop":         {"POST", "/flows/hand/run", `{}`, 404, "not found"},
		"switching no flow":        {"POST", "/flows/absent/enable", "", 404, "flow absent: not found"},
		"no connection":            {"DELETE", "/connections?plugin=klaviyo&shop=tea&name=default", "", 404, "connection default of klaviyo for tea: not found"},
		"no plugin":                {"PUT", "/connections", `{"plugin":"smoke","shop":"tea","config":{}}`, 400, `there is no plugin "smoke"`},
		"no shop for it":           {"PUT", "/connections", `{"plugin":"klaviyo","shop":"coffee","config":{}}`, 404, "shop coffee: not found"},
		"no configuration":         {"PUT", "/connections", `{"plugin":"klaviyo","shop":"tea"}`, 400, "klaviyo refuses this configuration"},
		"a run that is not there":  {"GET", "/runs/01", "", 404, "run 01: not found"},
		"an event that is not":     {"GET", "/events/01", "", 404, "event 01: not found"},
		"replaying what is not":    {"POST", "/events/01/replay", "", 404, "event 01: not found"},
		"a limit of nothing":       {"GET", "/runs?limit=0", "", 400, "limit must be a number from 1 to 10000"},
		"a limit too high":         {"GET", "/events?limit=10001", "", 400, "limit must be a number from 1 to 10000"},
		"a limit that is none":     {"GET", "/events?limit=many", "", 400, "limit must be a number from 1 to 10000"},
		"a time that is none":      {"GET", "/runs?since=yesterday", "", 400, "since must be a time"},
		"a status that is none":    {"GET", "/runs?status=done", "", 400, `there is no status "done" of runs; there are running, waiting`},
		"an outcome that is none":  {"GET", "/events?status=done", "", 400, `there is no outcome "done" of events; there are processed`},
		"a type that is none":      {"GET", "/events?type=order.payed", "", 400, `there is no event type "order.payed"`},
	} {
		status, body := ask(h, test.method, test.path, test.body)
		if status != test.status || message(body) == "" || !strings.Contains(message(body), test.says) {
			t.Errorf("%s: %d %s, want %d with %q", name, status, body, test.status, test.says)
		}
	}
	if status, body := ask(h, "GET", "/shops", ""); status != http.StatusOK || strings.Count(body, `"name"`) != 1 {
		t.Errorf("after all of this the shops are %s", body)
	}
}

// TestFindings has a flow refused: the answer holds every finding, with its place and as a line of text.
func TestFindings(t *testing.T) {
	t.Parallel()
	h := newAPI(t)
	for _, path := range []string{"/flows", "/flows/validate"} {
		status, body := ask(h, "POST", path, `{"file":"x.yaml","source":"flow: x\non: order.payed\nsteps:\n  - do: klaviyo/nothing\n"}`)
		var answer struct {
			Error struct {
				Message  string
				Findings []struct {
					File, Text   string
					Line, Column int
					Warning      bool
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusUnprocessableEntity || answer.Error.Message != "x.yaml is refused" {
			t.Fatalf("%s: %d %s, %v", path, status, body, err)
		}
		f := answer.Error.Findings
		if len(f) != 2 || f[0].Text != `x.yaml:2:5: there is no event type "order.payed"; did you mean order.paid?` || f[0].Line != 2 || f[0].Column != 5 || f[0].File != "x.yaml" || f[1].Line != 4 {
			t.Errorf("%s: the findings are %+v", path, f)
		}
	}
	if _, body := ask(h, "GET", "/flows", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("a refused flow is there: %s", body)
	}
}

// TestSecretsStayInside gives secrets in every way that there is, right and wrong, and looks for them in every
// answer.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	h := newAPI(t)
	const key = "pk_0123456789abcdef0123456789abcdef01"
	secrets := []string{"ck_of-the-shop", "cs_of-the-shop", "whs_of-the-shop", "shpat_of-the-shop", "apis_of-the-shop", key, "pk_wrong-one", token}
	answers := map[string]string{}
	do := func(method, path, body string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, want)
		}
		var headers bytes.Buffer
		_ = w.Header().Write(&headers)
		answers[fmt.Sprintf("%s %s %.60s", method, path, body)] = headers.String() + w.Body.String()
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be kept by caches", method, path)
		}
	}
	do("POST", "/shops", wooShop, 201)
	do("POST", "/shops", wooShop, 409)
	do("POST", "/shops", strings.Replace(wooShop, "https://tea.example.com", "tea", 1), 400)
	do("POST", "/shops", strings.Replace(wooShop, `"tea"`, `"Tea and more"`, 1), 400)
	do("POST", "/shops", `{"platform":"shopify","name":"tea.myshopify.com","token":"shpat_of-the-shop","webhook_secret":"apis_of-the-shop"}`, 201)
	do("POST", "/shops", `{"platform":"shopify","name":"tea","token":"shpat_of-the-shop"}`, 400)
	do("POST", "/shops", `{"platform":"shopify","name":"tea","token":["shpat_of-the-shop"]}`, 400)
	do("PUT", "/connections", `{"plugin":"klaviyo","shop":"tea","config":{"api_key":"`+key+`"}}`, 204)
	do("PUT", "/connections", `{"plugin":"klaviyo","shop":"tea","config":{"api_key":"pk_wrong-one","colour":"red"}}`, 400)
	do("PUT", "/connections", `{"plugin":"klaviyo","shop":"tea","config":{"api_key":["pk_wrong-one"]}}`, 400)
	do("PUT", "/connections", `{"plugin":"klaviyo","shop":"tea","config":"pk_wrong-one"}`, 400)
	for _, path := range []string{"/version", "/shops", "/shops/tea", "/shops/tea.myshopify.com", "/connections", "/connections?shop=tea", "/flows", "/runs", "/events", "/plugins"} {
		do("GET", path, "", 200)
	}
	for request, answer := range answers {
		for _, secret := range secrets {
			if strings.Contains(answer, secret) {
				t.Errorf("%s shows %s: %s", request, secret, answer)
			}
		}
	}
	if list := answers["GET /connections "]; !strings.Contains(list, `"api_key":"***"`) {
		t.Errorf("the connections are shown as %s", list)
	}
}

// TestAnswersAreJSON looks at the form of what is shown: lists that are empty are lists, and text is as it is.
func TestAnswersAreJSON(t *testing.T) {
	t.Parallel()
	h := newAPI(t)
	for _, path := range []string{"/shops", "/connections", "/flows", "/runs", "/events"} {
		if status, body := ask(h, "GET", path, ""); status != http.StatusOK || strings.TrimSpace(body) != "[]" {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := ask(h, "POST", "/flows", `{"source":"flow: x\nname: A <b> & c\non: manual\nsteps:\n  - stop: \"> 1\"\n"}`); status != http.StatusOK || !strings.Contains(body, `"A <b> & c"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(h, "GET", "/version", ""); status != http.StatusOK || strings.TrimSpace(body) != `{"version":"1.2.3"}` {
		t.Errorf("%d %s", status, body)
	}
}
