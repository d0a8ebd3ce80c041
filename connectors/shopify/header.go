package shopify

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The names of the headers that Shopify sends with a webhook, canonical. Its newer kind of delivery ("Events")
// leaves the X- away; the connector takes both and keeps what it keeps under these names.
const (
	headerTopic       = "X-Shopify-Topic"
	headerShop        = "X-Shopify-Shop-Domain"
	headerHMAC        = "X-Shopify-Hmac-Sha256"
	headerVersion     = "X-Shopify-Api-Version"
	headerWebhookID   = "X-Shopify-Webhook-Id"
	headerEventID     = "X-Shopify-Event-Id"
	headerTriggeredAt = "X-Shopify-Triggered-At"
	headerName        = "X-Shopify-Name"
	headerSubTopic    = "X-Shopify-Sub-Topic"
	headerTest        = "X-Shopify-Test"
	headerHandle      = "X-Shopify-Handle"
	headerAction      = "X-Shopify-Action"
	headerResourceID  = "X-Shopify-Resource-Id"
)

// maxHeader bounds the value of a header that is kept. Shopify's are much shorter; they are not signed.
const maxHeader = 512

// ValidShopName tells what is wrong with the name of a shop, which must match
// ^[a-z0-9][a-z0-9-]*\.myshopify\.com$. Upper case is refused and not folded: Shopify sends none, and a second
// spelling of a shop would be a second shop.
func ValidShopName(name string) error {
	label, ok := strings.CutSuffix(name, ".myshopify.com")
	ok = ok && label != "" && label[0] != '-' && len(name) <= 255
	for i := 0; ok && i < len(label); i++ {
		c := label[i]
		ok = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	}
	if !ok {
		return fmt.Errorf("shop name %.80q is not of the form name.myshopify.com, in lower case", name)
	}
	return nil
}

// ShopName returns the name of the shop that a webhook came from. A missing, doubled or malformed header is an
// error: the request is not Shopify's.
func (*Connector) ShopName(h http.Header) (string, error) {
	name, err := only(h, headerShop)
	if err != nil {
		return "", err
	}
	if err := ValidShopName(name); err != nil {
		return "", fmt.Errorf("header %s: %w", headerShop, err)
	}
	return name, nil
}

// KeepHeaders returns the headers of a webhook that are worth keeping, under the names with X-. The signature is
// not among them.
func (*Connector) KeepHeaders(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{
		headerTopic, headerShop, headerVersion, headerWebhookID, headerEventID, headerTriggeredAt,
		headerName, headerSubTopic, headerTest, headerHandle, headerAction, headerResourceID,
	} {
		value, err := only(h, name)
		if err == nil && len(value) <= maxHeader && utf8.ValidString(value) {
			kept[name] = value
		}
	}
	return kept
}

// only returns the one value of a header, under its name with or without X-.
func only(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) == 0 {
		values = h.Values(strings.TrimPrefix(name, "X-"))
	}
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", fmt.Errorf("header %s is missing", name)
	case len(values) > 1:
		return "", fmt.Errorf("header %s came %d times", name, len(values))
	}
	return values[0], nil
}
