package commerce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/shopspring/decimal"
)

// Limits of a Decimal read from outside. They are far beyond any amount or rate of a shop, and keep a
// number such as 1e999999999 from costing memory when it is added to another.
const (
	maxDecimalLength   = 64
	maxDecimalExponent = 40
)

// Decimal is an exact decimal number. It keeps the digits that it came with: "150.00" prints as "150.00".
// The zero value is 0. In JSON it is written as a string and read from a string or a number.
type Decimal struct{ value decimal.Decimal }

// ParseDecimal reads a decimal number such as "19.90", "-3" or "1.5e3".
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDecimalLength {
		return Decimal{}, fmt.Errorf("decimal %.20q… has more than %d characters", s, maxDecimalLength)
	}
	v, err := decimal.NewFromString(s)
	if err != nil {
		return Decimal{}, fmt.Errorf("%q is not a decimal number", s)
	}
	if e := v.Exponent(); e > maxDecimalExponent || e < -maxDecimalExponent {
		return Decimal{}, fmt.Errorf("decimal %q is out of range", s)
	}
	return Decimal{v}, nil
}

// MustDecimal is ParseDecimal for constants of the program; it panics if s is not a decimal number.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// DecimalFromInt returns n as a Decimal without fraction digits.
func DecimalFromInt(n int64) Decimal { return Decimal{decimal.NewFromInt(n)} }

// String prints the number with the fraction digits that it has, never in exponent form.
func (d Decimal) String() string {
	if e := d.value.Exponent(); e < 0 {
		return d.value.StringFixed(-e)
	}
	return d.value.String()
}

// Add returns d + o, with the fraction digits of the longer one.
func (d Decimal) Add(o Decimal) Decimal { return Decimal{d.value.Add(o.value)} }

// Sub returns d - o, with the fraction digits of the longer one.
func (d Decimal) Sub(o Decimal) Decimal { return Decimal{d.value.Sub(o.value)} }

// Mul returns d × o exactly.
func (d Decimal) Mul(o Decimal) Decimal { return Decimal{d.value.Mul(o.value)} }

// Neg returns -d.
func (d Decimal) Neg() Decimal { return Decimal{d.value.Neg()} }

// Cmp returns -1, 0 or +1 as d is less than, equal to or greater than o; 1.0 and 1.00 are equal.
func (d Decimal) Cmp(o Decimal) int { return d.value.Cmp(o.value) }

// Sign returns -1, 0 or +1.
func (d Decimal) Sign() int { return d.value.Sign() }

// IsZero tells whether d is 0. It makes `omitzero` leave zero amounts out.
func (d Decimal) IsZero() bool { return d.value.IsZero() }

// Floor returns the greatest whole number not above d; ok is false where it does not fit an int64.
func (d Decimal) Floor() (n int64, ok bool) { return wholeNumber(d.value.Floor()) }

// Ceil returns the least whole number not below d; ok is false where it does not fit an int64.
func (d Decimal) Ceil() (n int64, ok bool) { return wholeNumber(d.value.Ceil()) }

func wholeNumber(v decimal.Decimal) (int64, bool) {
	b := v.BigInt()
	return b.Int64(), b.IsInt64()
}

// Round returns d with places fraction digits, half away from zero, as tills do.
func (d Decimal) Round(places int32) Decimal {
	r := d.value.Round(places)
	if r.Exponent() > -places { // keep the digits that were asked for: 3 rounded to 2 is 3.00
		r = r.Add(decimal.New(0, -places))
	}
	return Decimal{r}
}

// MarshalJSON writes the number as a JSON string, so that no reader turns it into floating point.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a JSON string or number, digit for digit. null and "" leave 0.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if bytes.Equal(b, []byte("null")) {
		*d = Decimal{}
		return nil
	}
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if s = strings.TrimSpace(s); s == "" {
			*d = Decimal{}
			return nil
		}
	}
	v, err := ParseDecimal(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// DecimalSchema is the JSON Schema of a Decimal: a string or a number, format "decimal".
func DecimalSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Types: []string{"string", "number"}, Format: "decimal"}
}
