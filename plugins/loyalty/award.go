package loyalty

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
)

// AwardInput is the input of loyalty/award: points or an amount, one of the two.
type AwardInput struct {
	Customer string            `json:"customer" jsonschema:"platform id of the customer"`
	Points   *int64            `json:"points,omitempty" jsonschema:"whole points to give, taken as they are"`
	Amount   *commerce.Decimal `json:"amount,omitempty" jsonschema:"amount of money to give points for: times points_per_unit, times the multiplier of the tier that the customer has before, rounded down"`
	Note     string            `json:"note,omitempty" jsonschema:"why, for whoever reads the ledger"`
}

// JSONSchema bounds the note.
func (AwardInput) JSONSchema(s *jsonschema.Schema) { boundNote(s.Properties["note"]) }

// AwardOutput is the output of loyalty/award.
type AwardOutput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Awarded  int64  `json:"awarded" jsonschema:"points given"`
	Balance  int64  `json:"balance" jsonschema:"points that the customer has now"`
	Lifetime int64  `json:"lifetime" jsonschema:"all points that the customer ever earned"`
	Tier     string `json:"tier" jsonschema:"the customer's tier, empty below the first"`
	Reached  string `json:"reached" jsonschema:"the tier that this award brought, empty where it brought none"`
	Entry    int64  `json:"entry" jsonschema:"number of the entry in the customer's account; 0 where no points were given and none was made"`
}

// award gives points. An amount too small for a point gives 0, which is no failure: small orders are common.
func award(ctx context.Context, req sdk.Request[Config, AwardInput]) (AwardOutput, error) {
	in := req.Input
	if (in.Points == nil) == (in.Amount == nil) {
		return AwardOutput{}, invalid(errors.New("an award needs either points or an amount; give one of them"))
	}
	e, err := post(ctx, req, posting{kind: "award", customer: in.Customer, note: in.Note,
		points: func(p program, a account) (int64, error) {
			points, ok := int64(0), true
			if in.Points != nil {
				points = *in.Points
			} else if points, ok = p.pointsFor(*in.Amount, a.Lifetime); !ok {
				return 0, invalid(fmt.Errorf("an amount of %s is worth more points than can be counted", in.Amount))
			}
			if points < 0 || in.Amount != nil && in.Amount.Sign() < 0 {
				return 0, invalid(errors.New("an award cannot be negative; use loyalty/adjust to take points back"))
			}
			return points, nil
		}})
	if err != nil {
		return AwardOutput{}, err
	}
	return AwardOutput{Customer: in.Customer, Awarded: e.Points, Balance: e.Balance, Lifetime: e.Lifetime, Tier: e.Tier, Reached: e.Reached, Entry: e.number}, nil
}

// boundNote keeps a note far below the host's limit of a value.
func boundNote(s *jsonschema.Schema) { s.MaxLength = jsonschema.Ptr(1000) }
