package loyalty

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

func decimal(t testing.TB, s string) commerce.Decimal {
	t.Helper()
	d, err := commerce.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// checkLedger checks what must hold for an account at any time: its entries are numbered without a gap, add
// up to its balance at each of them, are bound to their keys, and were never below zero.
func checkLedger(t *testing.T, h *sdktest.Harness, customer string, want int64) {
	t.Helper()
	var a account
	item, err := h.Data().Get(t.Context(), accountKey(customer))
	if err != nil {
		t.Fatal(err)
	}
	if item.Version > 0 {
		if err := json.Unmarshal(item.Value, &a); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := h.Data().List(t.Context(), entryPrefix(customer), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if a.Balance != want || a.Entries != int64(len(entries)) || item.Version > 0 && a.Customer != customer {
		t.Errorf("customer %q: account %+v with %d entries, want a balance of %d", customer, a, len(entries), want)
	}
	var sum, lifetime int64
	for i, item := range entries {
		var e entry
		if err := json.Unmarshal(item.Value, &e); err != nil {
			t.Fatal(err)
		}
		sum += e.Points
		if e.Points > 0 {
			lifetime += e.Points
		}
		number := int64(i + 1)
		if item.Key != entryKey(customer, number) || item.Version != 1 || e.Balance != sum || e.Lifetime != lifetime || sum < 0 {
			t.Errorf("customer %q: entry %d (%s, version %d) is %+v, want a balance of %d, a lifetime of %d", customer, number, item.Key, item.Version, e, sum, lifetime)
		}
		var b binding
		bound, err := h.Data().Get(t.Context(), bindingKey(e.Key))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(bound.Value, &b); err != nil || b != (binding{e.Kind, customer, number}) {
			t.Errorf("customer %q: the key of entry %d is bound to %+v, %v", customer, number, b, err)
		}
		if number == int64(len(entries)) && e.Key != a.LastKey {
			t.Errorf("customer %q: the last key is %q, want %q", customer, a.LastKey, e.Key)
		}
	}
	if sum != a.Balance || lifetime != a.Lifetime {
		t.Errorf("customer %q: entries add up to %d (earned %d), the account says %+v", customer, sum, lifetime, a)
	}
}

// Random operations on a few accounts, some repeated under an old key, against a model that keeps numbers.
func TestLedgerAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			h := newHarness(t, tiers)
			customers := []string{"1", "1/", "10", "ö"}
			type balances struct{ balance, lifetime int64 }
			model := map[string]balances{}
			type call struct{ action, key, input, output string }
			var done []call
			for i := range 300 {
				if len(done) > 0 && random.IntN(10) == 0 {
					c := done[random.IntN(len(done))]
					out, err := h.Invoke(sdktest.Call{Action: c.action, Input: json.RawMessage(c.input), Key: c.key})
					if err != nil || string(out) != c.output {
						t.Fatalf("%s again: %s, %v, want %s", c.key, out, err, c.output)
					}
					continue
				}
				customer := customers[random.IntN(len(customers))]
				was := model[customer]
				now, refused := was, false
				n := random.Int64N(200)
				input := map[string]any{"customer": customer}
				action := []string{"award", "award", "redeem", "adjust"}[random.IntN(4)]
				switch action {
				case "award":
					if random.IntN(2) == 0 {
						input["points"] = n
					} else {
						cents := random.Int64N(20_000)
						input["amount"] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
						quarters := int64(6) // the rate of 1.5 times the multiplier, in quarters and eighths
						switch {
						case was.lifetime >= 1000:
							n = cents * quarters * 2 / 400
						case was.lifetime >= 100:
							n = cents * quarters * 5 / 1600
						default:
							n = cents * quarters / 400
						}
					}
					now = balances{was.balance + n, was.lifetime + n}
				case "redeem":
					input["points"] = n
					refused = n < 1 || n > was.balance
					now.balance -= n
				case "adjust":
					n -= 100
					input["points"], input["reason"] = n, "because"
					refused = n == 0 || was.balance+n < 0
					now = balances{was.balance + n, was.lifetime + max(n, 0)}
				}
				raw, err := json.Marshal(input)
				if err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprint("key-", i)
				out, err := h.Invoke(sdktest.Call{Action: action, Input: json.RawMessage(raw), Key: key})
				var f *wire.Failure
				if refused {
					if !errors.As(err, &f) || !f.Permanent {
						t.Fatalf("%s %s on %+v: %s, %v, want a permanent failure", action, raw, was, out, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s %s on %+v: %v", action, raw, was, err)
				}
				var got struct{ Balance, Lifetime int64 }
				if err := json.Unmarshal(out, &got); err != nil || (balances{got.Balance, got.Lifetime}) != now {
					t.Fatalf("%s %s on %+v: %s, want %+v", action, raw, was, out, now)
				}
				model[customer] = now
				if n != 0 {
					done = append(done, call{action, key, string(raw), string(out)})
				}
			}
			for _, customer := range customers {
				checkLedger(t, h, customer, model[customer].balance)
			}
		})
	}
}

// Two ids never share a key, and no id reaches past its own segment of one.
func FuzzSegment(f *testing.F) {
	f.Add("a", "a/")
	f.Add("#", strings.Repeat("\xff", 200))
	f.Fuzz(func(t *testing.T, a, b string) {
		if (segment(a) == segment(b)) != (a == b) {
			t.Errorf("%q and %q give %q and %q", a, b, segment(a), segment(b))
		}
		if s := segment(a); strings.Contains(s, "/") || len(s) > maxSegment || !utf8.ValidString(s) {
			t.Errorf("%q gives %q", a, s)
		}
		if a != b && strings.HasPrefix(entryKey(a, 1), entryPrefix(b)) {
			t.Errorf("an entry of %q is under the prefix of %q", a, b)
		}
	})
}

func BenchmarkAward(b *testing.B) {
	h := newHarness(b, tiers)
	for i := 0; b.Loop(); i++ {
		if _, err := h.Invoke(sdktest.Call{Action: "award", Input: json.RawMessage(`{"customer":"7","amount":"10"}`), Key: fmt.Sprint(i)}); err != nil {
			b.Fatal(err)
		}
	}
}
