package woosim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// window is how far a request's time may be from the store's, in seconds.
const window = 15 * 60

// authorise lets a request in or says what WooCommerce would. Over https a key comes in the Authorization header
// or in the query; over http only by OAuth 1.0a, and anything else is as good as no key. The caller holds the
// lock.
func (s *Store) authorise(r *http.Request) *problem {
	if r.TLS == nil {
		if !r.URL.Query().Has("oauth_consumer_key") {
			return s.stranger(r)
		}
		if p := s.oauth(r); p != nil {
			return p
		}
		return s.permission(r)
	}
	key, secret, ok := r.BasicAuth()
	if !ok {
		key, secret = r.URL.Query().Get("consumer_key"), r.URL.Query().Get("consumer_secret")
	}
	if key == "" || !same(key, s.config.Key) {
		return s.stranger(r)
	}
	if !same(secret, s.config.Secret) {
		return unauthorised("Consumer secret is invalid.")
	}
	return s.permission(r)
}

func (s *Store) permission(r *http.Request) *problem {
	if s.config.ReadOnly && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return unauthorised("The API key provided does not have write permissions.")
	}
	return nil
}

// stranger is the answer to a request without a key that is known.
func (s *Store) stranger(r *http.Request) *problem {
	if r.Method == http.MethodGet {
		if strings.HasSuffix(r.URL.Path, "/orders") {
			return failure(errCannotList, http.StatusUnauthorized)
		}
		return failure(errCannotView, http.StatusUnauthorized)
	}
	return failure(errCannotEdit, http.StatusUnauthorized)
}

// oauth is WC_REST_Authentication::perform_oauth_authentication.
func (s *Store) oauth(r *http.Request) *problem {
	query := r.URL.Query()
	for _, name := range []string{"oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"} {
		if query.Get(name) == "" {
			return unauthorised("Missing OAuth parameter " + name)
		}
	}
	if !same(query.Get("oauth_consumer_key"), s.config.Key) {
		return unauthorised("Consumer key is invalid.")
	}
	var hashed func() hash.Hash
	switch query.Get("oauth_signature_method") {
	case "HMAC-SHA256":
		hashed = sha256.New
	case "HMAC-SHA512":
		hashed = sha512.New
	default:
		return unauthorised("Invalid signature - signature method is invalid.")
	}
	given := query.Get("oauth_signature")
	query.Del("oauth_signature")
	mac := hmac.New(hashed, []byte(s.config.Secret+"&"))
	mac.Write([]byte(r.Method + "&" + rawurlencode("http://"+r.Host+r.URL.EscapedPath()) + "&" + normal(query)))
	if !same(given, base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
		return unauthorised("Invalid signature - provided signature does not match.")
	}
	now := s.config.Now().Unix()
	at, err := strconv.ParseInt(query.Get("oauth_timestamp"), 10, 64)
	if err != nil || at < now-window || at > now+window {
		return unauthorised("Invalid timestamp.")
	}
	nonce := query.Get("oauth_nonce")
	if _, used := s.nonces[nonce]; used {
		return unauthorised("Invalid nonce - nonce has already been used.")
	}
	maps.DeleteFunc(s.nonces, func(_ string, at int64) bool { return at < now-window })
	s.nonces[nonce] = at
	return nil
}

// normal writes parameters as WooCommerce does before it signs: sorted, encoded, and encoded again.
func normal(query url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		pairs = append(pairs, rawurlencode(rawurlencode(name))+"%3D"+rawurlencode(rawurlencode(query.Get(name))))
	}
	return strings.Join(pairs, "%26")
}

// rawurlencode is PHP's function of that name.
func rawurlencode(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	const hexadecimal = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(plain, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hexadecimal[c>>4], hexadecimal[c&15]})
		}
	}
	return out.String()
}

// same compares in constant time; nothing equals "".
func same(a, b string) bool { return b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
