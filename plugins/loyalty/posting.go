package loyalty

import (
	"context"
	"fmt"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// posting is what an action wants to enter into an account.
type posting struct {
	kind     string
	customer string
	note     string
	// points says by how much the balance changes, given the account as it is. 0 makes no entry.
	points func(program, account) (int64, error)
}

// posted is an entry with its number in the account; 0 where none was made.
type posted struct {
	entry
	number int64
}

// post stages an entry and the account after it, or returns the entry that an earlier attempt of the same
// step made. Its errors are ready to be returned by an action.
func post[In any](ctx context.Context, req sdk.Request[Config, In], p posting) (posted, error) {
	if err := checkCustomer(p.customer); err != nil {
		return posted{}, invalid(err)
	}
	if earlier, found, err := find(ctx, req.Data, req.IdempotencyKey, p); found || err != nil {
		return earlier, err
	}
	programme, err := newProgram(req.Config)
	if err != nil {
		return posted{}, invalid(err)
	}
	var before account
	version, err := read(ctx, req.Data, accountKey(p.customer), &before)
	if err != nil {
		return posted{}, err
	}
	points, err := p.points(programme, before)
	if err != nil {
		return posted{}, err
	}
	held := programme.tierOf(before.Lifetime).name
	if points == 0 {
		return posted{entry: entry{Balance: before.Balance, Lifetime: before.Lifetime, Tier: held}}, nil
	}
	after, err := before.add(points)
	if err != nil {
		return posted{}, invalid(fmt.Errorf("customer %s has %d points and %d are to be added: %w", p.customer, before.Balance, points, err))
	}
	after.Customer, after.LastKey = p.customer, req.IdempotencyKey
	out := posted{number: after.Entries, entry: entry{
		Kind: p.kind, Points: points, Balance: after.Balance, Lifetime: after.Lifetime,
		Tier: programme.tierOf(after.Lifetime).name, Key: req.IdempotencyKey, Note: p.note, Run: req.Run,
	}}
	if out.Tier != held {
		out.Reached = out.Tier
	}
	if cause, err := req.Event(); err == nil {
		out.At = cause.Time
	} else { // the points do not depend on it
		req.Log.Warn("the entry is made without a time", "error", err)
	}
	if err := req.Data.Put(accountKey(p.customer), after, version); err != nil {
		return posted{}, err
	}
	if err := req.Data.Put(entryKey(p.customer, out.number), out.entry, 0); err != nil {
		return posted{}, err
	}
	return out, req.Data.Put(bindingKey(req.IdempotencyKey), binding{p.kind, p.customer, out.number}, 0)
}

// find returns the entry that was made under an idempotency key. The host asks for the key's output before
// it invokes again; this holds even where it could not.
func find(ctx context.Context, data *sdk.Data, key string, p posting) (found posted, ok bool, err error) {
	var b binding
	version, err := read(ctx, data, bindingKey(key), &b)
	if err != nil || version == 0 {
		return posted{}, false, err
	}
	if b.Kind != p.kind || b.Customer != p.customer {
		return posted{}, false, sdk.Permanent(sdk.Fail(wire.Conflict, fmt.Errorf(
			"the idempotency key belongs to another entry already: %s of customer %s, not %s of customer %s", b.Kind, b.Customer, p.kind, p.customer)))
	}
	found.number = b.Entry
	version, err = read(ctx, data, entryKey(p.customer, b.Entry), &found.entry)
	if err == nil && version == 0 {
		err = fmt.Errorf("entry %d of customer %s is gone, though its idempotency key is known", b.Entry, p.customer)
	}
	return found, err == nil, err
}

// invalid marks an error as one of the input or the configuration.
func invalid(err error) error { return sdk.Permanent(sdk.Fail(wire.InvalidInput, err)) }

// refused marks an error as one of the account's state, which a repetition would meet again.
func refused(err error) error { return sdk.Permanent(sdk.Fail(wire.Conflict, err)) }
