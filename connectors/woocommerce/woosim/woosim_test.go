package woosim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

func now() time.Time { return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC) }

// published is the folder of what a running store answered, which is no part of the project.
func published(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data", "woocommerce", "captured")
	if _, err := os.Stat(data); err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	return data
}

func ask(t *testing.T, s *Store, method, target, body string, with func(*http.Request)) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if with != nil {
		with(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(answer)
}

func basic(key, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(key, secret) }
}

// missigned has all parameters of OAuth and a signature that is not right.
func missigned(r *http.Request) {
	q := r.URL.Query()
	for name, value := range map[string]string{
		"oauth_consumer_key": "ck", "oauth_nonce": "n", "oauth_timestamp": strconv.FormatInt(now().Unix(), 10),
		"oauth_signature_method": "HMAC-SHA256", "oauth_signature": "x",
	} {
		q.Set(name, value)
	}
	r.URL.RawQuery = q.Encode()
}

// The store's refusals are those that a real store was seen to give, byte for byte.
func TestPublishedRefusals(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(published(t), "rest")
	config := Config{Key: "ck", Secret: "cs", Now: now}
	s := New(config)
	config.ReadOnly = true
	readOnly := New(config)
	id, err := s.Add(Order{})
	if err != nil {
		t.Fatal(err)
	}
	const https, plain = "https://shop.example.com/wp-json/wc/v3/orders", "http://shop.example.com/wp-json/wc/v3/orders"
	for _, c := range []struct {
		file, method, target, body string
		with                       func(*http.Request)
		store                      *Store
	}{
		{"254-unauth-401", "GET", https, "", nil, s},
		{"255-bad-key-401", "GET", https, "", basic("other", "cs"), s},
		{"256-bad-secret-401", "GET", https, "", basic("ck", "other"), s},
		{"257-basic-over-http-401", "GET", plain, "", basic("ck", "cs"), s},
		{"280-querystring-auth-http-401", "GET", plain + "?consumer_key=ck&consumer_secret=cs", "", nil, s},
		{"259-read-only-key-post-401", "PUT", https + "/" + id, "{}", basic("ck", "cs"), readOnly},
		{"220-get-order-deleted-404", "GET", https + "/99", "", basic("ck", "cs"), s},
		{"222-get-order-abc-404", "GET", https + "/abc", "", basic("ck", "cs"), s},
		{"269-put-order-404", "PUT", https + "/99", "{}", basic("ck", "cs"), s},
		{"265-post-order-malformed-json-400", "PUT", https + "/" + id, `{"status":`, basic("ck", "cs"), s},
		{"298-oauth1-bad-sig-401", "GET", plain, "", missigned, s},
	} {
		want, err := os.ReadFile(filepath.Join(dir, c.file+".body"))
		if err != nil {
			t.Fatal(err)
		}
		var exchange struct {
			Response struct {
				Status int `json:"status"`
			} `json:"response"`
		}
		raw, err := os.ReadFile(filepath.Join(dir, c.file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &exchange); err != nil {
			t.Fatal(err)
		}
		status, got := ask(t, c.store, c.method, c.target, c.body, c.with)
		if status != exchange.Response.Status || got != string(want) {
			t.Errorf("%s: got %d %s, want %d %s", c.file, status, got, exchange.Response.Status, want)
		}
	}
	// The list of statuses stands in the parameters, beside details that the simulator leaves out.
	_, got := ask(t, s, "PUT", https+"/"+id, `{"status":"bogus"}`, basic("ck", "cs"))
	want, err := os.ReadFile(filepath.Join(dir, "270-put-order-bad-status-400.body"))
	if err != nil {
		t.Fatal(err)
	}
	if prefix := strings.TrimSuffix(got, "}}"); !strings.HasPrefix(string(want), prefix) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every text in what a running store sent is escaped as encode does it.
func TestPublishedEscapes(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join(published(t), "deliveries", "*.body"))
	texts := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(body) {
			continue
		}
		for i := 0; i < len(body); i++ {
			if body[i] != '"' {
				continue
			}
			end := i + 1
			for body[end] != '"' {
				if body[end] == '\\' {
					end++
				}
				end++
			}
			var text string
			if err := json.Unmarshal(body[i:end+1], &text); err != nil {
				t.Fatal(err)
			}
			if got := string(encode(text)); got != string(body[i:end+1]) {
				t.Fatalf("%s: got %s, want %s", file, got, body[i:end+1])
			}
			texts++
			i = end
		}
	}
	if texts < 10000 {
		t.Errorf("only %d texts", texts)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a/b":          `"a\/b"`,
		"Ü€☕":          `"\u00dc\u20ac\u2615"`,
		"🎁":            `"\ud83c\udf81"`,
		"<b>&\"\\\n\t": `"<b>&\"\\\n\t"`,
		"\u2028\x01":   `"\u2028\u0001"`,
	} {
		if got := string(encode(in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// What a client does with the REST API, over https.
func TestREST(t *testing.T) {
	t.Parallel()
	s := New(Config{Key: "ck", Secret: "cs", Now: now})
	id, err := s.Add(Order{Status: "pending", Lines: []Line{{Name: "Mug", Price: commerce.MustDecimal("10"), Quantity: 3}}, Currency: "KWD"})
	if err != nil {
		t.Fatal(err)
	}
	at := "https://shop.example.com/wp-json/wc/v3/orders/" + id
	status, got := ask(t, s, "PUT", at+"?_fields=id,status,meta_data,total", `{"status":"processing","meta_data":[{"key":"a","value":"1"},{"key":"b","value":[2]}]}`, basic("ck", "cs"))
	if want := `{"id":1001,"status":"processing","total":"30.000","meta_data":[{"id":3,"key":"a","value":"1"},{"id":4,"key":"b","value":[2]}]}`; status != 200 || got != want {
		t.Errorf("got %d %s, want %s", status, got, want)
	}
	status, got = ask(t, s, "PUT", at+"?_fields=date_paid_gmt,meta_data,customer_note", `{"customer_note":"n","meta_data":[{"key":"a","value":"3"}]}`, basic("ck", "cs"))
	if want := `{"customer_note":"n","meta_data":[{"id":3,"key":"a","value":"3"},{"id":4,"key":"b","value":[2]}],"date_paid_gmt":"2026-11-02T10:00:00"}`; status != 200 || got != want {
		t.Errorf("got %d %s, want %s", status, got, want)
	}
	if m := s.Meta(id); m["a"] != "3" || m["b"] != "[2]" {
		t.Error(m)
	}
	if status, got = ask(t, s, "GET", at, "", basic("ck", "cs")); status != 200 || got != string(s.Payload(id)) {
		t.Errorf("got %d %s", status, got)
	}
	if status, got = ask(t, s, "GET", "https://x/wp-json/wc/v3/orders?_fields=id&consumer_key=ck&consumer_secret=cs", "", nil); status != 200 || got != `[{"id":1001}]` {
		t.Errorf("got %d %s", status, got)
	}
	s.Answer(Answer{Status: 418, Body: "teapot"})
	if status, got = ask(t, s, "DELETE", at, "", basic("ck", "cs")); status != 418 || got != "teapot" {
		t.Errorf("got %d %s", status, got)
	}
	if status, _ = ask(t, s, "DELETE", at, "", basic("ck", "cs")); status != 404 {
		t.Errorf("got %d", status)
	}
	if calls := s.Calls(); len(calls) != 6 || calls[0].Method != "PUT" || calls[4].Status != 418 {
		t.Errorf("%+v", calls)
	}
}
