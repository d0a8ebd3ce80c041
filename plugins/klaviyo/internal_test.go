package klaviyo

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shophand/shophand/sdk"
)

func TestNormalisePhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                         "",
		"  ":                       "",
		"+442079460000":            "+442079460000",
		" +44 20 7946-0000 ":       "+442079460000",
		"+1 (555) 010.0123":        "+15550100123",
		"0049/30/901820":           "+4930901820",
		"+44\u00a020\u20117946000": "+44207946000",
		"+123456789012345":         "+123456789012345",
		"+1234567890123456":        "refused",
		"+12345":                   "refused",
		"+0442079460000":           "refused",
		"000442079460000":          "refused",
		"02079460000":              "refused",
		"442079460000":             "refused",
		"+44 (0)20 7946 0000":      "refused",
		"+44 20 SHOP":              "refused",
		"+44 20 7946 0000 x12":     "refused",
		"+٤٤٢٠٧٩٤٦٠٠٠٠":            "refused",
		"++442079460000":           "refused",
	} {
		got, err := normalisePhone(in)
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzNormalisePhone(f *testing.F) {
	for _, s := range []string{"+44 20 7946-0000", "0049", "(0)", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := normalisePhone(s)
		if err != nil || n == "" {
			return
		}
		if again, err := normalisePhone(n); err != nil || again != n || !e164.MatchString(n) {
			t.Errorf("%q became %q, then %q, %v", s, n, again, err)
		}
	})
}

// FuzzFailed feeds any answer to what makes a failure of it.
func FuzzFailed(f *testing.F) {
	const key = "pk_hunter2"
	f.Add(429, "30", "", `{"errors":[{"detail":"slow down","source":{"pointer":"/data"}}]}`)
	f.Add(400, "", "", `{"errors":[{"detail":"`+key+`"},{},{},{},{},{}]}`)
	f.Add(307, "Fri, 20 Nov 2026 12:00:42 GMT", "http://"+key, "\xff")
	f.Fuzz(func(t *testing.T, status int, after, location, body string) {
		err := failed(&http.Response{
			StatusCode: status, Header: http.Header{"Retry-After": {after}, "Location": {location}, "Date": {"Fri, 20 Nov 2026 12:00:00 GMT"}},
			Body: io.NopCloser(strings.NewReader(body)),
		}, strings.NewReplacer(key, "***").Replace)
		if m := err.Error(); strings.Contains(m, key) || !utf8.ValidString(m) || len(m) > 10_000 {
			t.Errorf("message %q", m)
		}
		if d, ok := retryAfter(http.Header{"Retry-After": {after}}); ok && (d < time.Second || d > time.Hour) {
			t.Errorf("Retry-After %q is %s", after, d)
		}
		var r *refusal
		if errors.As(err, &r) && r.status != status {
			t.Errorf("status %d became %d", status, r.status)
		}
	})
}

// Without an address of its own, a connection goes to Klaviyo, and nothing else is appended.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"": "https://a.klaviyo.com", "https://a.klaviyo.com/": "https://a.klaviyo.com",
		"https://example.com/k//": "https://example.com/k", "http://[::1]:80": "http://[::1]:80", "http://10.0.0.7": "http://10.0.0.7",
	} {
		if got, err := (Config{APIKey: sdk.Secret("pk_a"), BaseURL: base}).endpoint(); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", base, got, err, want)
		}
	}
}
