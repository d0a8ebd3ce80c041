package klaviyosim

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Profile is a profile of the account.
type Profile struct {
	ID string
	// Attributes are named as in Klaviyo's API; numbers are json.Number, location and properties are
	// map[string]any. They must not be changed.
	Attributes map[string]any
	Created    time.Time
	Updated    time.Time
}

// Text returns an attribute that is text, "" where there is none.
func (p Profile) Text(attribute string) string {
	s, _ := p.Attributes[attribute].(string)
	return s
}

// profile is a Profile that changes: its maps are replaced, never written to, so that copies stay as they were.
type profile struct {
	Profile
	lastEvent time.Time // zero: none
}

// Profiles returns all profiles in the order in which they were created.
func (s *Sim) Profiles() []Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Profile
	for _, p := range s.profiles {
		out = append(out, p.Profile)
	}
	return out
}

// identifiers lists the attributes by which a profile is found, in the order in which they are tried.
func identifiers() []string {
	return []string{"email", "phone_number", "external_id", "anonymous_id", "_kx"}
}

// keyOf returns the key of an identifier in Sim.owners. E-mail addresses that differ in case only are one.
func keyOf(name, value string) string {
	if name == "email" {
		value = strings.ToLower(value)
	}
	return name + ":" + value
}

// find returns the profiles that the id and the identifiers belong to, each once, in the order of identifiers.
func (s *Sim) find(attributes map[string]any, id string) []*profile {
	var out []*profile
	add := func(key string) {
		p := s.owners[key]
		for _, known := range out {
			if known == p {
				return
			}
		}
		if p != nil {
			out = append(out, p)
		}
	}
	if id != "" {
		add(keyOf("id", id))
	}
	for _, name := range identifiers() {
		if value, _ := attributes[name].(string); value != "" {
			add(keyOf(name, value))
		}
	}
	return out
}

// create adds an empty profile. Ids look like Klaviyo's, 26 characters.
func (s *Sim) create(now time.Time) *profile {
	p := &profile{Profile: Profile{ID: fmt.Sprintf("01SH0PHAND%016d", len(s.profiles)+1), Attributes: map[string]any{}, Created: now, Updated: now}}
	s.profiles = append(s.profiles, p)
	s.owners[keyOf("id", p.ID)] = p
	return p
}

// update writes attributes into a profile: null clears one, an absent one stays, and so it is inside of location
// and properties. An identifier that another profile has is left out.
func (s *Sim) update(p *profile, attributes map[string]any, now time.Time) {
	merged := maps.Clone(p.Attributes)
	for name, value := range attributes {
		nested, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(merged, name)
		case isObject:
			old, _ := merged[name].(map[string]any)
			merged[name] = overlaid(old, nested)
		default:
			merged[name] = value
		}
	}
	for _, name := range identifiers() {
		before, after := p.Text(name), ""
		if v, ok := merged[name].(string); ok {
			after = v
		}
		if before == after {
			continue
		}
		if owner := s.owners[keyOf(name, after)]; after != "" && owner != nil && owner != p {
			if delete(merged, name); before != "" {
				merged[name] = before
			}
			continue
		}
		if before != "" {
			delete(s.owners, keyOf(name, before))
		}
		if after != "" {
			s.owners[keyOf(name, after)] = p
		}
	}
	p.Attributes, p.Updated = merged, now
}

// overlaid returns a copy of base with the values of over; null takes one away.
func overlaid(base, over map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, base)
	for name, value := range over {
		if value == nil {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}

// importProfile is create_or_update_profile.
func (s *Sim) importProfile(attributes map[string]any, id string, now time.Time) answer {
	if id != "" && s.owners[keyOf("id", id)] == nil {
		return s.problem(http.StatusNotFound, problem{detail: "A profile with id " + id + " does not exist.", pointer: "/data/"})
	}
	owners := s.find(attributes, id)
	if len(owners) > 1 {
		// https://github.com/klaviyo/klaviyo-api-node/issues/75
		return s.problem(http.StatusConflict, problem{
			detail: "A profile already exists with one of these identifiers.", pointer: "/data/attributes",
			meta: map[string]any{"duplicate_profile_id": owners[1].ID},
		})
	}
	status := http.StatusOK
	if len(owners) == 0 {
		status = http.StatusCreated
		owners = append(owners, s.create(now))
	}
	p := owners[0]
	s.update(p, attributes, now)
	return answer{status: status, body: map[string]any{"data": p.resource()}}
}

// resource is the profile as PostProfileResponse has it.
func (p *profile) resource() map[string]any {
	attributes := map[string]any{"properties": map[string]any{}, "location": map[string]any{}, "last_event_date": nil}
	for _, name := range []string{"email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image"} {
		attributes[name] = nil
	}
	maps.Copy(attributes, p.Attributes)
	delete(attributes, "anonymous_id")
	delete(attributes, "_kx")
	attributes["created"], attributes["updated"] = p.Created.Format(time.RFC3339), p.Updated.Format(time.RFC3339)
	if !p.lastEvent.IsZero() {
		attributes["last_event_date"] = p.lastEvent.Format(time.RFC3339)
	}
	return map[string]any{
		"type": "profile", "id": p.ID, "attributes": attributes,
		"links": map[string]any{"self": "https://a.klaviyo.com/api/profiles/" + p.ID + "/"},
	}
}
