package commerce_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shophand/shophand/sdk/commerce"
)

func TestDecimalKeepsItsDigits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"150.00": "150.00", "0": "0", "-3.10": "-3.10", "1e3": "1000", "1.5E2": "150", "0.1": "0.1", "12.345": "12.345", // KWD has three
		"9007199254740993": "9007199254740993", "": "!", "1,5": "!", "0x10": "!", "NaN": "!", "1e999999999": "!", "1e-999999999": "!",
		strings.Repeat("9", 65): "!", " 1": "!",
	} {
		d, err := commerce.ParseDecimal(text)
		if got := d.String(); (err != nil) != (want == "!") || err == nil && got != want {
			t.Errorf("ParseDecimal(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestDecimalJSON(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`"19.90"`: `"19.90"`, `19.90`: `"19.90"`, `null`: `"0"`, `""`: `"0"`, `" 5 "`: `"5"`, `9007199254740993.01`: `"9007199254740993.01"`,
		`true`: "!", `{}`: "!", `"abc"`: "!", `1e400`: "!",
	} {
		var d commerce.Decimal
		err := json.Unmarshal([]byte(document), &d)
		got, _ := json.Marshal(d)
		if (err != nil) != (want == "!") || err == nil && string(got) != want {
			t.Errorf("%s became %s, %v; want %s", document, got, err, want)
		}
	}
}

func TestDecimalArithmetic(t *testing.T) {
	t.Parallel()
	d := commerce.MustDecimal
	for name, c := range map[string]struct{ got, want string }{
		"0.1 + 0.2":          {d("0.1").Add(d("0.2")).String(), "0.3"},
		"digits of the sum":  {d("1.50").Add(d("1.5")).String(), "3.00"},
		"1.1 × 3":            {d("1.1").Mul(d("3")).String(), "3.3"},
		"round half up":      {d("2.345").Round(2).String(), "2.35"},
		"round half, minus":  {d("-2.345").Round(2).String(), "-2.35"},
		"round adds digits":  {d("3").Round(2).String(), "3.00"},
		"difference":         {d("10").Sub(d("0.05")).String(), "9.95"},
		"negative":           {d("10.00").Neg().String(), "-10.00"},
		"a zero has no sign": {d("0.00").Neg().String(), "0.00"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %s, want %s", name, c.got, c.want)
		}
	}
	if d("1.0").Cmp(d("1.00")) != 0 || d("-1").Sign() != -1 || !d("0.00").IsZero() {
		t.Error("comparison goes by the digits and not by the value")
	}
	if n, ok := d("-0.5").Floor(); n != -1 || !ok {
		t.Errorf("floor of -0.5 is %d, %v", n, ok)
	}
	if n, ok := d("0.5").Ceil(); n != 1 || !ok {
		t.Errorf("ceil of 0.5 is %d, %v", n, ok)
	}
	if _, ok := d("9223372036854775808").Floor(); ok {
		t.Error("a number beyond int64 is said to fit")
	}
}

// FuzzDecimal: whatever can be read prints as something that reads as the same number with the same digits.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"1", "150.00", "-0.010", "1e5", "1e-40", "00", "+1", ".5", "5."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := commerce.ParseDecimal(s)
		if err != nil {
			return
		}
		again, err := commerce.ParseDecimal(d.String())
		if err != nil && len(d.String()) <= 64 {
			t.Fatalf("%q prints as %q, which cannot be read: %v", s, d, err)
		}
		if err == nil && (again.Cmp(d) != 0 || again.String() != d.String()) {
			t.Fatalf("%q prints as %q, which reads as %q", s, d, again)
		}
	})
}
