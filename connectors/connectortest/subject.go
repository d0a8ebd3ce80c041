package connectortest

import (
	"net/http"
	"testing"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
)

// Connector is what the suite calls, a part of what the host does.
type Connector interface {
	Platform() string
	Verify(h http.Header, body []byte, secrets []sdk.Secret) error
	KeepHeaders(h http.Header) map[string]string
	Translate(d event.Delivery) ([]event.Event, error)
}

// Subject is a connector under test with what the suite cannot know.
type Subject struct {
	Connector Connector
	// Shop is the name of the shop that the cases are deliveries of.
	Shop string
	// Sign returns the headers of a delivery of body, of any topic, signed with secret. Called twice it differs
	// in nothing but the signature.
	Sign func(body []byte, secret string) http.Header
	// Redeliver returns the headers with which the platform delivers the same event again: a retry, or another
	// subscription. nil: the same headers.
	Redeliver func(http.Header) http.Header
	Cases     []Case
	// Update has golden files written instead of compared.
	Update bool
}

// Case is one delivery.
type Case struct {
	// Name is the name of the subtest, and of the golden file.
	Name string
	// Header holds the headers as sent; a signature is not needed.
	Header http.Header
	Body   []byte
	// Error is a part of the text of the error for which the delivery is rejected; "": it is translated.
	Error string
	// NoGolden is set for bodies that are too big to have their events in a file; Check says what is expected.
	NoGolden bool
	// Check looks at the events; optional.
	Check func(t *testing.T, events []event.Event)
}
