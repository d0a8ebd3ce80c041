// Package loyalty is a plugin that keeps a points ledger for a shop's customers in the host's plugin data.
//
// A customer has an account: the balance, which is never below zero, and the lifetime, which is all points
// ever earned and decides the tier. Whatever changes an account is an entry, which is written once and never
// changed; the sum of an account's entries is its balance. Each entry is bound to the idempotency key of the
// step that made it, so that a repeated attempt finds the entry and gives the same answer.
//
// Three kinds of keys hold it, customer and idempotency key as one escaped path segment each:
//
//	account/CUSTOMER          balance, lifetime and number of entries
//	entry/CUSTOMER/NUMBER     the entries, in the order in which they were made
//	key/IDEMPOTENCY_KEY       the entry that was made under this key
//
// The three are staged together, on the versions that were read, so that two awards at once lose none: the
// host refuses the later one's writes and invokes it again.
package loyalty

import (
	"context"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
)

// New returns the plugin.
func New() *sdk.Plugin[Config] {
	p := sdk.New[Config](sdk.Info{Name: "loyalty", Version: "0.1.0", Summary: "Keeps loyalty points for the shop's customers."})
	p.OnConfigure(func(_ context.Context, c Config) error {
		_, err := newProgram(c)
		return err
	})

	points, amount := int64(150), commerce.MustDecimal("149.90")
	sdk.AddAction(p, "award", "Gives a customer points, or the points that an amount is worth.", award, sdk.Keyed(), sdk.MovesMoney(),
		sdk.WithExample("Points for an order",
			AwardInput{Customer: "1001", Amount: &amount, Note: "Order #1042"},
			AwardOutput{Customer: "1001", Awarded: 149, Balance: 149, Lifetime: 149, Entry: 1}),
		sdk.WithExample("A fixed number of points",
			AwardInput{Customer: "1001", Points: &points, Note: "Review"},
			AwardOutput{Customer: "1001", Awarded: 150, Balance: 299, Lifetime: 299, Tier: "silver", Reached: "silver", Entry: 2}))
	sdk.AddAction(p, "redeem", "Takes points that a customer spends; fails for good where the balance is too small.", redeem, sdk.Keyed(), sdk.MovesMoney(),
		sdk.WithExample("Points for a coupon",
			RedeemInput{Customer: "1001", Points: 200, Note: "Coupon over 10 EUR"},
			RedeemOutput{Customer: "1001", Redeemed: 200, Balance: 99, Lifetime: 299, Tier: "silver", Entry: 3}))
	sdk.AddAction(p, "adjust", "Corrects a customer's balance up or down, never below zero.", adjust, sdk.Keyed(), sdk.MovesMoney(),
		sdk.WithExample("Points of a refunded order",
			AdjustInput{Customer: "1001", Points: -49, Reason: "Order #1042 was refunded"},
			AdjustOutput{Customer: "1001", Adjusted: -49, Balance: 50, Lifetime: 299, Tier: "silver", Entry: 4}))
	sdk.AddAction(p, "balance", "Reads a customer's account; changes nothing.", balance, sdk.Idempotent(),
		sdk.WithExample("A customer's points",
			BalanceInput{Customer: "1001"},
			BalanceOutput{Customer: "1001", Balance: 50, Lifetime: 299, Tier: "silver", Entries: 4}))
	return p
}
