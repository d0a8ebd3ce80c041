package klaviyo

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
)

// CreateEventInput is the input of create_event.
type CreateEventInput struct {
	Metric string `json:"metric" jsonschema:"name of the event in Klaviyo, as in Placed Order"`
	Identifiers
	ProfileID string `json:"profile_id,omitempty" jsonschema:"Klaviyo's own id of the profile, as upsert_profile returns it"`
	// Value goes to Klaviyo as a JSON number with the digits that it has here.
	Value         *commerce.Decimal `json:"value,omitempty" jsonschema:"amount of money that the event stands for"`
	ValueCurrency string            `json:"value_currency,omitempty" jsonschema:"ISO 4217 code of the value's currency; the shop's own where it is absent"`
	// Properties go to Klaviyo as they are, digit for digit.
	Properties map[string]json.RawMessage `json:"properties,omitempty" jsonschema:"what the event holds, any JSON"`
	Time       *time.Time                 `json:"time,omitempty" jsonschema:"when it happened; the time at which Klaviyo receives it where it is absent"`
	Profile    *Person                    `json:"profile,omitempty" jsonschema:"what to write into the profile beside the event"`
	Backfill   bool                       `json:"backfill,omitempty" jsonschema:"records the event without starting flows in Klaviyo"`
}

// JSONSchema holds the limits of Klaviyo's contract that a schema can say.
func (CreateEventInput) JSONSchema(s *jsonschema.Schema) {
	s.Properties["metric"].MinLength = jsonschema.Ptr(1)
	s.Properties["metric"].MaxLength = jsonschema.Ptr(127) // "less than 128 characters"
	s.Properties["value_currency"].Pattern = `^([A-Z]{3})?$`
	s.Properties["properties"].MaxProperties = jsonschema.Ptr(400)
}

// CreateEventOutput is the output of create_event. Klaviyo takes an event to process it later and gives no id.
type CreateEventOutput struct {
	Accepted bool   `json:"accepted" jsonschema:"Klaviyo found the event valid and took it"`
	UniqueID string `json:"unique_id" jsonschema:"by which Klaviyo knows a repetition: the step's idempotency key"`
}

type eventAttributes struct {
	Properties    map[string]json.RawMessage `json:"properties"` // required, if only as {}
	Time          *time.Time                 `json:"time,omitempty"`
	Value         json.Number                `json:"value,omitempty"`
	ValueCurrency string                     `json:"value_currency,omitempty"`
	UniqueID      string                     `json:"unique_id"`
	Backfill      bool                       `json:"backfill,omitempty"`
	Metric        document                   `json:"metric"`
	Profile       document                   `json:"profile"`
}

type metricAttributes struct {
	Name string `json:"name"`
}

func (c *client) createEvent(ctx context.Context, req sdk.Request[Config, CreateEventInput]) (CreateEventOutput, error) {
	in := req.Input
	who, err := in.normalised()
	if err != nil {
		return CreateEventOutput{}, err
	}
	id := strings.TrimSpace(in.ProfileID)
	if id == "" && len(who.names()) == 0 {
		return CreateEventOutput{}, errNobody("email, phone, external_id and profile_id")
	}
	var person Person
	if in.Profile != nil {
		person = *in.Profile
	}
	event := eventAttributes{
		Properties: in.Properties, ValueCurrency: in.ValueCurrency, UniqueID: req.IdempotencyKey, Backfill: in.Backfill,
		Metric:  document{resource{Type: "metric", Attributes: metricAttributes{Name: in.Metric}}},
		Profile: document{resource{Type: "profile", ID: id, Attributes: who.attributes(person)}},
	}
	if event.Properties == nil {
		event.Properties = map[string]json.RawMessage{}
	}
	if in.Value != nil {
		event.Value = json.Number(in.Value.String())
		if event.ValueCurrency == "" {
			event.ValueCurrency = req.Shop.Currency
		}
	}
	if in.Time != nil {
		t := in.Time.UTC()
		event.Time = &t
	}
	_, err = c.post(ctx, req.Config, "/api/events", document{resource{Type: "event", Attributes: event}}, nil, http.StatusAccepted)
	if err != nil {
		return CreateEventOutput{}, err
	}
	return CreateEventOutput{Accepted: true, UniqueID: req.IdempotencyKey}, nil
}

func eventExamples() []sdk.Option {
	total := commerce.MustDecimal("150.00")
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	key := "run-7f3c/order_event"
	return []sdk.Option{
		sdk.WithExample("A paid order",
			CreateEventInput{
				Metric: "Placed Order", Identifiers: Identifiers{Email: "ada@example.com", ExternalID: "6940095564"},
				Value: &total, ValueCurrency: "EUR", Time: &at,
				Properties: map[string]json.RawMessage{"order": json.RawMessage(`"#1001"`), "items": json.RawMessage(`["Teapot","Cup"]`)},
				Profile:    &Person{FirstName: "Ada", LastName: "Byron"},
			},
			CreateEventOutput{Accepted: true, UniqueID: key}),
		sdk.WithExample("Something without money, for a phone number",
			CreateEventInput{Metric: "Parcel Delivered", Identifiers: Identifiers{Phone: "+442079460000"}},
			CreateEventOutput{Accepted: true, UniqueID: key}),
	}
}
