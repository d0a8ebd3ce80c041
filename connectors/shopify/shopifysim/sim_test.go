package shopifysim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
)

func newSim(t *testing.T, change func(*shopifysim.Config)) *shopifysim.Sim {
	t.Helper()
	c := shopifysim.Config{Shop: "nordlicht.myshopify.com", Token: "right", Secret: "s3cret", Now: func() time.Time { return time.Unix(1773478800, 0) }}
	if change != nil {
		change(&c)
	}
	sim, err := shopifysim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// ask posts a document to the Admin API.
func ask(t *testing.T, sim *shopifysim.Sim, token, query string, variables map[string]any) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/admin/api/2026-10/graphql.json", strings.NewReader(string(body)))
	r.Header.Set("X-Shopify-Access-Token", token)
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, out
}

func TestAdminAPI(t *testing.T) {
	t.Parallel()
	sim := newSim(t, nil)
	id := sim.AddOrder(shopifysim.Order{Tags: []string{"One"}})
	order := fmt.Sprintf("gid://shopify/Order/%d", id)
	const cost = `{"cost":{"actualQueryCost":10,"requestedQueryCost":10,"throttleStatus":{"currentlyAvailable":%d,"maximumAvailable":2000,"restoreRate":100}}}`
	for _, c := range []struct {
		name, query string
		variables   map[string]any
		want        string // data and errors
	}{
		{"tagsAdd", `mutation($id: ID!, $t: [String!]!) { tagsAdd(id: $id, tags: $t) { node { id ... on Order { tags } } userErrors { message } } }`,
			map[string]any{"id": order, "t": []string{"two", "ONE"}}, `{"tagsAdd":{"node":{"id":"` + order + `","tags":["One","two"]},"userErrors":[]}}null`},
		{"one text for a list, with commas", `mutation($id: ID!) { tagsAdd(id: $id, tags: "three, two") { node { ...o } } } fragment o on Order { tags }`,
			map[string]any{"id": order}, `{"tagsAdd":{"node":{"tags":["One","two","three"]}}}null`},
		{"aliases, __typename and @skip", `query($no: Boolean!) { a: order(id: "` + order + `") { __typename n: name tags @skip(if: $no) id @include(if: false) } }`,
			map[string]any{"no": true}, `{"a":{"__typename":"Order","n":"#1001"}}null`},
		{"an order that is not there", `{ order(id: "gid://shopify/Order/1") { id } }`, nil, `{"order":null}null`},
		{"tagging it", `mutation { tagsAdd(id: "gid://shopify/Order/1", tags: ["a"]) { node { id } userErrors { field message } } }`, nil,
			`{"tagsAdd":{"node":null,"userErrors":[{"field":["id"],"message":"Order does not exist"}]}}null`},
		{"an unknown operation", `mutation { orderEat(id: 1) { id } }`, nil,
			`null[{"extensions":{"code":"undefinedField","fieldName":"orderEat","typeName":"Mutation"},"locations":[{"column":12,"line":1}],"message":"Field 'orderEat' doesn't exist on type 'Mutation'"}]`},
	} {
		status, out := ask(t, sim, "right", c.query, c.variables)
		data, _ := json.Marshal(out["data"])
		errs, _ := json.Marshal(out["errors"])
		if got := string(data) + string(errs); status != http.StatusOK || got != c.want {
			t.Errorf("%s: HTTP %d, got\n%s\nwant\n%s", c.name, status, got, c.want)
		}
	}
	for name, query := range map[string]string{
		"no GraphQL": "hello", "a missing variable": `mutation($id: ID!) { tagsAdd(id: $id, tags: []) { node { id } } }`,
		"a missing argument": `mutation { tagsAdd(id: "1") { node { id } } }`, "a subscription": `subscription { order { id } }`,
	} {
		if status, out := ask(t, sim, "right", query, nil); status != http.StatusOK || out["data"] != nil || out["errors"] == nil {
			t.Errorf("%s: HTTP %d %v", name, status, out)
		}
	}
	for _, token := range []string{"", "wrong"} {
		if status, out := ask(t, sim, token, `{ order(id: "1") { id } }`, nil); status != http.StatusUnauthorized || !strings.HasPrefix(fmt.Sprint(out["errors"]), "[API] Invalid API key") {
			t.Errorf("token %q: HTTP %d %v", token, status, out)
		}
	}
	_, out := ask(t, sim, "right", `mutation { tagsAdd(id: "`+order+`", tags: "x") { node { id } } }`, nil)
	if got, _ := json.Marshal(out["extensions"]); string(got) != fmt.Sprintf(cost, 2000-4*10-2*1) {
		t.Errorf("cost: %s", got)
	}
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/admin/api/2020-01/graphql.json", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("another version: HTTP %d", w.Code)
	}
	if calls := sim.Calls(); len(calls) != 14 || calls[len(calls)-1].Status != http.StatusNotFound {
		t.Errorf("%d calls", len(calls))
	}
}

// received is a webhook as the receiver got it.
type received struct {
	header http.Header
	body   string
}

func receiver(t *testing.T) (url string, all func() []received) {
	t.Helper()
	var mu sync.Mutex
	var got []received
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, received{r.Header.Clone(), string(body)})
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []received { mu.Lock(); defer mu.Unlock(); return got }
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	n := 0
	sim := newSim(t, func(c *shopifysim.Config) { c.NewID = func() string { n++; return fmt.Sprint("id-", n) } })
	url, all := receiver(t)
	connector, err := shopify.New(shopify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	body, err := sim.OrderBody(sim.AddOrder(shopifysim.Order{Lines: []shopifysim.Line{{Title: "a < b & c", Quantity: 1, Price: commerce.MustDecimal("1")}}}))
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(status int, err error) {
		t.Helper()
		if err != nil || status != http.StatusAccepted {
			t.Fatalf("HTTP %d, %v", status, err)
		}
	}
	deliver(sim.Deliver(t.Context(), url, "orders/create", body))
	first := sim.Deliveries()[0]
	deliver(sim.Redeliver(t.Context(), url, first))
	deliver(sim.Redeliver(t.Context(), url, sim.Duplicate(first)))
	deliver(sim.Deliver(t.Context(), url, "orders/create", body))
	deliver(sim.Forge(t.Context(), url, "orders/create", body))

	got := all()
	type ids struct{ webhook, event string }
	var seen []ids
	for i, r := range got {
		if err := connector.Verify(r.header, []byte(r.body), []sdk.Secret{"s3cret"}); (err == nil) != (i < 4) {
			t.Errorf("delivery %d: %v", i, err)
		}
		if name, err := connector.ShopName(r.header); err != nil || name != "nordlicht.myshopify.com" || r.body != string(body) {
			t.Errorf("delivery %d: %s, %v", i, name, err)
		}
		seen = append(seen, ids{r.header.Get("X-Shopify-Webhook-Id"), r.header.Get("X-Shopify-Event-Id")})
	}
	seen = seen[:4]
	one := seen[0]
	if seen[1] != one || seen[2].event != one.event || seen[2].webhook == one.webhook || seen[3].event == one.event || seen[3].webhook == one.webhook {
		t.Errorf("ids: %v", seen)
	}
	if !strings.Contains(got[0].body, `"a < b & c"`) {
		t.Error("the body is escaped as Shopify's is not")
	}
	if status, err := sim.Deliver(t.Context(), "http://127.0.0.1:1", "orders/create", body); err == nil {
		t.Errorf("nobody there: HTTP %d", status)
	}
}

// The headers are those that Shopify documents.
func TestHeadersAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "shopify", "webhook_headers.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	var doc struct {
		Example  map[string]string
		Optional []string
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	d := newSim(t, nil).Delivery("orders/create", []byte("{}"))
	for name := range doc.Example {
		if d.Header.Get(name) == "" && !reflect.DeepEqual([]string{name}, doc.Optional[:1]) {
			t.Errorf("%s is missing", name)
		}
	}
	if uuid := d.Header.Get("X-Shopify-Event-Id"); len(uuid) != 36 || uuid[14] != '4' {
		t.Errorf("event id %q is no random UUID", uuid)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	sim := newSim(t, nil)
	id := sim.AddOrder(shopifysim.Order{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ask(t, sim, "right", fmt.Sprintf(`mutation { tagsAdd(id: "gid://shopify/Order/%d", tags: "t%d") { node { id } } }`, id, i), nil)
			if err := sim.ChangeOrder(id, func(o *shopifysim.Order) { o.Note += "x" }); err != nil {
				t.Error(err)
			}
			if _, err := sim.OrderBody(id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tags := sim.Tags(id); len(tags) != 20 || len(sim.Calls()) != 20 {
		t.Errorf("tags %v", tags)
	}
}

func TestNewNeedsWhatAShopHas(t *testing.T) {
	t.Parallel()
	for _, c := range []shopifysim.Config{{}, {Shop: "s", Token: "t"}, {Shop: "s", Secret: "x"}, {Token: "t", Secret: "x"}} {
		if _, err := shopifysim.New(c); err == nil {
			t.Errorf("%+v makes a shop", c)
		}
	}
}
