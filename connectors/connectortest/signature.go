package connectortest

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/shophand/shophand/sdk"
)

// signature checks Verify.
func signature(t *testing.T, s Subject) {
	const right = "right-secret-5d1c"
	body := []byte("{\"id\":1,\n \"name\":\"Zoë\"}")
	changed := bytes.Replace(body, []byte("1"), []byte("2"), 1)
	signed := s.Sign(body, right)
	name, value := signatureHeader(s, body)
	with := func(v string) http.Header {
		h := signed.Clone()
		h.Set(name, v)
		return h
	}
	without := signed.Clone()
	without.Del(name)
	several := signed.Clone()
	several[http.CanonicalHeaderKey(name)] = []string{value, signed.Get(name)}

	for _, c := range []struct {
		name    string
		header  http.Header
		body    []byte
		secrets []sdk.Secret
		ok      bool
	}{
		{"right", signed, body, []sdk.Secret{right}, true},
		{"right, the second of three", signed, body, []sdk.Secret{"older", right, "newer"}, true},
		{"right, beside an empty one", signed, body, []sdk.Secret{"", right}, true},
		{"right, of an empty body", s.Sign(nil, right), nil, []sdk.Secret{right}, true},
		{"right, of bytes that are no text", s.Sign([]byte{0xff, 0, '\n'}, right), []byte{0xff, 0, '\n'}, []sdk.Secret{right}, true},
		{"wrong secret", signed, body, []sdk.Secret{"wrong"}, false},
		{"several wrong secrets", signed, body, []sdk.Secret{"wrong", "also wrong"}, false},
		{"secret in other case", signed, body, []sdk.Secret{sdk.Secret(strings.ToUpper(right))}, false},
		{"one byte changed", signed, changed, []sdk.Secret{right}, false},
		{"one byte more", signed, append(bytes.Clone(body), '\n'), []sdk.Secret{right}, false},
		{"one byte less", signed, body[:len(body)-1], []sdk.Secret{right}, false},
		{"empty body for a full one", signed, nil, []sdk.Secret{right}, false},
		{"no secret is configured", signed, body, nil, false},
		{"only empty secrets", signed, body, []sdk.Secret{"", ""}, false},
		{"signed with an empty secret, empty secret", s.Sign(body, ""), body, []sdk.Secret{""}, false},
		{"signed with an empty secret, no secret", s.Sign(body, ""), body, nil, false},
		{"signed with an empty secret", s.Sign(body, ""), body, []sdk.Secret{right}, false},
		{"no signature", without, body, []sdk.Secret{right}, false},
		{"no headers", nil, body, []sdk.Secret{right}, false},
		{"empty signature", with(""), body, []sdk.Secret{right}, false},
		{"signature that is no encoding", with("!!!"), body, []sdk.Secret{right}, false},
		{"signature cut short", with(signed.Get(name)[:len(signed.Get(name))/2]), body, []sdk.Secret{right}, false},
		{"signature with an end", with(signed.Get(name) + "AAAA"), body, []sdk.Secret{right}, false},
		{"a wrong signature before the right one", several, body, []sdk.Secret{right}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := s.Connector.Verify(c.header, c.body, c.secrets)
			if (err == nil) != c.ok {
				t.Fatalf("got %v, want ok %v", err, c.ok)
			}
			if err == nil {
				return
			}
			for _, shown := range append([]sdk.Secret{right, sdk.Secret(signed.Get(name))}, c.secrets...) {
				if shown != "" && strings.Contains(err.Error(), shown.Reveal()) {
					t.Errorf("the error shows a secret or the signature: %v", err)
				}
			}
		})
	}
}

// signatureHeader returns the header that holds the signature, and its value for another secret.
func signatureHeader(s Subject, body []byte) (name, value string) {
	one, other := s.Sign(body, "one"), s.Sign(body, "other")
	for n := range one {
		if one.Get(n) != other.Get(n) {
			return n, other.Get(n)
		}
	}
	return "", ""
}
