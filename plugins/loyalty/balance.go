package loyalty

import (
	"context"

	"github.com/shophand/shophand/sdk"
)

// BalanceInput is the input of loyalty/balance.
type BalanceInput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
}

// BalanceOutput is the output of loyalty/balance.
type BalanceOutput struct {
	Customer string `json:"customer" jsonschema:"platform id of the customer"`
	Balance  int64  `json:"balance" jsonschema:"points that the customer has"`
	Lifetime int64  `json:"lifetime" jsonschema:"all points that the customer ever earned"`
	Tier     string `json:"tier" jsonschema:"the customer's tier, empty below the first"`
	Entries  int64  `json:"entries" jsonschema:"number of entries in the account; 0 for a customer who has none yet"`
}

func balance(ctx context.Context, req sdk.Request[Config, BalanceInput]) (BalanceOutput, error) {
	in := req.Input
	if err := checkCustomer(in.Customer); err != nil {
		return BalanceOutput{}, invalid(err)
	}
	programme, err := newProgram(req.Config)
	if err != nil {
		return BalanceOutput{}, invalid(err)
	}
	var a account
	if _, err := read(ctx, req.Data, accountKey(in.Customer), &a); err != nil {
		return BalanceOutput{}, err
	}
	return BalanceOutput{Customer: in.Customer, Balance: a.Balance, Lifetime: a.Lifetime, Tier: programme.tierOf(a.Lifetime).name, Entries: a.Entries}, nil
}
