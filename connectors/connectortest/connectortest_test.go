package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

func TestReordered(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1,"b":{"c":[{"d":"\ud800 ","e":1.50}],"f":null}}`:   `{"b":{"f":null,"c":[{"e":1.50,"d":"\ud800 "}]},"a":1}`,
		" { \"a, b\" : [ 1 , [ ] , { } ] , \"c\\\"\" : 1e5 }\r\n": `{"c\"":1e5,"a, b":[1,[],{}]}`,
		`7`: `7`,
	} {
		if got := string(reordered([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	if reordered([]byte("{")) != nil || indented([]byte("{")) != nil {
		t.Error("what is not JSON has another wording")
	}
}

func TestMutationsAreJSON(t *testing.T) {
	t.Parallel()
	all := mutations([]byte(`{"id":1,"lines":[{"sku":"a"},{"sku":"b"}],"x":{}}`))
	left := 0
	for _, m := range all {
		if !json.Valid(m) {
			t.Errorf("%s is not JSON", m)
		}
		if !bytes.Contains(m, []byte(`"id"`)) {
			left++
		}
	}
	if len(all) < 20 || left != 1 {
		t.Errorf("%d mutations, %d without an id", len(all), left)
	}
}

// recorder is a test that takes down what it is told.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(f, args...))
}
func (r *recorder) Fatal(args ...any)            { r.Error(args...); panic(r) }
func (r *recorder) Fatalf(f string, args ...any) { r.Errorf(f, args...); panic(r) }

// broken is a connector whose events are right until spoil has them.
type broken struct {
	calls *int
	spoil func(call int, d event.Delivery, e *event.Event)
}

func (broken) Platform() string                               { return "test" }
func (broken) Verify(http.Header, []byte, []sdk.Secret) error { return nil }
func (broken) KeepHeaders(http.Header) map[string]string      { return nil }
func (b broken) Translate(d event.Delivery) ([]event.Event, error) {
	*b.calls++
	c := commerce.Customer{Exists: true, ID: "7", Tags: []string{}, Attributes: map[string]string{}}
	e := event.Event{
		Source: "test/shop", Type: "customer.created", Subject: "7", Time: time.Unix(1, 0).UTC(), Shop: "shop", Platform: "test",
		Topic: "t", Identity: event.Once("customer.created", "7"), Data: commerce.Data{Customer: &c}, Raw: d.Body, RawKind: "webhook",
	}
	b.spoil(*b.calls, d, &e)
	return []event.Event{e}, nil
}

// The suite finds what it is there to find.
func TestTranslateFindsFaults(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(int, event.Delivery, *event.Event){
		"":                               func(int, event.Delivery, *event.Event) {},
		"is not in the vocabulary":       func(_ int, _ event.Delivery, e *event.Event) { e.Type = "customer.sneezed" },
		"Identity does not come":         func(_ int, _ event.Delivery, e *event.Event) { e.Identity = "7" },
		"ID is not left to the host":     func(_ int, _ event.Delivery, e *event.Event) { e.ID = "1" },
		"Source is not":                  func(_ int, _ event.Delivery, e *event.Event) { e.Source = "test" },
		"Raw is not the body":            func(_ int, _ event.Delivery, e *event.Event) { e.Raw = []byte("{}") },
		"is not UTC":                     func(_ int, _ event.Delivery, e *event.Event) { e.Time = e.Time.In(time.FixedZone("", 3600)) },
		"has a pointer":                  func(_ int, _ event.Delivery, e *event.Event) { e.Data.Customer.CreatedAt = &time.Time{} },
		"a null after":                   func(_ int, _ event.Delivery, e *event.Event) { e.Data.Customer.Tags = nil },
		"wants a customer that exists":   func(_ int, _ event.Delivery, e *event.Event) { e.Data.Customer.Exists = false },
		"with the id of its subject":     func(_ int, _ event.Delivery, e *event.Event) { e.Subject = "8" },
		"comes to different things":      func(n int, _ event.Delivery, e *event.Event) { e.Subject = fmt.Sprint(n) },
		"Translate changed the delivery": func(_ int, d event.Delivery, _ *event.Event) { d.Body[0] = 'x' },
	} {
		r := &recorder{TB: t}
		func() {
			defer func() {
				if cause := recover(); cause != nil && cause != r {
					panic(cause)
				}
			}()
			_, _ = Translate(r, broken{new(int), spoil}, event.Delivery{Shop: "shop", Body: []byte(`{"id":7}`)})
		}()
		if found := strings.Join(r.errors, "\n"); !strings.Contains(found, want) || want == "" && found != "" {
			t.Errorf("wanted %q to be found, found %q", want, found)
		}
	}
}
