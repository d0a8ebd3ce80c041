package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

type config struct {
	Prefix string     `json:"prefix,omitempty" jsonschema:"text put before every tag"`
	Token  sdk.Secret `json:"token"`
}

type input struct {
	Order  string           `json:"order" jsonschema:"platform id of the order"`
	Amount commerce.Decimal `json:"amount,omitzero"`
	Kind   string           `json:"kind,omitempty"`
	At     *time.Time       `json:"at,omitempty"`
	Count  int64            `json:"count,omitempty"`
}

func (input) JSONSchema(s *jsonschema.Schema) {
	s.Properties["kind"].Enum = []any{"plain", "fancy"}
	s.Properties["kind"].Default = json.RawMessage(`"plain"`)
}

type output struct {
	Text string `json:"text"`
}

func newPlugin() *sdk.Plugin[config] {
	p := sdk.New[config](sdk.Info{Name: "tagger", Version: "0.1.0", Summary: "Tags orders."})
	p.SetLogger(slog.New(slog.DiscardHandler))
	p.OnConfigure(func(_ context.Context, c config) error {
		if c.Token.Reveal() != "right" {
			return errors.New("the vendor does not know this token")
		}
		return nil
	})
	sdk.AddAction(p, "tag", "Tags an order.", func(_ context.Context, r sdk.Request[config, input]) (output, error) {
		return output{fmt.Sprintf("%s%s %s %s %d %s", r.Config.Prefix, r.Input.Order, r.Input.Amount, r.Input.Kind, r.Attempt, r.IdempotencyKey)}, nil
	}, sdk.Idempotent())
	sdk.AddAction(p, "fail", "Fails as it is told.", func(_ context.Context, r sdk.Request[config, input]) (output, error) {
		switch r.Input.Order {
		case "permanent":
			return output{}, sdk.Permanent(errors.New("no such order"))
		case "later":
			return output{}, sdk.RetryAfter(1500*time.Microsecond, errors.New("slow down"))
		case "coded":
			return output{}, fmt.Errorf("asking: %w", sdk.Fail(wire.Unauthorized, errors.New("bad key")))
		case "panic":
			panic("boom")
		}
		return output{}, errors.New("plain")
	})
	sdk.AddAction(p, "big", "Returns much.", func(_ context.Context, r sdk.Request[config, input]) (output, error) {
		return output{strings.Repeat("x", wire.MaxOutput)}, nil
	})
	sdk.AddAction(p, "count", "Counts.", func(ctx context.Context, r sdk.Request[config, input]) (output, error) {
		item, err := r.Data.Get(ctx, "count")
		if err != nil {
			return output{}, err
		}
		n := 0
		if item.Version > 0 {
			if err := json.Unmarshal(item.Value, &n); err != nil {
				return output{}, err
			}
		}
		return output{fmt.Sprint(n + 1)}, r.Data.Put("count", n+1, item.Version)
	}, sdk.Keyed())
	return p
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, newPlugin())
	if err := h.Configure(map[string]any{"prefix": "x-", "token": "right"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		action, input, want, code string
		permanent                 bool
		after                     time.Duration
	}{
		"typed, default filled in":        {action: "tag", input: `{"order":"9007199254740993","amount":"150.00"}`, want: "x-9007199254740993 150.00 plain 1 k"},
		"a number as decimal":             {action: "tag", input: `{"order":"1","amount":0.10,"kind":"fancy"}`, want: "x-1 0.10 fancy 1 k"},
		"missing field":                   {action: "tag", input: `{}`, code: "invalid_input", permanent: true},
		"unknown field":                   {action: "tag", input: `{"order":"1","colour":"red"}`, code: "invalid_input", permanent: true},
		"wrong type":                      {action: "tag", input: `{"order":1}`, code: "invalid_input", permanent: true},
		"not one of the enum":             {action: "tag", input: `{"order":"1","kind":"other"}`, code: "invalid_input", permanent: true},
		"a whole number, digit for digit": {action: "tag", input: `{"order":"9","amount":9007199254740993,"count":9007199254740993}`, want: "x-9 9007199254740993 plain 1 k"},
		"a fraction where none may be":    {action: "tag", input: `{"order":"9","count":1.5}`, code: "invalid_input", permanent: true},
		"unknown action":                  {action: "nothing", input: `{}`, code: "not_found", permanent: true},
		"plain error":                     {action: "fail", input: `{"order":""}`, code: "internal"},
		"permanent":                       {action: "fail", input: `{"order":"permanent"}`, code: "internal", permanent: true},
		"later, rounded up":               {action: "fail", input: `{"order":"later"}`, code: "rate_limited", after: 2 * time.Millisecond},
		"coded and wrapped":               {action: "fail", input: `{"order":"coded"}`, code: "unauthorized"},
		"panic":                           {action: "fail", input: `{"order":"panic"}`, code: "internal"},
		"too much":                        {action: "big", input: `{"order":""}`, code: "internal", permanent: true},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := sdktest.Decode[output](h.Invoke(sdktest.Call{Action: c.action, Input: json.RawMessage(c.input), Key: "k"}))
			var f *wire.Failure
			if c.code == "" {
				if err != nil || out.Text != c.want {
					t.Errorf("got %q, %v; want %q", out.Text, err, c.want)
				}
				return
			}
			if !errors.As(err, &f) || string(f.Code) != c.code || f.Permanent != c.permanent || f.RetryAfter != c.after {
				t.Errorf("got %#v, want code %s, permanent %v, after %s", err, c.code, c.permanent, c.after)
			}
		})
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, newPlugin())
	for _, c := range []struct{ config, want string }{
		{`{"token":12345}`, "token: the value is not of the right form"},
		{`{"token":"right"}`, ""},
		{`{"token":"wrong"}`, "does not know"},
		{`{}`, "token"},
		{`{"token":"right","extra":1}`, "extra"},
	} {
		err := h.Configure(json.RawMessage(c.config))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.config, err, c.want)
		}
	}
}

// The same key is committed once, and concurrent changes of one entry lose none.
func TestDataIsCommittedOncePerKey(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, newPlugin())
	_ = h.Configure(map[string]any{"token": "right"})
	const n = 20
	done := make(chan error, 2*n)
	for i := range 2 * n {
		go func() {
			_, err := h.Invoke(sdktest.Call{Action: "count", Input: map[string]any{"order": ""}, Key: fmt.Sprint("key-", i/2)})
			done <- err
		}()
	}
	for range 2 * n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	item, _ := h.Data().Get(t.Context(), "count")
	if string(item.Value) != fmt.Sprint(n) {
		t.Errorf("counted %s, want %d", item.Value, n)
	}
}

func TestAuthorsMistakesPanicWithTheirName(t *testing.T) {
	t.Parallel()
	run := func(context.Context, sdk.Request[config, input]) (output, error) { return output{}, nil }
	for name, c := range map[string]struct {
		do   func()
		want string
	}{
		"plugin name": {func() { sdk.New[config](sdk.Info{Name: "My Plugin"}) }, `"My Plugin"`},
		"action name": {func() { sdk.AddAction(newPlugin(), "Tag-Order", "", run) }, "tagger/Tag-Order"},
		"added twice": {func() { sdk.AddAction(newPlugin(), "tag", "", run) }, "tagger/tag: added twice"},
		"no schema":   {func() { sdk.New[struct{ C chan int }](sdk.Info{Name: "x"}) }, "plugin x"},
		"wrong example": {func() {
			sdk.AddAction(newPlugin(), "new", "", run, sdk.WithExample("e", map[string]any{"no": 1}, output{}))
		}, `tagger/new: example "e"`},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("panic %q does not say %q", got, c.want)
				}
			}()
			c.do()
		})
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	s := sdk.Secret("hunter2")
	j, _ := json.Marshal(map[string]any{"s": s, "p": &s, "n": config{Token: s}})
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "s", s, "c", config{Token: s})
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%s %q %v %+v %#v %x %d", s, s, s, config{Token: s}, config{Token: s}, s, s), string(j), log.String()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shown: %s", text)
		}
	}
}
