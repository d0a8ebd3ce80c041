package main

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/shophand/shophand/core/engine"
)

// answerTest is a request that starts nothing: how it is answered, and the reason under which it is kept; ""
// where nothing may be kept of it.
type answerTest struct {
	delivery
	status int
	reason string
}

// answerTests is design.md's contract of the webhooks.
func answerTests(t *testing.T) map[string]answerTest {
	order, wooOrder := shopifyOrder(1, "#1", "10.00").json(t), wooOrder(1, "1", "10.00").json(t)
	large := []byte(`{"id":1,"x":"` + strings.Repeat("a", 6<<20) + `"}`)
	shopify := func(change func(*delivery)) delivery {
		d := fromShopify("orders/create", order)
		change(&d)
		return d
	}
	woo := func(change func(*delivery)) delivery {
		d := fromWoo("order.created", wooOrder)
		change(&d)
		return d
	}
	wooBody := func(topic, body string) delivery { return fromWoo(topic, []byte(body)) }
	header := func(name, value string) func(*delivery) {
		return func(d *delivery) { d.header = map[string]string{name: value} }
	}
	ping := func(d *delivery) {
		d.header, d.body = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte("webhook_id=7")
		for _, name := range []string{"Topic", "Resource", "Event", "Signature", "ID", "Delivery-ID", "Source"} {
			d.header["X-WC-Webhook-"+name] = ""
		}
	}

	tests := map[string]answerTest{
		// Forged, changed, or signed with nothing: 401 and not a trace.
		"shopify: another secret":    {shopify(func(d *delivery) { d.secret = "another" }), 401, ""},
		"shopify: the empty secret":  {shopify(func(d *delivery) { d.secret = "" }), 401, ""},
		"shopify: no signature":      {shopify(header("X-Shopify-Hmac-Sha256", "")), 401, ""},
		"shopify: not base64":        {shopify(header("X-Shopify-Hmac-Sha256", "!!!")), 401, ""},
		"shopify: compliance forged": {delivery{platform: "shopify", shop: shopifyShop, topic: "customers/redact", secret: "another", body: []byte(`{"shop_id":1}`)}, 401, ""},
		"woo: another secret":        {woo(func(d *delivery) { d.secret = "another" }), 401, ""},
		"woo: the empty secret":      {woo(func(d *delivery) { d.secret = "" }), 401, ""},
		"woo: no signature":          {woo(header("X-WC-Webhook-Signature", "")), 401, ""},
		"woo: the app's secret":      {woo(func(d *delivery) { d.secret = appSecret }), 401, ""},

		// A WooCommerce shop is in the path.
		"woo: unknown shop":         {woo(func(d *delivery) { d.shop = "nobody" }), 404, ""},
		"woo: a shop of Shopify's":  {woo(func(d *delivery) { d.shop = shopifyShop }), 404, ""},
		"woo: an odd path":          {woo(func(d *delivery) { d.path = "/webhooks/woocommerce/teashop%2F..%2Fx" }), 404, ""},
		"woo: a path outside of it": {woo(func(d *delivery) { d.path = "/webhooks/woocommerce/" }), 404, ""},

		// Too large, signed or not.
		"shopify: 6 MiB":                {fromShopify("orders/create", large), 413, ""},
		"woo: 6 MiB":                    {fromWoo("order.created", large), 413, ""},
		"shopify: 6 MiB without a sign": {delivery{platform: "shopify", shop: shopifyShop, topic: "orders/create", secret: "another", body: large}, 413, ""},

		// WooCommerce's first contact.
		"woo: ping":           {woo(ping), 200, ""},
		"woo: ping of nobody": {woo(func(d *delivery) { ping(d); d.shop = "nobody" }), 404, ""},

		// Signed, so it is kept, with the reason why it is of no use.
		"shopify: not JSON":         {fromShopify("orders/create", []byte(`{nope`)), 200, `^orders/create: the body is not JSON: `},
		"shopify: empty":            {fromShopify("orders/create", nil), 200, `^orders/create: the body is not JSON: `},
		"shopify: not UTF-8":        {fromShopify("orders/create", []byte("{\"id\":1,\"name\":\"\xff\"}")), 200, `^orders/create: the body is not JSON: it is not UTF-8`},
		"shopify: an array":         {fromShopify("orders/create", []byte(`[{"id":1}]`)), 200, `^orders/create: the body is array, not an object`},
		"shopify: no id":            {fromShopify("orders/create", []byte(`{"name":"#1"}`)), 200, `^orders/create: the body has no id`},
		"shopify: another shape":    {fromShopify("orders/create", []byte(`{"id":2,"line_items":{"a":1}}`)), 200, `^orders/create: the field line_items holds object, which is not a list`},
		"shopify: no amount":        {fromShopify("orders/create", []byte(`{"id":2,"total_price":"a lot"}`)), 200, `^orders/create: .*total_price`},
		"shopify: unknown topic":    {fromShopify("llamas/shorn", order), 200, `^shopify has no topic "llamas/shorn" that Shophand knows`},
		"shopify: no topic":         {shopify(header("X-Shopify-Topic", "")), 200, `^header X-Shopify-Topic is missing`},
		"shopify: untold topic":     {fromShopify("orders/edited", order), 200, `^shopify topic orders/edited has no event in Shophand: .*orders/updated`},
		"shopify: unknown shop":     {shopify(func(d *delivery) { d.shop = "nobody.myshopify.com" }), 200, `^unknown shop nobody\.myshopify\.com: add it with .shophand shop add shopify nobody\.myshopify\.com. and replay`},
		"woo: not JSON":             {wooBody("order.created", `{nope`), 200, `^woocommerce topic order\.created: the body is not a JSON object`},
		"woo: an array":             {wooBody("order.created", `[1]`), 200, `^woocommerce topic order\.created: the body is not a JSON object`},
		"woo: no id":                {wooBody("order.created", `{"total":"1.00"}`), 200, `^woocommerce topic order\.created: the body has no id`},
		"woo: unknown topic":        {wooBody("llama.shorn", `{"id":1}`), 200, `^woocommerce topic "?llama\.shorn`},
		"woo: the old API's error":  {wooBody("order.updated", `{"code":"woocommerce_rest_invalid_shop_order_id","message":"Invalid ID.","data":{"status":404}}`), 200, `^woocommerce topic order\.updated: WooCommerce sent an error in the place of the order: "Invalid ID\.".*over v3`},
		"woo: an error of rights":   {wooBody("order.updated", `{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot view this resource.","data":{"status":401}}`), 200, `^woocommerce topic order\.updated: WooCommerce sent an error .*shop manager`},
		"woo: a resource that left": {wooBody("product.updated", `{"code":"woocommerce_rest_product_invalid_id","message":"Invalid ID.","data":{"status":404}}`), 200, `^woocommerce topic product\.updated: WooCommerce sent an error .*deleted before`},
	}
	for _, topic := range []string{"customers/data_request", "customers/redact", "shop/redact"} {
		body := []byte(`{"shop_id":954889,"shop_domain":"gone.myshopify.com"}`)
		tests["shopify: "+topic] = answerTest{fromShopify(topic, body), 200, `^shopify topic ` + topic + ` `}
		gone := fromShopify(topic, body)
		gone.shop = "gone.myshopify.com"
		tests["shopify: "+topic+" of a shop that is gone"] = answerTest{gone, 200, `^unknown shop gone\.myshopify\.com`}
	}
	for name, shop := range map[string]string{
		"none": "", "with a path": "evil.example/tea.myshopify.com", "with a path behind": "tea-and-pots.myshopify.com/evil", "with a port": "tea-and-pots.myshopify.com:443",
		"with a user": "user@tea-and-pots.myshopify.com", "in capitals": "Tea-And-Pots.myshopify.com", "with letters of others": "tëa.myshopify.com",
		"in punycode's form": "xn--ta-fka.myshopify.com.evil.example", "with a dot at its end": "tea-and-pots.myshopify.com.", "of no name": ".myshopify.com",
		"of a folder": "../tea-and-pots.myshopify.com", "with a dot more": "tea.and.pots.myshopify.com", "with a space": "tea and pots.myshopify.com", "with a query": "tea-and-pots.myshopify.com?x=",
		"with an end of line": "tea-and-pots.myshopify.com%0a", "of another": "myshopify.com", "endless": strings.Repeat("a", 5000) + ".myshopify.com",
	} {
		tests["shopify: a shop's name "+name] = answerTest{shopify(func(d *delivery) { d.header = map[string]string{"X-Shopify-Shop-Domain": shop} }), 401, ""}
	}
	return tests
}

// TestAnswers sends what must start nothing, and looks at what the host keeps of it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	h := newHouse(t)
	h.serve()
	h.shops()
	for _, on := range []string{"order.created", "order.updated", "product.updated", "customer.updated"} {
		h.flow("flow: any-" + strings.ReplaceAll(on, ".", "-") + "\non: " + on + "\nsteps:\n  - do: http/request\n    with: {method: POST, url: \"" + sink.URL() + "/any\", json: {id: started}}\n")
	}

	tests := answerTests(t)
	reasons := map[string]*regexp.Regexp{}
	for name, test := range tests {
		status, text, err := test.send(h.url)
		if err != nil || status != test.status {
			t.Errorf("%s: answered %d %q, %v; want %d", name, status, text, err, test.status)
		}
		if len(text) > 300 || strings.Contains(text, appSecret) || strings.Contains(text, wooSecret) {
			t.Errorf("%s: answered at length, or with a secret: %q", name, text)
		}
		if test.reason != "" {
			reasons[name] = regexp.MustCompile(test.reason)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"a changed byte": func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader(shopifyOrder(1, "#2", "10.00").json(t))) // of the same length
		},
		"two shops": func(r *http.Request) { r.Header.Add("X-Shopify-Shop-Domain", "evil.myshopify.com") },
		"two signs": func(r *http.Request) { r.Header.Add("X-Shopify-Hmac-Sha256", "AAAA") },
	} {
		r, err := fromShopify("orders/create", shopifyOrder(1, "#1", "10.00").json(t)).request(h.url)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("shopify: %s: answered %d, %v", name, resp.StatusCode, err)
		}
	}
	for _, path := range []string{"/webhooks/shopify", "/webhooks/woocommerce/" + wooShop} {
		resp, err := http.Get(h.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != http.MethodPost {
			t.Errorf("GET %s: %d, %v", path, resp.StatusCode, err)
		}
	}

	// Each of those kept is found with its reason, and nothing else is.
	var rejected []engine.Event
	if !within(patience, func() bool {
		rejected = listed[engine.Event](h, "event", "list", "--rejected", "--limit", "1000")
		return len(rejected) >= len(reasons)
	}) || len(rejected) != len(reasons) {
		t.Errorf("%d deliveries are kept as rejected, want %d", len(rejected), len(reasons))
	}
	for name, reason := range reasons {
		found := 0
		for _, e := range rejected {
			if reason.MatchString(e.Reason) && e.Shop == tests[name].shop {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s: no rejected event of %s gives the reason %s", name, tests[name].shop, reason)
		}
	}
	for _, e := range rejected {
		if e.Outcome != engine.Rejected || e.ID == "" || len(e.Runs) != 0 || e.ReceivedAt.IsZero() {
			t.Errorf("listed as %+v", e)
		}
	}
	if all := listed[engine.Event](h, "event", "list", "--limit", "1000"); len(all) != len(rejected) {
		t.Errorf("%d events are kept, %d of them rejected: something was taken that must not be", len(all), len(rejected))
	}
	if t.Failed() {
		for _, e := range rejected {
			t.Logf("%s: %s", e.Shop, e.Reason)
		}
	}

	// And none of it has started anything: what comes after it does.
	h.accepted(fromShopify("orders/create", shopifyOrder(900, "#900", "10.00").json(t)))
	h.accepted(fromWoo("order.created", wooOrder(901, "901", "10.00").json(t)))
	h.finished("any-order-created", 2)
	if runs := listed[engine.Run](h, "run", "list", "--limit", "1000"); len(runs) != 2 || len(sink.all()) != 2 {
		t.Errorf("there are %d runs and %d requests, want 2", len(runs), len(sink.all()))
	}

	for _, count := range []string{
		`shophand_deliveries_total{answer="accepted",platform="shopify"} `, `shophand_deliveries_total{answer="unauthorized",platform="shopify"} `,
		`shophand_deliveries_total{answer="too_large",platform="woocommerce"} 1`, `shophand_deliveries_total{answer="ping",platform="woocommerce"} 1`,
	} {
		if metrics := get(t, h.url+"/metrics"); !strings.Contains(metrics, count) || strings.Contains(metrics, count+"0\n") {
			t.Errorf("the metrics do not count %s", count)
		}
	}
}

// TestNoSecret configures nothing to check signatures with: nothing is taken, a signature with nothing least.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string]string{"none": "", "empty ones": " , ,"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "SHOPIFY_API_SECRET="+secrets)
			h.serve()
			h.shops()
			for _, secret := range []string{"", " ", ",", appSecret} {
				d := fromShopify("orders/create", shopifyOrder(1, "#1", "10.00").json(t))
				d.secret = secret
				if status, text, err := d.send(h.url); err != nil || status != http.StatusUnauthorized {
					t.Errorf("signed with %q: %d %s, %v", secret, status, text, err)
				}
			}
			if all := listed[engine.Event](h, "event", "list"); len(all) != 0 {
				t.Errorf("kept: %+v", all)
			}
		})
	}
}

// TestRotation takes webhooks that are signed with any of the app's secrets, and of a shop with its own only
// with that.
func TestRotation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "SHOPIFY_API_SECRET=new-secret, old-secret")
	h.serve()
	h.shops()
	h.run("shop", "add", "shopify", "own.myshopify.com", "--token", "shpat_own", "--api-secret", "own-secret", "--api-url", "http://127.0.0.1:9")
	for name, test := range map[string]struct {
		shop, secret string
		status       int
	}{
		"new": {shopifyShop, "new-secret", 200}, "old": {shopifyShop, "old-secret", 200}, "both": {shopifyShop, "new-secret, old-secret", 401},
		"own": {"own.myshopify.com", "own-secret", 200}, "the app's for a shop with its own": {"own.myshopify.com", "new-secret", 401},
		"another's own": {shopifyShop, "own-secret", 401},
	} {
		d := fromShopify("orders/create", shopifyOrder(1, "#1", "10.00").json(t))
		d.shop, d.secret = test.shop, test.secret
		if status, text, err := d.send(h.url); err != nil || status != test.status {
			t.Errorf("%s: %d %s, %v; want %d", name, status, text, err, test.status)
		}
	}
}
