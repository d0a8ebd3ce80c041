// Package store keeps what people have configured (shops, connections, flows) and the data that plugins keep
// for a shop. Drivers implement Store and pass storetest.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	// ErrConflict: an entry of plugin data has not the version that a write needs; nothing was written.
	ErrConflict = errors.New("the data has changed in the meantime")
	// ErrTooLarge: a write of plugin data is over a limit; nothing was written.
	ErrTooLarge = errors.New("too large")
)

// Limits of plugin data, for one action's writes.
const (
	MaxKey    = 512      // bytes
	MaxValue  = 64 << 10 // bytes
	MaxWrites = 256
)

// Shop is a shop as it was connected. Its secrets are encrypted at rest.
type Shop struct {
	Name     string
	Platform string // shopify, woocommerce
	URL      string // of the shop, as buyers see it
	APIURL   string // of a stand-in for the platform's API; "" outside of tests and demos
	Currency string // ISO 4217, "" where not known
	Timezone string // IANA, "" where not known
	AddedAt  time.Time
	// Credentials are those of the platform's API, by the name that its connector gives them.
	Credentials map[string]sdk.Secret
	// WebhookSecrets check webhooks; several while they are being replaced; none: the app's are used.
	WebhookSecrets []sdk.Secret
}

// Connection is a shop's account with a plugin's vendor. Its configuration is encrypted at rest.
type Connection struct {
	Plugin string
	Shop   string
	Name   string
	Config json.RawMessage
}

// Flow is a flow as it was applied, for one shop or (Shop "") for all.
type Flow struct {
	ID        string    `json:"id"`
	Shop      string    `json:"shop"`
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Enabled   bool      `json:"enabled"`
	Source    []byte    `json:"source"`
	File      string    `json:"file"`
	AppliedAt time.Time `json:"applied_at"`
}

// Store keeps all of this. Its methods return when what they wrote is on disk, and are safe for concurrent use.
type Store interface {
	// AddShop adds a shop, or gives ErrExists.
	AddShop(ctx context.Context, s Shop) error
	// Shop returns a shop, or ErrNotFound.
	Shop(ctx context.Context, name string) (Shop, error)
	// Shops returns all shops by name.
	Shops(ctx context.Context) ([]Shop, error)
	// RemoveShop removes a shop with its connections, or gives ErrNotFound. Flows and plugin data stay.
	RemoveShop(ctx context.Context, name string) error

	// SetConnection adds or replaces a connection.
	SetConnection(ctx context.Context, c Connection) error
	// Connection returns a connection, or ErrNotFound.
	Connection(ctx context.Context, plugin, shop, name string) (Connection, error)
	// Connections returns those of a shop, or with "" of all, by shop, plugin and name.
	Connections(ctx context.Context, shop string) ([]Connection, error)
	// RemoveConnection removes a connection, or gives ErrNotFound.
	RemoveConnection(ctx context.Context, plugin, shop, name string) error

	// ApplyFlow puts a version of a flow to work and returns the flow as it stands. A flow that is known keeps
	// its Enabled; a new one has that of f. Every version's source is kept.
	ApplyFlow(ctx context.Context, f Flow) (Flow, error)
	// Flow returns a flow of that scope, or ErrNotFound.
	Flow(ctx context.Context, shop, id string) (Flow, error)
	// FlowVersion returns the source of a version that was ever applied, or ErrNotFound.
	FlowVersion(ctx context.Context, id, version string) ([]byte, error)
	// Flows returns all flows by id and shop.
	Flows(ctx context.Context) ([]Flow, error)
	// SetFlowEnabled switches a flow, or gives ErrNotFound.
	SetFlowEnabled(ctx context.Context, shop, id string, enabled bool) error
	// DeleteFlow removes a flow, or gives ErrNotFound. Its versions stay, for the runs that are on them.
	DeleteFlow(ctx context.Context, shop, id string) error

	// PluginData reads what a plugin keeps for a shop.
	PluginData(plugin, shop string) wire.Data
	// ApplyOnce commits an action's writes with its output under its idempotency key: all of them, or none with
	// ErrConflict or ErrTooLarge. Where the key is committed already it changes nothing. It returns the output
	// that is committed under the key.
	ApplyOnce(ctx context.Context, plugin, shop, key string, writes []wire.Write, output json.RawMessage) (json.RawMessage, error)
	// Applied returns the output that is committed under an idempotency key.
	Applied(ctx context.Context, plugin, shop, key string) (json.RawMessage, bool, error)

	// Generation grows with each change of shops, connections and flows, so that caches know when to look.
	Generation() uint64
	// Close closes the store.
	Close() error
}

// Sealer encrypts values at rest; see package secret.
type Sealer interface {
	Seal(plaintext, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}
