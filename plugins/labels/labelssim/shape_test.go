package labelssim_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/plugins/labels/labelssim"
)

// published returns the folder of EasyPost's published answers, beside the project's root.
func published(t *testing.T) fs.FS {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data", "carriers", "easypost")
	if _, err := os.Stat(data); err != nil {
		t.Skip("published payloads are absent: ../shared/data")
	}
	return os.DirFS(data)
}

// exchange is one recorded request with its answer.
type exchange struct {
	Request struct {
		Body, URL, Method string
	}
	Response struct {
		Body string
		Code int
	}
}

func cassette(t *testing.T, data fs.FS, name string) []exchange {
	t.Helper()
	raw, err := fs.ReadFile(data, "cassettes/"+name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Interactions []exchange }
	if err := yaml.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out.Interactions
}

// The simulator is given the recorded requests and must answer with the recorded statuses and keys.
func TestRecordedExchanges(t *testing.T) {
	t.Parallel()
	data := published(t)
	for _, name := range []string{"TestShipmentCreate", "TestShipmentBuy", "TestShipmentRetrieve", "TestShipmentRegenerateRates", "TestShipmentCreateEmptyObjects", "TestApiError"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := labelssim.New(labelssim.Config{})
			id := "" // of the shipment that the simulator created
			for _, e := range cassette(t, data, name) {
				path, body := strings.TrimPrefix(e.Request.URL, "https://api.easypost.com"), e.Request.Body
				if parts := strings.Split(path, "/"); len(parts) > 3 {
					parts[3] = id
					path = strings.Join(parts, "/")
				}
				if strings.HasSuffix(path, "/buy") {
					body = `{"rate":{"id":"` + firstRate(t, sim, id) + `"}}`
				}
				code, got := ask(t, sim, e.Request.Method, path, body)
				if code != e.Response.Code {
					t.Errorf("%s %s: status %d, recorded %d", e.Request.Method, path, code, e.Response.Code)
				}
				same(t, e.Request.Method+" "+path, got, parse(t, e.Response.Body))
				if shipment, ok := got.(map[string]any); ok && shipment["id"] != nil {
					id = shipment["id"].(string)
				}
			}
		})
	}
}

func TestRecordedInactiveKey(t *testing.T) {
	t.Parallel()
	e := cassette(t, published(t), "TestErrorInheritance")[0]
	sim := labelssim.New(labelssim.Config{})
	sim.InactiveKey(true)
	code, got := ask(t, sim, e.Request.Method, "/v2/shipments", e.Request.Body)
	want, _ := json.Marshal(parse(t, e.Response.Body))
	if have, _ := json.Marshal(got); code != e.Response.Code || string(have) != string(want) {
		t.Errorf("got %d %s, recorded %d %s", code, have, e.Response.Code, want)
	}
}

// The documented answers have the same keys too.
func TestDocumentedAnswers(t *testing.T) {
	t.Parallel()
	data := published(t)
	document := func(name string) any {
		raw, err := fs.ReadFile(data, "responses/"+name+".json")
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, string(raw))
	}
	sim := labelssim.New(labelssim.Config{})
	_, created := ask(t, sim, http.MethodPost, "/v2/shipments", shipment)
	same(t, "create", created, document("shipments-create"))
	id := created.(map[string]any)["id"].(string)
	_, read := ask(t, sim, http.MethodGet, "/v2/shipments/"+id, "")
	same(t, "read", read, document("shipments-retrieve"))
	_, rerated := ask(t, sim, http.MethodPost, "/v2/shipments/"+id+"/rerate", "null")
	same(t, "rerate", rerated, document("rates-regenerate"))
	_, bought := ask(t, sim, http.MethodPost, "/v2/shipments/"+id+"/buy", `{"rate":{"id":"`+firstRate(t, sim, id)+`"}}`)
	same(t, "buy", bought, document("shipments-buy"))
}

// same compares keys and kinds, wherever both sides have an object, a list's first element or a value. Customs
// papers and verifications are not simulated, options are whatever was sent.
func same(t *testing.T, path string, got, want any) {
	t.Helper()
	if strings.HasSuffix(path, ".options") || strings.HasSuffix(path, ".verifications") || got == nil || want == nil {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %T, want an object", path, got)
			return
		}
		if g, w := keys(got), keys(want); g != w {
			t.Errorf("%s has the keys\n%s, want\n%s", path, g, w)
		}
		for k := range want {
			same(t, path+"."+k, got[k], want[k])
		}
	case []any:
		got, ok := got.([]any)
		if !ok {
			t.Errorf("%s is %T, want a list", path, got)
		}
		if len(got) > 0 && len(want) > 0 {
			same(t, path+"[]", got[0], want[0])
		}
	case string:
		text, ok := got.(string)
		if !ok {
			t.Errorf("%s is %T, want a text", path, got)
		}
		if strings.HasSuffix(path, "_at") && len(text) != len(want) {
			t.Errorf("%s is %q, want a time like %q", path, text, want)
		}
		if strings.HasSuffix(path, ".id") && (len(text) != len(want) || strings.SplitN(text, "_", 2)[0] != strings.SplitN(want, "_", 2)[0]) {
			t.Errorf("%s is %q, want an id like %q", path, text, want)
		}
	case float64:
		if _, ok := got.(float64); !ok {
			t.Errorf("%s is %T, want a number", path, got)
		}
	case bool:
		if _, ok := got.(bool); !ok {
			t.Errorf("%s is %T, want a truth value", path, got)
		}
	}
}

func keys(m map[string]any) string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

const shipment = `{"shipment":{"reference":"order-1","to_address":{"name":"Ada Example","street1":"1 Sample Street","city":"Springfield","state":"IL","zip":"62701","country":"US"},
"from_address":{"company":"Sender Shop","street1":"2 Depot Road","city":"Springfield","state":"IL","zip":"62701","country":"US"},"parcel":{"weight":15.4,"length":10,"width":8,"height":4}}}`

func ask(t *testing.T, sim *labelssim.Sim, method, path, body string) (int, any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("EZTKsimulated", "")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	return w.Code, parse(t, w.Body.String())
}

func parse(t *testing.T, body string) any {
	t.Helper()
	var out any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%v in %.100q", err, body)
	}
	return out
}

func firstRate(t *testing.T, sim *labelssim.Sim, id string) string {
	t.Helper()
	_, read := ask(t, sim, http.MethodGet, "/v2/shipments/"+id, "")
	return read.(map[string]any)["rates"].([]any)[0].(map[string]any)["id"].(string)
}

func clock() time.Time { return time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC) }
