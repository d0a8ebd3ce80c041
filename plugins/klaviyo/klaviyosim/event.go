package klaviyosim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Event is an event that was recorded.
type Event struct {
	Metric    string
	ProfileID string
	// UniqueID is the request's, else the event's time in seconds.
	UniqueID string
	// Time is when the event happened, to the second.
	Time time.Time
	// Value has the digits that came; "" where there is none.
	Value         json.Number
	ValueCurrency string
	// Properties holds numbers as json.Number. It must not be changed.
	Properties map[string]any
	Backfill   bool
	Received   time.Time
}

// Events returns all events in the order in which they were recorded.
func (s *Sim) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}

// createEvent is create_event. It creates or updates the profile, and records the event unless one of the same
// profile, metric and unique_id is there: both are answered alike.
func (s *Sim) createEvent(attributes map[string]any, _ string, now time.Time) answer {
	data := attributes["profile"].(map[string]any)["data"].(map[string]any)
	person := data["attributes"].(map[string]any)
	id, _ := data["id"].(string)
	if id != "" && s.owners[keyOf("id", id)] == nil {
		return s.problem(http.StatusNotFound, problem{
			detail: "A profile with id " + id + " does not exist.", pointer: "/data/attributes/profile/data/id",
		})
	}
	var p *profile
	if owners := s.find(person, id); len(owners) > 0 {
		p = owners[0]
	} else {
		p = s.create(now)
	}
	s.update(p, person, now)

	e := Event{ProfileID: p.ID, Time: now.Truncate(time.Second), Received: now}
	metric := attributes["metric"].(map[string]any)["data"].(map[string]any)["attributes"].(map[string]any)
	e.Metric, _ = metric["name"].(string)
	if value, ok := attributes["time"].(string); ok {
		t, err := time.Parse(time.RFC3339, value)
		if err == nil { // the rule saw to it
			e.Time = t.UTC().Truncate(time.Second)
		}
	}
	e.UniqueID, _ = attributes["unique_id"].(string)
	if e.UniqueID == "" {
		e.UniqueID = strconv.FormatInt(e.Time.Unix(), 10)
	}
	e.Value, _ = attributes["value"].(json.Number)
	e.ValueCurrency, _ = attributes["value_currency"].(string)
	e.Properties, _ = attributes["properties"].(map[string]any)
	e.Backfill, _ = attributes["backfill"].(bool)

	key := e.ProfileID + "\x00" + e.Metric + "\x00" + e.UniqueID
	if !s.recorded[key] {
		s.recorded[key] = true
		s.events = append(s.events, e)
		if e.Time.After(p.lastEvent) {
			p.lastEvent = e.Time
		}
	}
	return answer{status: http.StatusAccepted}
}
