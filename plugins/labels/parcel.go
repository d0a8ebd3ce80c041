package labels

import (
	"errors"
	"fmt"

	"github.com/EasyPost/easypost-go/v5"

	"github.com/shophand/shophand/sdk/commerce"
)

// Parcel is what is shipped. All three measures or none; not beside a predefined package.
type Parcel struct {
	WeightGrams       commerce.Decimal  `json:"weight_grams" jsonschema:"weight with packaging, in grams"`
	LengthCM          *commerce.Decimal `json:"length_cm,omitempty" jsonschema:"length in centimetres"`
	WidthCM           *commerce.Decimal `json:"width_cm,omitempty" jsonschema:"width in centimetres"`
	HeightCM          *commerce.Decimal `json:"height_cm,omitempty" jsonschema:"height in centimetres"`
	PredefinedPackage string            `json:"predefined_package,omitempty" jsonschema:"a carrier's own box, as EasyPost names it: SmallFlatRateBox"`
}

// EasyPost takes ounces and inches with one decimal (https://docs.easypost.com/docs/parcels). Both are rounded
// up to the next tenth, because a carrier charges later for what was declared too small. A measure is first
// turned into whole steps, then divided by the steps in a tenth, so that nothing but that one rounding happens:
// an ounce is 28.349523125 g exactly, an inch 2.54 cm.
const (
	stepsPerGram       = 10_000_000_000
	stepsPerTenthOunce = 28_349_523_125
	stepsPerCM         = 1_000
	stepsPerTenthInch  = 254
	// Bounds far beyond any carrier's, which keep the steps within 64 bits.
	maxGrams = 1_000_000
	maxCM    = 10_000
)

// vendor returns the parcel in EasyPost's form and units.
func (p Parcel) vendor() (*easypost.Parcel, error) {
	out := &easypost.Parcel{PredefinedPackage: p.PredefinedPackage}
	var err error
	if out.Weight, err = tenths("weight_grams", p.WeightGrams, maxGrams, stepsPerGram, stepsPerTenthOunce); err != nil {
		return nil, err
	}
	given := 0
	for _, m := range []struct {
		name string
		cm   *commerce.Decimal
		out  *float64
	}{{"length_cm", p.LengthCM, &out.Length}, {"width_cm", p.WidthCM, &out.Width}, {"height_cm", p.HeightCM, &out.Height}} {
		if m.cm == nil {
			continue
		}
		given++
		if *m.out, err = tenths(m.name, *m.cm, maxCM, stepsPerCM, stepsPerTenthInch); err != nil {
			return nil, err
		}
	}
	switch {
	case given != 0 && given != 3:
		return nil, invalid(errors.New("parcel: give length_cm, width_cm and height_cm, or none of them"))
	case given != 0 && p.PredefinedPackage != "":
		return nil, invalid(errors.New("parcel: give the measures or a predefined_package, not both"))
	}
	return out, nil
}

// tenths converts an amount, rounded up to one decimal.
func tenths(name string, amount commerce.Decimal, most, stepsPerUnit, stepsPerTenth int64) (float64, error) {
	if amount.Sign() <= 0 || amount.Cmp(commerce.DecimalFromInt(most)) > 0 {
		return 0, invalid(fmt.Errorf("parcel: %s is %s; it must be above 0 and at most %d", name, amount, most))
	}
	steps, _ := amount.Mul(commerce.DecimalFromInt(stepsPerUnit)).Ceil() // fits: the bounds are 10^16 and 10^7
	return float64((steps+stepsPerTenth-1)/stepsPerTenth) / 10, nil
}
