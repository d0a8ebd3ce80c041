package woocommerce_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/sdk"
)

func signature(secret string, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h := http.Header{}
	h.Set("X-WC-Webhook-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

// WooCommerce signs with the secret after wp_specialchars_decode, which decodes these and only these.
func TestVerifyWithDecodedSecret(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":1}`)
	for _, c := range []struct{ set, signs string }{
		{"x&amp;y", "x&y"},
		{"x&y", "x&y"},
		{"&lt;&gt;&quot;", `<>"`},
		{"&#039;&#39;&#x27;&#x0027;", "''''"},
		{"&#34;&#0034;&#x22;", `"""`},
		{"&#060;&#62;&#38;&#x26;", "<>&&"},
		{"&amp;lt;", "&lt;"},
		{"&eacute;&nbsp;&#65;", "&eacute;&nbsp;&#65;"},
		{"&;&#;&#x;&amp", "&;&#;&#x;&amp"},
		{"&&amp;&", "&&&"},
		{"&amp;ü;", "&ü;"},
		{" spaced ", " spaced "},
	} {
		if err := woocommerce.New(woocommerce.Config{}).Verify(signature(c.signs, body), body, []sdk.Secret{sdk.Secret(c.set)}); err != nil {
			t.Errorf("the secret %q does not verify what WooCommerce signs with %q: %v", c.set, c.signs, err)
		}
	}
}

func TestIsPing(t *testing.T) {
	t.Parallel()
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	with := func(name, value string) http.Header {
		h := form.Clone()
		h[name] = []string{value}
		return h
	}
	for _, c := range []struct {
		name   string
		header http.Header
		body   string
		want   bool
	}{
		{"ping", form, "webhook_id=13", true},
		{"ping with a charset", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}}, "webhook_id=13", true},
		{"no number", form, "webhook_id=", false},
		{"no digits", form, "webhook_id=1x", false},
		{"more fields", form, "webhook_id=13&a=b", false},
		{"far too long", form, "webhook_id=111111111111111111111", false},
		{"another field", form, "id=13", false},
		{"empty", form, "", false},
		{"JSON", http.Header{"Content-Type": {"application/json"}}, "webhook_id=13", false},
		{"no content type", nil, "webhook_id=13", false},
		{"bad content type", http.Header{"Content-Type": {";;"}}, "webhook_id=13", false},
		{"with a signature", with("X-Wc-Webhook-Signature", "x"), "webhook_id=13", false},
		{"with a topic, written as WooCommerce does", with("X-WC-Webhook-Topic", "order.created"), "webhook_id=13", false},
	} {
		if got := woocommerce.New(woocommerce.Config{}).IsPing(c.header, []byte(c.body)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	for _, name := range fixtures(f) {
		f.Add(topicOf(name), fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, topic string, body []byte) { _, _ = translate(t, topic, body) })
}

func FuzzVerify(f *testing.F) {
	f.Add("c2ln", []byte("{}"), "secret")
	f.Add("", []byte(nil), "&amp;")
	f.Add("%%%", []byte("x"), "&#x00027;&")
	c := woocommerce.New(woocommerce.Config{})
	f.Fuzz(func(t *testing.T, given string, body []byte, secret string) {
		h := http.Header{}
		h.Set("X-WC-Webhook-Signature", given)
		err := c.Verify(h, body, []sdk.Secret{sdk.Secret(secret)})
		if err == nil && secret == "" {
			t.Fatal("verified without a secret")
		}
		if right := c.Verify(signature(secret, body), body, []sdk.Secret{sdk.Secret(secret)}); (right == nil) != (secret != "") {
			t.Fatalf("signed with its own secret: %v", right)
		}
	})
}

func FuzzIsPing(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte("webhook_id=1"))
	f.Add("application/json", []byte("{}"))
	c := woocommerce.New(woocommerce.Config{})
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		h := http.Header{"Content-Type": {media}}
		if c.IsPing(h, body) && c.Verify(h, body, []sdk.Secret{"x"}) == nil {
			t.Fatal("a ping that is signed")
		}
	})
}
