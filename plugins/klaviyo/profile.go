package klaviyo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/wire"
)

// Identifiers say whose profile is meant. Empty ones count as absent.
type Identifiers struct {
	Email      string `json:"email,omitempty" jsonschema:"e-mail address"`
	Phone      string `json:"phone,omitempty" jsonschema:"phone number with the country's code, as in +442079460000; spaces and dashes are taken out"`
	ExternalID string `json:"external_id,omitempty" jsonschema:"the shop's own id of the customer"`
}

// Person is what a profile says of somebody. What is empty or absent stays as it is in Klaviyo.
type Person struct {
	FirstName    string    `json:"first_name,omitempty"`
	LastName     string    `json:"last_name,omitempty"`
	Organization string    `json:"organization,omitempty" jsonschema:"the company that the person works for"`
	Title        string    `json:"title,omitempty" jsonschema:"job title"`
	Locale       string    `json:"locale,omitempty" jsonschema:"language and country, as in en-US"`
	Image        string    `json:"image,omitempty" jsonschema:"address of a picture"`
	Location     *Location `json:"location,omitempty"`
	// Properties go to Klaviyo as they are, digit for digit.
	Properties map[string]json.RawMessage `json:"properties,omitempty" jsonschema:"custom properties of the profile; null clears one"`
}

// Location is where a person lives. It is sent as it stands here.
type Location struct {
	Address1  string            `json:"address1,omitempty"`
	Address2  string            `json:"address2,omitempty"`
	City      string            `json:"city,omitempty"`
	Region    string            `json:"region,omitempty" jsonschema:"state or province"`
	Zip       string            `json:"zip,omitempty"`
	Country   string            `json:"country,omitempty"`
	Latitude  *commerce.Decimal `json:"latitude,omitempty"`
	Longitude *commerce.Decimal `json:"longitude,omitempty"`
	Timezone  string            `json:"timezone,omitempty" jsonschema:"IANA zone, as in Europe/Berlin"`
	IP        string            `json:"ip,omitempty"`
}

// UpsertProfileInput is the input of upsert_profile.
type UpsertProfileInput struct {
	Identifiers
	Person
	OnConflict string `json:"on_conflict,omitempty" jsonschema:"what to do where the identifiers belong to different profiles: fail (the default), or write the profile of the first one given (email, phone, external_id) and leave the other identifiers out"`
}

const (
	onConflictFail  = "fail"
	onConflictFirst = "first_identifier"
)

// JSONSchema lists the ways to meet a conflict.
func (UpsertProfileInput) JSONSchema(s *jsonschema.Schema) {
	s.Properties["on_conflict"].Enum = []any{onConflictFail, onConflictFirst}
}

// UpsertProfileOutput is the output of upsert_profile.
type UpsertProfileOutput struct {
	ID      string `json:"id" jsonschema:"Klaviyo's id of the profile"`
	Created bool   `json:"created" jsonschema:"true where there was no such profile before"`
	// LeftOut is not empty only with on_conflict: first_identifier.
	LeftOut []string `json:"left_out,omitempty" jsonschema:"identifiers that were not written because another profile has one of them"`
}

// profileAttributes are the attributes of a profile as Klaviyo names them.
type profileAttributes struct {
	Email       string `json:"email,omitempty"`
	PhoneNumber string `json:"phone_number,omitempty"`
	ExternalID  string `json:"external_id,omitempty"`
	Person
}

// normalised returns the identifiers as Klaviyo takes them.
func (i Identifiers) normalised() (Identifiers, error) {
	phone, err := normalisePhone(i.Phone)
	if err != nil {
		return i, sdk.Permanent(sdk.Fail(wire.InvalidInput, err))
	}
	return Identifiers{Email: strings.TrimSpace(i.Email), Phone: phone, ExternalID: strings.TrimSpace(i.ExternalID)}, nil
}

// names lists the identifiers that are given, in the order in which on_conflict prefers them.
func (i Identifiers) names() []string {
	var out []string
	if i.Email != "" {
		out = append(out, "email")
	}
	if i.Phone != "" {
		out = append(out, "phone")
	}
	if i.ExternalID != "" {
		out = append(out, "external_id")
	}
	return out
}

// first returns the preferred identifier alone.
func (i Identifiers) first() Identifiers {
	switch {
	case i.Email != "":
		return Identifiers{Email: i.Email}
	case i.Phone != "":
		return Identifiers{Phone: i.Phone}
	}
	return Identifiers{ExternalID: i.ExternalID}
}

func (i Identifiers) attributes(p Person) profileAttributes {
	return profileAttributes{Email: i.Email, PhoneNumber: i.Phone, ExternalID: i.ExternalID, Person: p}
}

// errNobody is the error of an input that does not say whose profile is meant.
func errNobody(choices string) error {
	return sdk.Permanent(sdk.Fail(wire.InvalidInput, fmt.Errorf("no profile is named: give at least one of %s", choices)))
}

func (c *client) upsertProfile(ctx context.Context, req sdk.Request[Config, UpsertProfileInput]) (UpsertProfileOutput, error) {
	who, err := req.Input.normalised()
	if err != nil {
		return UpsertProfileOutput{}, err
	}
	names := who.names()
	if len(names) == 0 {
		return UpsertProfileOutput{}, errNobody("email, phone and external_id")
	}
	out, err := c.importProfile(ctx, req.Config, who, req.Input.Person)
	if r := conflict(err); r != nil && len(names) > 1 {
		if req.Input.OnConflict != onConflictFirst {
			return out, sdk.Permanent(sdk.Fail(wire.Conflict, mixedUp(names, r)))
		}
		if out, err = c.importProfile(ctx, req.Config, who.first(), req.Input.Person); err == nil {
			out.LeftOut = names[1:]
		}
	}
	if r := conflict(err); r != nil {
		// One identifier belongs to one profile, so this one was created by somebody else at the same moment:
		// the next attempt finds it.
		return out, sdk.Fail(wire.Conflict, r)
	}
	return out, err
}

// importProfile creates or updates one profile. Klaviyo answers 201 or 200.
func (c *client) importProfile(ctx context.Context, config Config, who Identifiers, p Person) (UpsertProfileOutput, error) {
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	status, err := c.post(ctx, config, "/api/profile-import",
		document{resource{Type: "profile", Attributes: who.attributes(p)}}, &answer, http.StatusOK, http.StatusCreated)
	if err != nil {
		return UpsertProfileOutput{}, err
	}
	if answer.Data.ID == "" {
		return UpsertProfileOutput{}, sdk.Fail(wire.Unavailable, fmt.Errorf("klaviyo answered %d without the profile's id", status))
	}
	return UpsertProfileOutput{ID: answer.Data.ID, Created: status == http.StatusCreated}, nil
}

// conflict returns the refusal in err if it says that an identifier is another profile's, else nil.
func conflict(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) && r.status == http.StatusConflict {
		return r
	}
	return nil
}

// mixedUp explains identifiers that belong to different profiles.
func mixedUp(names []string, r *refusal) error {
	which := "another profile"
	if id := r.duplicate(); id != "" {
		which = "the profile " + id
	}
	return fmt.Errorf("%w; one of %s belongs to %s: merge the profiles in Klaviyo, give fewer identifiers, or set on_conflict to %s",
		r, strings.Join(names, ", "), which, onConflictFirst)
}

func profileExamples() []sdk.Option {
	return []sdk.Option{
		sdk.WithExample("A new customer",
			UpsertProfileInput{
				Identifiers: Identifiers{Email: "ada@example.com", Phone: "+442079460000", ExternalID: "6940095564"},
				Person: Person{
					FirstName: "Ada", LastName: "Byron", Locale: "en-GB",
					Location:   &Location{City: "London", Country: "United Kingdom", Zip: "SW1Y 4JH"},
					Properties: map[string]json.RawMessage{"loyalty_points": json.RawMessage(`120`)},
				},
			},
			UpsertProfileOutput{ID: "01GDDKASAP8TKDDA2GRZDSVP4H", Created: true}),
	}
}
