package sdk

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/jsonschema-go/jsonschema"
)

// hidden is what a secret prints as.
const hidden = "***"

// Secret is text that is never shown: it prints, logs and marshals as ***. Only Reveal gives it away.
type Secret string

var (
	_ fmt.Formatter  = Secret("")
	_ slog.LogValuer = Secret("")
	_ json.Marshaler = Secret("")
)

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns ***.
func (s Secret) String() string { return hidden }

// Format prints *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue logs ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes "***".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalText writes ***, for keys of maps and for encodings other than JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// HoldsSecret tells whether values of a schema are secret, or hold one.
func HoldsSecret(s *jsonschema.Schema) bool {
	if s == nil {
		return false
	}
	if s.WriteOnly || HoldsSecret(s.Items) || HoldsSecret(s.AdditionalProperties) {
		return true
	}
	for _, p := range s.Properties {
		if HoldsSecret(p) {
			return true
		}
	}
	return false
}

// secretSchema marks a field as one whose value is stored encrypted and never read back.
func secretSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string", WriteOnly: true} }
