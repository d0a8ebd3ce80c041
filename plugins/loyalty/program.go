package loyalty

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk/commerce"
)

// Config is the shop's loyalty programme. The zero value is one point per unit of currency and no tiers.
type Config struct {
	PointsPerUnit *commerce.Decimal `json:"points_per_unit,omitempty" jsonschema:"points for one unit of the shop's currency, such as 1.5; 1 where absent"`
	Tiers         []Tier            `json:"tiers,omitempty" jsonschema:"the programme's tiers, in any order"`
}

// Tier is a rank that a customer holds from a number of lifetime points on. It is never lost.
type Tier struct {
	Name       string            `json:"name" jsonschema:"name of the tier, such as gold"`
	FromPoints int64             `json:"from_points" jsonschema:"lifetime points from which a customer has the tier"`
	Multiplier *commerce.Decimal `json:"multiplier,omitempty" jsonschema:"factor on the points for an amount, such as 1.25; 1 where absent"`
}

// JSONSchema states the bounds that newProgram checks, for whoever fills the form in.
func (Config) JSONSchema(s *jsonschema.Schema) {
	s.Properties["tiers"].MaxItems = jsonschema.Ptr(maxTiers)
	s.Properties["tiers"].Items.Properties["name"].MaxLength = jsonschema.Ptr(maxTierName)
	s.Properties["tiers"].Items.Properties["from_points"].Minimum = jsonschema.Ptr(0.0)
}

// Bounds of a configuration. They only keep mistakes out.
const (
	maxTiers      = 50
	maxTierName   = 40
	maxMultiplier = 1_000_000
)

// program is a checked Config.
type program struct {
	rate  commerce.Decimal
	tiers []tier // by from, ascending
}

type tier struct {
	name       string
	from       int64
	multiplier commerce.Decimal
}

func newProgram(c Config) (program, error) {
	p := program{}
	var err error
	if p.rate, err = factor("points_per_unit", c.PointsPerUnit); err != nil {
		return program{}, err
	}
	for _, t := range c.Tiers {
		switch {
		case t.Name == "":
			return program{}, fmt.Errorf("the tier from %d points has no name; give it one", t.FromPoints)
		case t.FromPoints < 0:
			return program{}, fmt.Errorf("the tier %q starts at %d points; nobody has less than 0", t.Name, t.FromPoints)
		}
		multiplier, err := factor(fmt.Sprintf("the multiplier of tier %q", t.Name), t.Multiplier)
		if err != nil {
			return program{}, err
		}
		for _, other := range p.tiers {
			switch {
			case other.name == t.Name:
				return program{}, fmt.Errorf("there are two tiers %q; a name may stand once", t.Name)
			case other.from == t.FromPoints:
				return program{}, fmt.Errorf("the tiers %q and %q both start at %d points; give each its own from_points", other.name, t.Name, t.FromPoints)
			}
		}
		p.tiers = append(p.tiers, tier{name: t.Name, from: t.FromPoints, multiplier: multiplier})
	}
	slices.SortFunc(p.tiers, func(a, b tier) int { return cmp.Compare(a.from, b.from) })
	return p, nil
}

// factor returns an optional factor, 1 where it is absent.
func factor(name string, d *commerce.Decimal) (commerce.Decimal, error) {
	if d == nil {
		return commerce.DecimalFromInt(1), nil
	}
	if d.Sign() <= 0 || d.Cmp(commerce.DecimalFromInt(maxMultiplier)) > 0 {
		return commerce.Decimal{}, fmt.Errorf("%s is %s; it must be above 0 and at most %d", name, d, maxMultiplier)
	}
	return *d, nil
}

// tierOf returns the highest tier that so many lifetime points reach; its name is "" below the first.
func (p program) tierOf(lifetime int64) tier {
	held := tier{multiplier: commerce.DecimalFromInt(1)}
	for _, t := range p.tiers {
		if t.from > lifetime {
			break
		}
		held = t
	}
	return held
}

// pointsFor returns what an amount of the shop's currency is worth to a customer with so many lifetime
// points: the amount times the rate times the multiplier of the tier held before, exactly, and then rounded
// down to whole points. ok is false where that is no number of points.
func (p program) pointsFor(amount commerce.Decimal, lifetime int64) (points int64, ok bool) {
	return amount.Mul(p.rate).Mul(p.tierOf(lifetime).multiplier).Floor()
}
