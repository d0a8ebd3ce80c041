package shopify_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/sdk"
)

func TestShopName(t *testing.T) {
	t.Parallel()
	c := newConnector(t)
	for name, valid := range map[string]bool{
		"nordlicht.myshopify.com": true, "a.myshopify.com": true, "0-9--x.myshopify.com": true,
		"": false, "myshopify.com": false, ".myshopify.com": false, "-a.myshopify.com": false, "a.b.myshopify.com": false,
		"Nordlicht.myshopify.com": false, "nordlicht.MyShopify.com": false, "nordlicht.myshopify.com.": false,
		"nordlicht.myshopify.com/": false, "evil.example/myshopify.com": false, "evil.example/x.myshopify.com": false,
		"x.myshopify.com.evil.example": false, "x@evil.example#.myshopify.com": false, "nördlicht.myshopify.com": false,
		" a.myshopify.com": false, "a.myshopify.com\n": false, "a_b.myshopify.com": false, "http://a.myshopify.com": false,
		strings.Repeat("a", 300) + ".myshopify.com": false,
	} {
		for _, header := range []string{"X-Shopify-Shop-Domain", "Shopify-Shop-Domain"} {
			h := http.Header{}
			h.Set(header, name)
			got, err := c.ShopName(h)
			if (err == nil) != valid || valid && got != name || (shopify.ValidShopName(name) == nil) != valid {
				t.Errorf("%s %q: got %q, %v; want valid %v", header, name, got, err, valid)
			}
		}
	}
	if _, err := c.ShopName(nil); err == nil {
		t.Error("no header is a shop")
	}
	twice := http.Header{"X-Shopify-Shop-Domain": {"a.myshopify.com", "b.myshopify.com"}}
	if got, err := c.ShopName(twice); err == nil {
		t.Errorf("two shops in one request are %s", got)
	}
}

// The newer kind of delivery names its headers without X-, and is the same to the host.
func TestHeadersWithoutX(t *testing.T) {
	t.Parallel()
	c, body := newConnector(t), []byte(`{"id":1}`)
	old, young := headers("orders/create"), http.Header{}
	for name := range old {
		young.Set(strings.TrimPrefix(name, "X-"), old.Get(name))
	}
	young.Set("Shopify-Hmac-Sha256", shopifysim.Sign(body, "s"))
	if err := c.Verify(young, body, []sdk.Secret{"s"}); err != nil {
		t.Error(err)
	}
	if err := c.Verify(young, body, []sdk.Secret{"t"}); err == nil {
		t.Error("a wrong signature was taken")
	}
	kept, want := c.KeepHeaders(young), c.KeepHeaders(old)
	if len(want) != 6 || len(kept) != len(want) {
		t.Fatalf("kept %v, want %v", kept, want)
	}
	for name, value := range want {
		if kept[name] != value {
			t.Errorf("%s is kept as %q, want %q", name, kept[name], value)
		}
	}
	long := headers("orders/create")
	long.Set("X-Shopify-Event-Id", strings.Repeat("x", 5000))
	if _, ok := c.KeepHeaders(long)["X-Shopify-Event-Id"]; ok {
		t.Error("a header of 5000 bytes is kept")
	}
}

func TestNewRefusesVersionsThatAreNone(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{"": true, "2026-10": true, "2027-01": true, "2026-1": false, "2026-02": false, "unstable": false, "2026-10/../x": false} {
		if _, err := shopify.New(shopify.Config{APIVersion: version}); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", version, err, ok)
		}
	}
}
