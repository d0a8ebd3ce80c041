package klaviyo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

func TestCreateEvent(t *testing.T) {
	t.Parallel()
	id := "01SH0PHAND0000000000000001" // of the account's first profile
	for name, c := range map[string]struct {
		input   string
		event   klaviyosim.Event
		profile map[string]any
	}{
		"all that an event can hold": {
			input: `{"metric":"Placed Order","email":" ada@example.com ","phone":"0044 20 7946-0000","external_id":"6940095564",
				"value":"150.00","value_currency":"USD","time":"2026-11-20T10:30:00.9+01:00","backfill":true,
				"properties":{"order":9007199254740993,"tax":0.10,"lines":[{"sku":"A","free":null}],"note":"<b>&"},
				"profile":{"first_name":"Ada","locale":"en-GB","location":{"city":"London","latitude":"51.5072","longitude":0},"properties":{"points":120}}}`,
			event: klaviyosim.Event{Metric: "Placed Order", ProfileID: id, UniqueID: "k", Value: "150.00", ValueCurrency: "USD", Backfill: true,
				Time: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Received: start,
				Properties: map[string]any{"order": json.Number("9007199254740993"), "tax": json.Number("0.10"),
					"lines": []any{map[string]any{"sku": "A", "free": nil}}, "note": "<b>&"}},
			profile: map[string]any{"email": "ada@example.com", "phone_number": "+442079460000", "external_id": "6940095564",
				"first_name": "Ada", "locale": "en-GB", "properties": map[string]any{"points": json.Number("120")},
				"location": map[string]any{"city": "London", "latitude": "51.5072", "longitude": "0"}},
		},
		"the least": {
			input:   `{"metric":"Delivered","phone":"+442079460000","email":"","profile":{"first_name":""}}`,
			event:   klaviyosim.Event{Metric: "Delivered", ProfileID: id, UniqueID: "k", Time: start, Received: start, Properties: map[string]any{}},
			profile: map[string]any{"phone_number": "+442079460000"},
		},
		"the shop's currency, a value of 0": {
			input:   `{"metric":"Refunded","external_id":"1","value":0}`,
			event:   klaviyosim.Event{Metric: "Refunded", ProfileID: id, UniqueID: "k", Value: "0", ValueCurrency: "EUR", Time: start, Received: start, Properties: map[string]any{}},
			profile: map[string]any{"external_id": "1"},
		},
		"nulls": {
			input:   `{"metric":"Refunded","external_id":"1","value":null,"time":null,"profile":null}`,
			event:   klaviyosim.Event{Metric: "Refunded", ProfileID: id, UniqueID: "k", Time: start, Received: start, Properties: map[string]any{}},
			profile: map[string]any{"external_id": "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, sim := withSim(t)
			out, err := sdktest.Decode[klaviyo.CreateEventOutput](invoke(h, "create_event", "k", c.input))
			if want := (klaviyo.CreateEventOutput{Accepted: true, UniqueID: "k"}); err != nil || out != want {
				t.Fatalf("got %+v, %v; want %+v", out, err, want)
			}
			events, profiles := sim.Events(), sim.Profiles()
			if len(events) != 1 || !reflect.DeepEqual(events[0], c.event) {
				t.Errorf("got events  %+v\nwant %+v", events, c.event)
			}
			if len(profiles) != 1 || !reflect.DeepEqual(profiles[0].Attributes, c.profile) {
				t.Errorf("got profiles %+v\nwant %v", profiles, c.profile)
			}
		})
	}
}

// An amount must not go through floating point on its way, nor an id.
func TestNumbersKeepTheirDigitsOnTheWire(t *testing.T) {
	t.Parallel()
	var body string
	var header http.Header
	h := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body, header = string(raw), r.Header
		w.WriteHeader(http.StatusAccepted)
	}))
	_, err := invoke(h, "create_event", "run-1/step", `{"metric":"m","email":"ada@example.com","value":"12345678901234567890.10","properties":{"id":6940095564000000001,"rate":1.10}}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"value":12345678901234567890.10,`, `"id":6940095564000000001`, `"rate":1.10`, `"unique_id":"run-1/step"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	for name, want := range map[string]string{
		"Authorization": "Klaviyo-API-Key " + key, "Revision": "2026-07-15", "Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestEventOfAProfileByItsID(t *testing.T) {
	t.Parallel()
	h, sim := withSim(t)
	profile, err := sdktest.Decode[klaviyo.UpsertProfileOutput](invoke(h, "upsert_profile", "a", `{"email":"ada@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := invoke(h, "create_event", "b", `{"metric":"m","profile_id":"`+profile.ID+`"}`); err != nil {
		t.Fatal(err)
	}
	if events := sim.Events(); len(events) != 1 || events[0].ProfileID != profile.ID || len(sim.Profiles()) != 1 {
		t.Errorf("got events %+v, profiles %+v", events, sim.Profiles())
	}
	_, err = invoke(h, "create_event", "c", `{"metric":"m","profile_id":"nobody"}`)
	failure{wire.NotFound, true, 0, "(at /data/attributes/profile/data/id)"}.check(t, err)
}

// The promise that a host needs most: whatever became of an attempt, the next with its key leaves one event.
func TestRepeatedEventIsRecordedOnce(t *testing.T) {
	t.Parallel()
	const input = `{"metric":"Placed Order","email":"ada@example.com","value":"150.00"}`
	h, sim := withSim(t)
	for range 2 {
		if _, err := invoke(h, "create_event", "first", input); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(sim.Events()); n != 1 {
		t.Fatalf("the same key twice recorded %d events, want 1", n)
	}

	sim.LoseNext(1) // the event is recorded and nobody hears of it
	_, err := invoke(h, "create_event", "second", input)
	failure{wire.Unavailable, false, 0, "calling klaviyo"}.check(t, err)
	if _, err := invoke(h, "create_event", "second", input); err != nil {
		t.Fatal(err)
	}
	sim.FailNext(1, http.StatusBadGateway) // nothing is recorded
	_, err = invoke(h, "create_event", "third", input)
	failure{wire.Unavailable, false, 0, "502"}.check(t, err)
	if _, err := invoke(h, "create_event", "third", input); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range sim.Events() {
		keys = append(keys, e.UniqueID)
	}
	if want := []string{"first", "second", "third"}; !reflect.DeepEqual(keys, want) {
		t.Errorf("recorded %v, want %v", keys, want)
	}
}
