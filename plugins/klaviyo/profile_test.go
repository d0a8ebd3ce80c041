package klaviyo_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

func TestUpsertProfile(t *testing.T) {
	t.Parallel()
	h, sim := withSim(t)
	upsert := func(key, input string) (klaviyo.UpsertProfileOutput, error) {
		return sdktest.Decode[klaviyo.UpsertProfileOutput](invoke(h, "upsert_profile", key, input))
	}
	const input = `{"email":"ada@example.com","phone":"+44 20 7946 0000","first_name":"Ada","title":"Countess",
		"location":{"city":"London","latitude":51.5072},"properties":{"points":120,"tier":"gold"}}`
	created, err := upsert("a", input)
	if err != nil || !created.Created || created.ID == "" {
		t.Fatalf("got %+v, %v; want a profile that was created", created, err)
	}
	repeated, err := upsert("a", input)
	if err != nil || repeated.Created || repeated.ID != created.ID {
		t.Errorf("repeated: got %+v, %v; want the same profile, updated", repeated, err)
	}
	// What is empty stays, null clears a property, another identifier is added.
	if _, err := upsert("b", `{"email":"ADA@example.com","external_id":"7","first_name":"","title":"","last_name":"Byron","location":{"zip":"SW1Y"},"properties":{"tier":null}}`); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"email": "ADA@example.com", "phone_number": "+442079460000", "external_id": "7",
		"first_name": "Ada", "last_name": "Byron", "title": "Countess",
		"location":   map[string]any{"city": "London", "latitude": "51.5072", "zip": "SW1Y"},
		"properties": map[string]any{"points": json.Number("120")},
	}
	if p := sim.Profiles(); len(p) != 1 || !reflect.DeepEqual(p[0].Attributes, want) {
		t.Errorf("got %+v\nwant %v", p, want)
	}
}

func TestIdentifiersOfDifferentProfiles(t *testing.T) {
	t.Parallel()
	h, sim := withSim(t)
	upsert := func(input string) (klaviyo.UpsertProfileOutput, error) {
		return sdktest.Decode[klaviyo.UpsertProfileOutput](invoke(h, "upsert_profile", "k", input))
	}
	ada, err := upsert(`{"email":"ada@example.com"}`)
	if err != nil {
		t.Fatal(err)
	}
	household, err := upsert(`{"phone":"+442079460000"}`)
	if err != nil {
		t.Fatal(err)
	}

	_, err = upsert(`{"email":"ada@example.com","phone":"+442079460000","first_name":"Ada"}`)
	failure{wire.Conflict, true, 0, "one of email, phone belongs to the profile " + household.ID}.check(t, err)
	if got := sim.Profiles()[0].Text("first_name"); got != "" {
		t.Errorf("a refused update wrote %q", got)
	}

	out, err := upsert(`{"email":"ada@example.com","phone":"+442079460000","external_id":"7","first_name":"Ada","on_conflict":"first_identifier"}`)
	want := klaviyo.UpsertProfileOutput{ID: ada.ID, LeftOut: []string{"phone", "external_id"}}
	if err != nil || !reflect.DeepEqual(out, want) {
		t.Fatalf("got %+v, %v; want %+v", out, err, want)
	}
	p := sim.Profiles()
	if p[0].Text("first_name") != "Ada" || p[0].Text("phone_number") != "" || p[1].Text("first_name") != "" {
		t.Errorf("got %+v", p)
	}

	// Where all agree, the choice changes nothing.
	out, err = upsert(`{"email":"ada@example.com","external_id":"7","on_conflict":"first_identifier"}`)
	if err != nil || out.LeftOut != nil || sim.Profiles()[0].Text("external_id") != "7" {
		t.Errorf("got %+v, %v", out, err)
	}
}

// A single identifier cannot be of two profiles: somebody created it at the same moment.
func TestConflictOfOneIdentifierIsTriedAgain(t *testing.T) {
	t.Parallel()
	h, sim := withSim(t)
	sim.FailNext(1, http.StatusConflict)
	_, err := invoke(h, "upsert_profile", "k", `{"email":"ada@example.com"}`)
	failure{wire.Conflict, false, 0, "409"}.check(t, err)
	sim.FailNext(2, http.StatusConflict)
	_, err = invoke(h, "upsert_profile", "k", `{"email":"ada@example.com","external_id":"7","on_conflict":"first_identifier"}`)
	failure{wire.Conflict, false, 0, "409"}.check(t, err)
	if _, err = invoke(h, "upsert_profile", "k", `{"email":"ada@example.com"}`); err != nil {
		t.Error(err)
	}
}
