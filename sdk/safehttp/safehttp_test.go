package safehttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/shophand/shophand/sdk/safehttp"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"0.0.0.0": false, "100.64.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "fe80::1": false, "fd00::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::": false,
	} {
		if got := safehttp.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("Public(%s) = %v, want %v", address, got, want)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	}))
	defer server.Close()

	_, err := safehttp.New(safehttp.Options{}).Get(server.URL)
	if !errors.Is(err, safehttp.ErrPrivateAddress) {
		t.Errorf("a strict client reached %s: %v", server.URL, err)
	}
	allowed := safehttp.New(safehttp.Options{AllowPrivate: true})
	if r, err := allowed.Get(server.URL); err != nil {
		t.Errorf("private addresses are allowed, yet: %v", err)
	} else {
		r.Body.Close()
	}
	if _, err := allowed.Get(server.URL + "/loop"); err == nil {
		t.Error("followed redirects without end")
	}
	if r, err := safehttp.New(safehttp.Options{AllowPrivate: true, MaxRedirects: -1}).Get(server.URL + "/loop"); err != nil || r.StatusCode != http.StatusFound {
		t.Errorf("a client that follows none must hand the redirect out, got %v, %v", r, err)
	} else {
		r.Body.Close()
	}
}
