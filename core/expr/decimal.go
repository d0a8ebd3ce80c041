package expr

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/shophand/shophand/sdk/commerce"
)

// maxDecimalDigits bounds the digits of a product, so that repeated multiplication stays cheap. It is the
// length that the common model allows for a decimal.
const maxDecimalDigits = 64

// maxPlaces bounds the fraction digits that round and div are asked for.
const maxPlaces = 20

// decimalType is the CEL type of money, opaque to CEL. The operators find their implementation by its traits.
var decimalType = types.NewOpaqueType("decimal").WithTraits(
	traits.AdderType | traits.ComparerType | traits.MultiplierType | traits.NegatorType | traits.SubtractorType)

// decimal is commerce.Decimal as a value of CEL. Its underlying type is the same, so that a field of an
// object is read by converting the pointer to it, without a copy. It is never changed.
type decimal commerce.Decimal

var (
	_ ref.Val           = (*decimal)(nil)
	_ traits.Adder      = (*decimal)(nil)
	_ traits.Comparer   = (*decimal)(nil)
	_ traits.Multiplier = (*decimal)(nil)
	_ traits.Negater    = (*decimal)(nil)
	_ traits.Subtractor = (*decimal)(nil)
	_ traits.Zeroer     = (*decimal)(nil)
)

func newDecimal(d commerce.Decimal) *decimal { return (*decimal)(&d) }

func (d *decimal) number() commerce.Decimal { return commerce.Decimal(*d) }

// toDecimal returns the exact decimal of a number. A double comes from a literal, and its shortest form is
// the one that stood in the source.
func toDecimal(v ref.Val) (commerce.Decimal, bool, error) {
	switch n := v.(type) {
	case *decimal:
		return n.number(), true, nil
	case types.Int:
		return commerce.DecimalFromInt(int64(n)), true, nil
	case types.Double:
		d, err := commerce.ParseDecimal(strconv.FormatFloat(float64(n), 'f', -1, 64))
		return d, true, err
	}
	return commerce.Decimal{}, false, nil
}

// with applies op to d and the number other.
func (d *decimal) with(other ref.Val, op func(a, b commerce.Decimal) ref.Val) ref.Val {
	o, ok, err := toDecimal(other)
	if err != nil {
		return types.WrapErr(err)
	}
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return op(d.number(), o)
}

// Add implements traits.Adder.
func (d *decimal) Add(other ref.Val) ref.Val {
	return d.with(other, func(a, b commerce.Decimal) ref.Val { return newDecimal(a.Add(b)) })
}

// Subtract implements traits.Subtractor.
func (d *decimal) Subtract(other ref.Val) ref.Val {
	return d.with(other, func(a, b commerce.Decimal) ref.Val { return newDecimal(a.Sub(b)) })
}

// Multiply implements traits.Multiplier.
func (d *decimal) Multiply(other ref.Val) ref.Val {
	return d.with(other, func(a, b commerce.Decimal) ref.Val { return checkedDecimal(a.Mul(b)) })
}

// Negate implements traits.Negater.
func (d *decimal) Negate() ref.Val { return newDecimal(d.number().Neg()) }

// Compare implements traits.Comparer.
func (d *decimal) Compare(other ref.Val) ref.Val {
	return d.with(other, func(a, b commerce.Decimal) ref.Val { return types.Int(a.Cmp(b)) })
}

// Equal implements ref.Val: numbers are equal by value, 1.0 and 1.00 are the same.
func (d *decimal) Equal(other ref.Val) ref.Val {
	o, ok, err := toDecimal(other)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(ok && d.number().Cmp(o) == 0)
}

// IsZeroValue implements traits.Zeroer.
func (d *decimal) IsZeroValue() bool { return d.number().IsZero() }

// ConvertToNative implements ref.Val.
func (d *decimal) ConvertToNative(to reflect.Type) (any, error) {
	switch to {
	case reflect.TypeFor[commerce.Decimal](), reflect.TypeFor[any]():
		return d.number(), nil
	case reflect.TypeFor[string]():
		return d.String(), nil
	}
	return nil, fmt.Errorf("a decimal cannot become %v", to)
}

// ConvertToType implements ref.Val.
func (d *decimal) ConvertToType(to ref.Type) ref.Val {
	switch to.TypeName() {
	case decimalType.TypeName():
		return d
	case types.StringType.TypeName():
		return types.String(d.String())
	case types.TypeType.TypeName():
		return decimalType
	}
	return types.NewErr("a decimal cannot become %s", to.TypeName())
}

// Type implements ref.Val.
func (d *decimal) Type() ref.Type { return decimalType }

// Value implements ref.Val.
func (d *decimal) Value() any { return d.number() }

// String prints the number with the digits that it has.
func (d *decimal) String() string { return d.number().String() }

// checkedDecimal refuses a product with more digits than a decimal may have.
func checkedDecimal(d commerce.Decimal) ref.Val {
	if len(d.String()) > maxDecimalDigits {
		return types.NewErr("a number has more than %d digits", maxDecimalDigits)
	}
	return newDecimal(d)
}

// parseDecimal makes a decimal of text, as decimal("0.30") does.
func parseDecimal(s string) ref.Val {
	d, err := commerce.ParseDecimal(strings.TrimSpace(s))
	if err != nil {
		return types.WrapErr(err)
	}
	return newDecimal(d)
}

func places(v ref.Val) (int32, ref.Val) {
	n, ok := v.(types.Int)
	if !ok {
		return 0, types.MaybeNoSuchOverloadErr(v)
	}
	if n < 0 || n > maxPlaces {
		return 0, types.NewErr("a number of decimal places must be from 0 to %d, not %d", maxPlaces, n)
	}
	return int32(n), nil
}

func roundNumber(v, digits ref.Val) ref.Val {
	n, bad := places(digits)
	if bad != nil {
		return bad
	}
	d, ok, err := toDecimal(v)
	switch {
	case err != nil:
		return types.WrapErr(err)
	case !ok:
		return types.MaybeNoSuchOverloadErr(v)
	}
	return newDecimal(d.Round(n))
}

// divide returns a/b with the given fraction digits, half away from zero.
func divide(a, b commerce.Decimal, digits int32) ref.Val {
	if b.IsZero() {
		return types.NewErr("division by zero")
	}
	num, numScale := unscaled(a)
	den, denScale := unscaled(b)
	ten := big.NewInt(10)
	// a/b = (num/10^numScale) / (den/10^denScale), wanted as q/10^digits.
	num.Mul(num, new(big.Int).Exp(ten, big.NewInt(int64(denScale)+int64(digits)), nil))
	den.Mul(den, new(big.Int).Exp(ten, big.NewInt(int64(numScale)), nil))
	negative := num.Sign()*den.Sign() < 0
	num.Abs(num)
	den.Abs(den)
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	if r.Lsh(r, 1).Cmp(den) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	s := q.String()
	if digits > 0 {
		if short := int(digits) + 1 - len(s); short > 0 {
			s = strings.Repeat("0", short) + s
		}
		s = s[:len(s)-int(digits)] + "." + s[len(s)-int(digits):]
	}
	if negative {
		s = "-" + s
	}
	return parseDecimal(s)
}

// unscaled returns d as n/10^scale.
func unscaled(d commerce.Decimal) (n *big.Int, scale int) {
	s := d.String()
	if i := strings.IndexByte(s, '.'); i >= 0 {
		scale = len(s) - i - 1
		s = s[:i] + s[i+1:]
	}
	n = new(big.Int)
	n.SetString(s, 10) // String prints digits, a sign and a point, nothing else
	return n, scale
}

func wholeNumber(v ref.Val, n int64, ok bool) ref.Val {
	if !ok {
		return types.NewErr("%v is too large for a whole number", v)
	}
	return types.Int(n)
}
