package shopify_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/connectors/connectortest"
	"github.com/shophand/shophand/sdk/event"
)

// Whatever the body and the unsigned headers are, there is an error or an event that keeps the rules.
func FuzzTranslate(f *testing.F) {
	for name, body := range fixtures(f) {
		f.Add(topicOf(f, name), "2026-03-14T09:27:01Z", body)
	}
	f.Add("themes/publish", "0000-01-01T00:00:00+14:00", []byte(`{"id":1}`))
	f.Add("orders/create", "9999-12-31T23:59:59-14:00", []byte(`{"id":"gid://shopify/Order/","total_price":1e999}`))
	c := newConnector(f)
	f.Fuzz(func(t *testing.T, topic, triggered string, body []byte) {
		_, _ = connectortest.Translate(t, c, event.Delivery{
			Platform: "shopify", Shop: shop, Body: body, ReceivedAt: time.Unix(1, 0),
			Header: map[string]string{"X-Shopify-Topic": topic, "X-Shopify-Triggered-At": triggered, "X-Shopify-Event-Id": "e"},
		})
	})
}

// A name that is taken for a shop leads to that shop and nowhere else.
func FuzzShopName(f *testing.F) {
	for _, name := range []string{"a.myshopify.com", "evil.example/a.myshopify.com", "a.myshopify.com:80", "A.myshopify.com", "ａ.myshopify.com"} {
		f.Add(name)
	}
	c := newConnector(f)
	f.Fuzz(func(t *testing.T, name string) {
		got, err := c.ShopName(http.Header{"X-Shopify-Shop-Domain": {name}})
		if err != nil {
			return
		}
		u, err := url.Parse("https://" + got + "/admin")
		if err != nil || u.Host != name || u.Hostname() != name || !strings.HasSuffix(u.Host, ".myshopify.com") || strings.Count(name, ".") != 2 || strings.ToLower(name) != name {
			t.Errorf("%q is taken for a shop: %v, %v", name, u, err)
		}
	})
}
