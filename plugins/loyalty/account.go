package loyalty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
)

// account is a customer's account as it is stored.
type account struct {
	Customer string `json:"customer"` // as it came; the key may hold only its hash
	Balance  int64  `json:"balance"`
	Lifetime int64  `json:"lifetime"`
	Entries  int64  `json:"entries"` // the number of the latest entry
	LastKey  string `json:"last_key"`
}

// entry is one change of an account. It is stored once and never changed. Balance, Lifetime and Tier are
// those after it.
type entry struct {
	Kind     string    `json:"kind"` // the action that made it
	Points   int64     `json:"points"`
	Balance  int64     `json:"balance"`
	Lifetime int64     `json:"lifetime"`
	Tier     string    `json:"tier,omitempty"`
	Reached  string    `json:"reached,omitempty"` // the tier that it brought, where it brought one
	Key      string    `json:"key"`
	Note     string    `json:"note,omitempty"`
	Run      string    `json:"run"`
	At       time.Time `json:"at,omitzero"` // when the event of the run happened; a run by hand has none
}

// binding is what an idempotency key points at.
type binding struct {
	Kind     string `json:"kind"`
	Customer string `json:"customer"`
	Entry    int64  `json:"entry"`
}

var errTooManyPoints = errors.New("the account would hold more points than can be counted")

// add returns the account after a change of so many points. Points that are earned count for the lifetime.
func (a account) add(points int64) (account, error) {
	if points > 0 {
		if a.Balance > math.MaxInt64-points || a.Lifetime > math.MaxInt64-points {
			return a, errTooManyPoints
		}
		a.Lifetime += points
	}
	a.Balance += points // negative points are checked by their action: only it can say what was asked
	a.Entries++
	return a, nil
}

// maxCustomer is the longest id of a customer, in bytes.
const maxCustomer = 200

// errGuest is what an action says to a customer without an id.
var errGuest = errors.New("the customer has no id: a guest has no account; put the step under `if: customer.exists`")

func checkCustomer(id string) error {
	switch {
	case strings.TrimSpace(id) == "":
		return errGuest
	case len(id) > maxCustomer:
		return fmt.Errorf("the customer's id has %d bytes; it may have %d", len(id), maxCustomer)
	}
	return nil
}

func accountKey(customer string) string { return "account/" + segment(customer) }

func entryPrefix(customer string) string { return "entry/" + segment(customer) + "/" }

// entryKey pads the number so that keys sort as numbers do.
func entryKey(customer string, number int64) string {
	return fmt.Sprintf("%s%012d", entryPrefix(customer), number)
}

func bindingKey(idempotencyKey string) string { return "key/" + segment(idempotencyKey) }

// maxSegment keeps every key below the host's 512 bytes.
const maxSegment = 400

// segment writes any text as one segment of a key, so that the prefix of one customer is never that of
// another. What would be too long is written as its hash; "#" is escaped in all others.
func segment(s string) string {
	if escaped := url.PathEscape(s); len(escaped) <= maxSegment {
		return escaped
	}
	sum := sha256.Sum256([]byte(s))
	return "#" + hex.EncodeToString(sum[:])
}

// read decodes the entry of a key into a value, which stays as it is where there is none.
func read(ctx context.Context, data *sdk.Data, key string, into any) (version uint64, err error) {
	item, err := data.Get(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", key, err)
	}
	if item.Version == 0 {
		return 0, nil
	}
	if err := json.Unmarshal(item.Value, into); err != nil {
		return 0, fmt.Errorf("decoding %s: %w", key, err)
	}
	return item.Version, nil
}
