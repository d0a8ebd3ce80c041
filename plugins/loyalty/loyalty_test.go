package loyalty

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/event"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tiers is a configuration with two tiers, the higher one first on purpose.
const tiers = `{"points_per_unit":"1.5","tiers":[
	{"name":"gold","from_points":1000,"multiplier":2},
	{"name":"silver","from_points":100,"multiplier":"1.25"}]}`

func newHarness(t testing.TB, config string) *sdktest.Harness {
	t.Helper()
	h := sdktest.New(t, New())
	if err := h.Configure(json.RawMessage(config)); err != nil {
		t.Fatal(err)
	}
	return h
}

// do invokes an action with a JSON input under a key.
func do(h *sdktest.Harness, action, key, input string) (map[string]any, error) {
	raw, err := h.Invoke(sdktest.Call{Action: action, Input: json.RawMessage(input), Key: key})
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	out := map[string]any{}
	return out, d.Decode(&out)
}

func TestDescription(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(newHarness(t, `{}`).Describe(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/description.golden"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(got, '\n'), want) {
		t.Errorf("the description changed; look at it and run the test with -update:\n%s", got)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	h := sdktest.New(t, New())
	for name, c := range map[string]struct{ config, want string }{
		"nothing":              {`{}`, ""},
		"everything":           {tiers, ""},
		"a rate as number":     {`{"points_per_unit":0.1}`, ""},
		"rate 0":               {`{"points_per_unit":"0"}`, "must be above 0"},
		"rate below 0":         {`{"points_per_unit":-1}`, "must be above 0"},
		"rate out of range":    {`{"points_per_unit":"1e30"}`, "at most 1000000"},
		"rate not a number":    {`{"points_per_unit":"much"}`, "not a decimal number"},
		"multiplier 0":         {`{"tiers":[{"name":"a","from_points":0,"multiplier":0}]}`, `multiplier of tier "a"`},
		"tier without name":    {`{"tiers":[{"name":"","from_points":5}]}`, "has no name"},
		"tier twice":           {`{"tiers":[{"name":"a","from_points":1},{"name":"a","from_points":2}]}`, `two tiers "a"`},
		"two tiers on one":     {`{"tiers":[{"name":"a","from_points":1},{"name":"b","from_points":1}]}`, "both start at 1"},
		"tier below 0":         {`{"tiers":[{"name":"a","from_points":-1}]}`, "-1"},
		"tier from a fraction": {`{"tiers":[{"name":"a","from_points":1.5}]}`, "1.5"},
		"unknown field":        {`{"rate":1}`, "rate"},
	} {
		err := h.Configure(json.RawMessage(c.config))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Each step builds on those before it, all on one account.
func TestActions(t *testing.T) {
	t.Parallel()
	h := newHarness(t, tiers)
	for i, c := range []struct{ action, input, want, fails string }{
		{"balance", `{"customer":"7"}`, `{"customer":"7","balance":0,"lifetime":0,"tier":"","entries":0}`, ""},
		{"award", `{"customer":"7","amount":"39.99"}`, `{"customer":"7","awarded":59,"balance":59,"lifetime":59,"tier":"","reached":"","entry":1}`, ""},
		{"award", `{"customer":"7","amount":"0.66"}`, `{"customer":"7","awarded":0,"balance":59,"lifetime":59,"tier":"","reached":"","entry":0}`, ""},
		{"award", `{"customer":"7","points":0}`, `{"customer":"7","awarded":0,"balance":59,"lifetime":59,"tier":"","reached":"","entry":0}`, ""},
		{"redeem", `{"customer":"7","points":60}`, "", "conflict: customer 7 has 59 points, 60 asked"},
		{"award", `{"customer":"7","points":41,"note":"welcome"}`, `{"customer":"7","awarded":41,"balance":100,"lifetime":100,"tier":"silver","reached":"silver","entry":2}`, ""},
		{"award", `{"customer":"7","amount":10.10}`, `{"customer":"7","awarded":18,"balance":118,"lifetime":118,"tier":"silver","reached":"","entry":3}`, ""},
		{"redeem", `{"customer":"7","points":118}`, `{"customer":"7","redeemed":118,"balance":0,"lifetime":118,"tier":"silver","entry":4}`, ""},
		{"adjust", `{"customer":"7","points":-1,"reason":"refund"}`, "", "customer 7 has 0 points; a correction by -1 would leave less than 0"},
		{"adjust", `{"customer":"7","points":900,"reason":"lost in the move"}`, `{"customer":"7","adjusted":900,"balance":900,"lifetime":1018,"tier":"gold","reached":"gold","entry":5}`, ""},
		{"adjust", `{"customer":"7","points":-900,"reason":"too much"}`, `{"customer":"7","adjusted":-900,"balance":0,"lifetime":1018,"tier":"gold","reached":"","entry":6}`, ""},
		{"award", `{"customer":"7","amount":"33.33"}`, `{"customer":"7","awarded":99,"balance":99,"lifetime":1117,"tier":"gold","reached":"","entry":7}`, ""},
		{"balance", `{"customer":"7"}`, `{"customer":"7","balance":99,"lifetime":1117,"tier":"gold","entries":7}`, ""},

		{"award", `{"customer":"7"}`, "", "either points or an amount"},
		{"award", `{"customer":"7","points":1,"amount":"1"}`, "", "either points or an amount"},
		{"award", `{"customer":"7","points":-1}`, "", "cannot be negative; use loyalty/adjust"},
		{"award", `{"customer":"7","amount":"-0.01"}`, "", "cannot be negative"},
		{"award", `{"customer":"7","amount":"1e30"}`, "", "more points than can be counted"},
		{"award", `{"customer":"7","points":1.5}`, "", "integer"},
		{"award", `{"customer":"7","points":9223372036854775807}`, "", "more points than can be counted"},
		{"award", `{"customer":"7","points":9223372036854775808}`, "", "invalid_input"},
		{"award", `{"customer":"7","points":1,"note":"` + strings.Repeat("x", 1001) + `"}`, "", "1000"},
		{"redeem", `{"customer":"7","points":0}`, "", "1 or more"},
		{"redeem", `{"customer":"7","points":-5}`, "", "1 or more"},
		{"redeem", `{"customer":"7","points":-9223372036854775808}`, "", "1 or more"},
		{"adjust", `{"customer":"7","points":0,"reason":"x"}`, "", "changes nothing"},
		{"adjust", `{"customer":"7","points":5,"reason":" "}`, "", "needs a reason"},
		{"adjust", `{"customer":"7","points":-9223372036854775808,"reason":"x"}`, "", "less than 0"},
		{"adjust", `{"customer":"7","points":9223372036854775807,"reason":"x"}`, "", "more points than can be counted"},
		{"award", `{"customer":"","points":1}`, "", "if: customer.exists"},
		{"redeem", `{"customer":" \t","points":1}`, "", "if: customer.exists"},
		{"adjust", `{"customer":"","points":1,"reason":"x"}`, "", "if: customer.exists"},
		{"balance", `{"customer":""}`, "", "if: customer.exists"},
		{"balance", `{"customer":"` + strings.Repeat("x", 201) + `"}`, "", "201 bytes"},
		{"balance", `{"customer":"7"}`, `{"customer":"7","balance":99,"lifetime":1117,"tier":"gold","entries":7}`, ""},
	} {
		out, err := h.Invoke(sdktest.Call{Action: c.action, Input: json.RawMessage(c.input), Key: fmt.Sprint("step-", i)})
		if c.fails == "" {
			if err != nil || string(out) != c.want {
				t.Errorf("%d %s %s:\n got %s, %v\nwant %s", i, c.action, c.input, out, err, c.want)
			}
			continue
		}
		var f *wire.Failure
		if !errors.As(err, &f) || !f.Permanent || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%d %s %s: got %s, %#v, want a permanent failure with %q", i, c.action, c.input, out, err, c.fails)
		}
	}
	checkLedger(t, h, "7", 99)
}

// The conversion is exact and rounds down; the multiplier is that of the tier held before.
func TestPointsFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config, amount string
		lifetime       int64
		want           int64
	}{
		{`{}`, "0", 0, 0},
		{`{}`, "0.99", 0, 0},
		{`{}`, "150.00", 0, 150},
		{`{"points_per_unit":"0.1"}`, "3", 0, 0},
		{`{"points_per_unit":"0.1"}`, "30.00", 0, 3},
		{`{"points_per_unit":"0.1"}`, "29.999999999999999999", 0, 2},
		{`{"points_per_unit":"1.1"}`, "3", 0, 3},
		{`{"points_per_unit":"100"}`, "1.15", 0, 115}, // 114 in floating point
		{`{"points_per_unit":"0.007"}`, "12300", 0, 86},
		{tiers, "10", 99, 15},
		{tiers, "10", 100, 18},
		{tiers, "10", 999, 18},
		{tiers, "10", 1000, 30},
		{tiers, "10", math.MaxInt64, 30},
	} {
		var config Config
		if err := json.Unmarshal([]byte(c.config), &config); err != nil {
			t.Fatal(err)
		}
		p, err := newProgram(config)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := p.pointsFor(decimal(t, c.amount), c.lifetime); !ok || got != c.want {
			t.Errorf("%s of %s at %d: got %d, %v, want %d", c.config, c.amount, c.lifetime, got, ok, c.want)
		}
	}
}

// The ledger recognises a key by itself, also where the host does not answer for it.
func TestRepeatedKeyFindsItsEntry(t *testing.T) {
	t.Parallel()
	p := New()
	h := sdktest.New(t, p)
	invoke := func(action, key, config, input string) wire.Result {
		t.Helper()
		r, err := p.Invoke(t.Context(), wire.Invocation{Action: action, Input: json.RawMessage(input), Config: json.RawMessage(config),
			IdempotencyKey: key, Attempt: 2, Run: "run-1"}, h.Data())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	long := strings.Repeat("k", 600)
	for _, key := range []string{"run/1:step", long} {
		for _, c := range []struct{ action, input, retried string }{
			{"award", `{"customer":"7","amount":"200"}`, `{"customer":"7","amount":"999"}`},
			{"redeem", `{"customer":"7","points":5}`, `{"customer":"7","points":5}`},
			{"adjust", `{"customer":"7","points":-5,"reason":"x"}`, `{"customer":"7","points":-5,"reason":"x"}`},
		} {
			key := c.action + key
			first, err := h.Invoke(sdktest.Call{Action: c.action, Input: json.RawMessage(c.input), Key: key})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := do(h, "award", key+"-later", `{"customer":"7","points":3}`); err != nil {
				t.Fatal(err)
			}
			// The configuration and even the amount may have changed since: the entry counts.
			again := invoke(c.action, key, tiers, c.retried)
			if again.Failure != nil || len(again.Writes) != 0 || !bytes.Equal(again.Output, first) {
				t.Errorf("%s again: %s, %d writes, %v; want %s and no writes", c.action, again.Output, len(again.Writes), again.Failure, first)
			}
			for _, other := range []struct{ action, input string }{
				{c.action, strings.Replace(c.input, `"7"`, `"8"`, 1)},
				{map[string]string{"award": "redeem", "redeem": "award", "adjust": "award"}[c.action], `{"customer":"7","points":5}`},
			} {
				if r := invoke(other.action, key, `{}`, other.input); r.Failure == nil || r.Failure.Code != wire.Conflict || !r.Failure.Permanent {
					t.Errorf("the key of %s was taken for %s %s: %+v", c.action, other.action, other.input, r)
				}
			}
		}
	}
	checkLedger(t, h, "7", 2*(200-5-5+9))
}

func TestEntryTellsWhereItCameFrom(t *testing.T) {
	t.Parallel()
	h := newHarness(t, tiers)
	at := time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)
	if _, err := h.Invoke(sdktest.Call{Action: "award", Key: "k", Input: map[string]any{"customer": "7", "points": 120, "note": "Order #1"},
		Event: &event.Event{Type: "order.paid", Time: at}}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"account/7":            `{"customer":"7","balance":120,"lifetime":120,"entries":1,"last_key":"k"}`,
		"entry/7/000000000001": `{"kind":"award","points":120,"balance":120,"lifetime":120,"tier":"silver","reached":"silver","key":"k","note":"Order #1","run":"run-1","at":"2026-11-20T10:30:00Z"}`,
		"key/k":                `{"kind":"award","customer":"7","entry":1}`,
	} {
		if item, _ := h.Data().Get(t.Context(), key); string(item.Value) != want {
			t.Errorf("%s is %s, want %s", key, item.Value, want)
		}
	}
}

// Ids that look like parts of keys never touch one another's accounts.
func TestHostileCustomers(t *testing.T) {
	t.Parallel()
	h := newHarness(t, `{}`)
	ids := []string{"a", "a/", "a/b", "a%2Fb", "a%", "A", " a", "..", "../account/a", "entry/a/", "#", "a\x00", "a\n", "ä", "a\u0301", "\u00e1", "1", "10", "1/",
		strings.Repeat("ä", 100), strings.Repeat("ä", 99) + "ö", strings.Repeat("x", 200), segment(strings.Repeat("ä", 100)), "\u202e", "<&>", `"`, `\`}
	for i, id := range ids {
		input, _ := json.Marshal(map[string]any{"customer": id, "points": i + 1})
		if out, err := do(h, "award", "award "+id, string(input)); err != nil || out["customer"] != id {
			t.Fatalf("%q: %v, %v", id, out, err)
		}
	}
	for i, id := range ids {
		if n := len(accountKey(id)); n > 512 {
			t.Errorf("the key of %q has %d bytes", id, n)
		}
		if n := len(entryKey(id, math.MaxInt64)); n > 512 {
			t.Errorf("the key of an entry of %q has %d bytes", id, n)
		}
		checkLedger(t, h, id, int64(i+1))
	}
}

func TestConcurrentAwardsLoseNone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, tiers)
	const n = 100
	var wg sync.WaitGroup
	for i := range 2 * n { // every key twice, as after an unknown outcome
		wg.Go(func() {
			if _, err := do(h, "award", fmt.Sprint("k", i/2), `{"customer":"7","points":1}`); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	checkLedger(t, h, "7", n)
}

func TestConcurrentRedeemsNeverOverdraw(t *testing.T) {
	t.Parallel()
	h := newHarness(t, `{}`)
	if _, err := do(h, "award", "award", `{"customer":"7","points":100}`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for i := range 60 {
		wg.Go(func() {
			_, err := do(h, "redeem", fmt.Sprint("k", i), `{"customer":"7","points":7}`)
			var f *wire.Failure
			switch {
			case err == nil:
				mu.Lock()
				taken++
				mu.Unlock()
			case !errors.As(err, &f) || f.Code != wire.Conflict || !f.Permanent:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if taken != 14 {
		t.Errorf("7 points were taken from 100 %d times, want 14", taken)
	}
	checkLedger(t, h, "7", 2)
}
