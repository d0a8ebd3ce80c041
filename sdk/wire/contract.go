package wire

import (
	"context"
	"encoding/json"
)

// Handler is a plugin as the host sees it. A plugin in a process of its own, a plugin under test and a
// platform's own actions all stand behind it. Its methods are safe for concurrent use.
type Handler interface {
	// Describe tells what the plugin is and offers; the answer never changes.
	Describe(context.Context) (Description, error)
	// Configure checks the configuration of a connection; a *Failure as error refuses it.
	Configure(ctx context.Context, config json.RawMessage, shop Shop) error
	// Invoke carries out one attempt of an action. What went wrong is in the Result's Failure; an error means
	// that the plugin itself broke, so that nobody knows whether the attempt took effect.
	Invoke(ctx context.Context, inv Invocation, data Data) (Result, error)
}

// Description is what a plugin says of itself.
type Description struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Summary string          `json:"summary"`
	Config  json.RawMessage `json:"config,omitempty"` // JSON Schema; properties with writeOnly are secret
	Actions []Action        `json:"actions"`
}

// Action is one operation that a plugin offers.
type Action struct {
	Name     string          `json:"name"`
	Summary  string          `json:"summary"`
	Input    json.RawMessage `json:"input"`            // JSON Schema, an object
	Output   json.RawMessage `json:"output,omitempty"` // JSON Schema; absent: anything
	Outcome  Outcome         `json:"outcome"`
	Effect   Effect          `json:"effect"`
	Examples []Example       `json:"examples,omitempty"`
}

// Example is an input with the output that it gives.
type Example struct {
	Title  string          `json:"title"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output,omitempty"`
}

// Outcome says what the host does when it does not know whether an attempt took effect.
type Outcome string

// The outcome policies.
const (
	Unsafe     Outcome = "unsafe"     // a person decides; the policy where none is declared
	Idempotent Outcome = "idempotent" // doing it twice is the same as once: repeat
	Keyed      Outcome = "keyed"      // the vendor or the plugin's data holds the key: repeat
	Verify     Outcome = "verify"     // the action looks first for what an earlier attempt did: repeat
)

// Effect says what an action does to the world, by which the host applies consent, quiet hours and caps.
type Effect string

// The effects.
const (
	NoEffect Effect = "none"
	Message  Effect = "message"
	Money    Effect = "money"
	Stock    Effect = "stock"
)

// Shop is what a plugin may know of the shop that it works for.
type Shop struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	Currency string `json:"currency"`
	Timezone string `json:"timezone"` // IANA zone
	URL      string `json:"url"`
}

// Invocation is one attempt of an action.
type Invocation struct {
	Action         string
	Input          json.RawMessage
	Config         json.RawMessage // of the connection, secrets readable
	IdempotencyKey string          // the same for every attempt of the step
	Attempt        int             // 1 for the first
	Shop           Shop
	Flow           string
	Run            string
	Step           string
	Event          json.RawMessage // the event that started the run
}

// Result is what came of an attempt: an output with the writes that belong to it, or a failure.
type Result struct {
	Output  json.RawMessage
	Writes  []Write
	Failure *Failure
}

// Write changes one entry of the plugin's data of the shop. Version is the one that the entry must have; 0
// means that it must not exist.
type Write struct {
	Key     string
	Value   json.RawMessage
	Delete  bool
	Version uint64
}

// Item is one entry of the plugin's data.
type Item struct {
	Key     string
	Value   json.RawMessage
	Version uint64 // 0 where there is no such entry
}

// Data reads the plugin's data of the shop that an invocation is for.
type Data interface {
	// Get returns the entry of that key; an absent one has Version 0.
	Get(ctx context.Context, key string) (Item, error)
	// List returns up to limit entries whose keys start with prefix and come after the key after, by key.
	List(ctx context.Context, prefix, after string, limit int) ([]Item, error)
}
