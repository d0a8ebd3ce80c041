package loyalty

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
)

// RedeemInput is the input of loyalty/redeem.
type RedeemInput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Points   int64  `json:"points" jsonschema:"whole points to take, at least 1"`
	Note     string `json:"note,omitempty" jsonschema:"for what, for whoever reads the ledger"`
}

// JSONSchema bounds the note.
func (RedeemInput) JSONSchema(s *jsonschema.Schema) { boundNote(s.Properties["note"]) }

// RedeemOutput is the output of loyalty/redeem.
type RedeemOutput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Redeemed int64  `json:"redeemed" jsonschema:"points taken"`
	Balance  int64  `json:"balance" jsonschema:"points that the customer has now"`
	Lifetime int64  `json:"lifetime" jsonschema:"all points that the customer ever earned; redeeming leaves it"`
	Tier     string `json:"tier" jsonschema:"the customer's tier, empty below the first"`
	Entry    int64  `json:"entry" jsonschema:"number of the entry in the customer's account"`
}

func redeem(ctx context.Context, req sdk.Request[Config, RedeemInput]) (RedeemOutput, error) {
	in := req.Input
	e, err := post(ctx, req, posting{kind: "redeem", customer: in.Customer, note: in.Note,
		points: func(_ program, a account) (int64, error) {
			switch {
			case in.Points < 1:
				return 0, invalid(fmt.Errorf("%d points cannot be redeemed; ask for 1 or more", in.Points))
			case a.Balance < in.Points:
				return 0, refused(fmt.Errorf("customer %s has %d points, %d asked", in.Customer, a.Balance, in.Points))
			}
			return -in.Points, nil
		}})
	if err != nil {
		return RedeemOutput{}, err
	}
	return RedeemOutput{Customer: in.Customer, Redeemed: -e.Points, Balance: e.Balance, Lifetime: e.Lifetime, Tier: e.Tier, Entry: e.number}, nil
}
