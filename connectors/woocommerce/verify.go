package woocommerce

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/shophand/shophand/sdk"
)

// Headers of a delivery, by canonical name. None of them is covered by the signature.
const (
	headerTopic     = "X-Wc-Webhook-Topic"
	headerSignature = "X-Wc-Webhook-Signature"
	headerPrefix    = "X-Wc-"
)

// keptHeaders are those that say what a delivery is; the signature stays out.
func keptHeaders() []string {
	return []string{
		headerTopic, "X-Wc-Webhook-Resource", "X-Wc-Webhook-Event", "X-Wc-Webhook-Id", "X-Wc-Webhook-Delivery-Id",
		"X-Wc-Webhook-Source",
	}
}

// The errors of Verify.
var (
	errNoSecret      = errors.New("the shop has no webhook secret, so no delivery can be verified; set one")
	errNoSignature   = errors.New("the delivery is not signed: X-WC-Webhook-Signature is missing or no base64")
	errBadSignature  = errors.New("the signature does not match; the shop's webhook secret and that of the webhook in WooCommerce differ")
	errTwoSignatures = errors.New("the delivery has more than one signature")
)

// Verify checks the signature of a body: base64 of its HMAC-SHA256 by one of the secrets. Empty secrets are
// passed over. WooCommerce signs with the secret after decoding HTML's special characters in it, so a secret
// is tried in that form too.
func (*Connector) Verify(h http.Header, body []byte, secrets []sdk.Secret) error {
	var keys []string
	for _, s := range secrets {
		key := s.Reveal()
		if key == "" {
			continue
		}
		keys = append(keys, key)
		if decoded := decodeSpecialChars(key); decoded != key && decoded != "" {
			keys = append(keys, decoded)
		}
	}
	if len(keys) == 0 {
		return errNoSecret
	}
	if len(h.Values(headerSignature)) > 1 {
		return errTwoSignatures
	}
	given, err := base64.StdEncoding.Strict().DecodeString(h.Get(headerSignature))
	if err != nil || len(given) == 0 {
		return errNoSignature
	}
	for _, key := range keys {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		if hmac.Equal(given, mac.Sum(nil)) {
			return nil
		}
	}
	return errBadSignature
}

// KeepHeaders returns the headers of a delivery that are stored with it, by canonical name.
func (*Connector) KeepHeaders(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range keptHeaders() {
		if v := h.Get(name); v != "" {
			kept[name] = v
		}
	}
	return kept
}

// IsPing tells whether a request is WooCommerce's first contact with a delivery URL: a form body
// webhook_id=N, unsigned, without any header of WooCommerce's. It must be answered exactly 200.
func (*Connector) IsPing(h http.Header, body []byte) bool {
	digits, ok := bytes.CutPrefix(body, []byte("webhook_id="))
	if !ok || len(digits) == 0 || len(digits) > maxIDLength {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return false
	}
	for name := range h {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), headerPrefix) {
			return false
		}
	}
	return true
}

// decodeSpecialChars is WordPress's wp_specialchars_decode with ENT_QUOTES, in one pass:
// https://developer.wordpress.org/reference/functions/wp_specialchars_decode/
func decodeSpecialChars(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var out strings.Builder
	for s != "" {
		entity, rest, ok := cutEntity(s)
		if !ok {
			out.WriteByte(s[0])
			s = s[1:]
			continue
		}
		out.WriteByte(entity)
		s = rest
	}
	return out.String()
}

// cutEntity reads one of the entities that WordPress decodes off the front of s.
func cutEntity(s string) (char byte, rest string, ok bool) {
	name, rest, ok := strings.Cut(s, ";")
	if !ok || len(name) > 32 || name[:min(1, len(name))] != "&" {
		return 0, s, false
	}
	name = name[1:]
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		hex := strings.HasPrefix(digits, "x")
		digits = strings.TrimPrefix(digits, "x")
		for len(digits) > 2 && digits[0] == '0' {
			digits = digits[1:]
		}
		if hex {
			name = "#x" + digits
		} else {
			name = "#" + digits
		}
	}
	switch name {
	case "amp", "#38", "#x26":
		return '&', rest, true
	case "lt", "#60":
		return '<', rest, true
	case "gt", "#62":
		return '>', rest, true
	case "quot", "#34", "#x22":
		return '"', rest, true
	case "#39", "#x27":
		return '\'', rest, true
	}
	return 0, s, false
}
