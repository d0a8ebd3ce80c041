package loyalty

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
)

// AdjustInput is the input of loyalty/adjust.
type AdjustInput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Points   int64  `json:"points" jsonschema:"whole points to add, or to take where negative; added points count as earned, taken ones leave the lifetime and the tier"`
	Reason   string `json:"reason" jsonschema:"why, for whoever reads the ledger"`
}

// JSONSchema bounds the reason.
func (AdjustInput) JSONSchema(s *jsonschema.Schema) { boundNote(s.Properties["reason"]) }

// AdjustOutput is the output of loyalty/adjust.
type AdjustOutput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Adjusted int64  `json:"adjusted" jsonschema:"points added, or taken where negative"`
	Balance  int64  `json:"balance" jsonschema:"points that the customer has now"`
	Lifetime int64  `json:"lifetime" jsonschema:"all points that the customer ever earned"`
	Tier     string `json:"tier" jsonschema:"the customer's tier, empty below the first"`
	Reached  string `json:"reached" jsonschema:"the tier that this correction brought, empty where it brought none"`
	Entry    int64  `json:"entry" jsonschema:"number of the entry in the customer's account"`
}

// adjust corrects a balance. Added points count for the lifetime, as those that should have been awarded;
// taken ones do not, so that nobody loses a tier by a correction.
func adjust(ctx context.Context, req sdk.Request[Config, AdjustInput]) (AdjustOutput, error) {
	in := req.Input
	e, err := post(ctx, req, posting{kind: "adjust", customer: in.Customer, note: in.Reason,
		points: func(_ program, a account) (int64, error) {
			switch {
			case strings.TrimSpace(in.Reason) == "":
				return 0, invalid(errors.New("a correction needs a reason; say why"))
			case in.Points == 0:
				return 0, invalid(errors.New("a correction by 0 points changes nothing; give points above or below 0"))
			case in.Points < -a.Balance:
				return 0, refused(fmt.Errorf("customer %s has %d points; a correction by %d would leave less than 0", in.Customer, a.Balance, in.Points))
			}
			return in.Points, nil
		}})
	if err != nil {
		return AdjustOutput{}, err
	}
	return AdjustOutput{Customer: in.Customer, Adjusted: e.Points, Balance: e.Balance, Lifetime: e.Lifetime, Tier: e.Tier, Reached: e.Reached, Entry: e.number}, nil
}
