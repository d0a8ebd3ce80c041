package woocommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// oauthSignature signs a request as OAuth 1.0a does with HMAC-SHA256 and no token, the only way in which
// WooCommerce lets keys in over plain http. It covers the method, the address and the query, not the body:
// https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-over-http
func oauthSignature(method string, at *url.URL, query url.Values, secret string) string {
	var normal []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range slices.Sorted(slices.Values(query[name])) {
			normal = append(normal, percent(name)+"="+percent(value))
		}
	}
	address := at.Scheme + "://" + at.Host + at.EscapedPath()
	text := method + "&" + percent(address) + "&" + percent(strings.Join(normal, "&"))
	mac := hmac.New(sha256.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percent encodes as RFC 3986 does: all but letters, digits and -._~
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
