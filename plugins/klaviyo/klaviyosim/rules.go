package klaviyosim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// rule checks a value of the body at a JSON pointer and returns all that is wrong with it.
type rule func(v any, at string) []problem

// decode reads one JSON document, numbers digit for digit.
func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return document, nil
}

// under returns the JSON pointer of a field (RFC 6901).
func under(at, name string) string {
	return at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func wrong(at, format string, args ...any) []problem {
	return []problem{{detail: fmt.Sprintf(format, args...), pointer: at}}
}

// object takes an object of a resource whose fields have rules. The published schemas allow further fields;
// Klaviyo refuses them, with this text.
func object(resource string, required []string, fields map[string]rule) rule {
	return func(v any, at string) []problem {
		o, ok := v.(map[string]any)
		if !ok {
			return wrong(at, "'%s' must be an object.", resource)
		}
		var found []problem
		for _, name := range required {
			if _, ok := o[name]; !ok {
				found = append(found, wrong(under(at, name), "'%s' is a required field for the resource '%s'.", name, resource)...)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(o)) {
			check, ok := fields[name]
			if !ok {
				found = append(found, wrong(under(at, name), "'%s' is not a valid field for the resource '%s'.", name, resource)...)
				continue
			}
			found = append(found, check(o[name], under(at, name))...)
		}
		return found
	}
}

// nullable takes null beside what r takes.
func nullable(r rule) rule {
	return func(v any, at string) []problem {
		if v == nil {
			return nil
		}
		return r(v, at)
	}
}

// all takes what every one of the rules takes, and reports the first that does not.
func all(rules ...rule) rule {
	return func(v any, at string) []problem {
		for _, r := range rules {
			if found := r(v, at); len(found) > 0 {
				return found
			}
		}
		return nil
	}
}

func text(v any, at string) []problem {
	if _, ok := v.(string); !ok {
		return wrong(at, "Not a valid string.")
	}
	return nil
}

func number(v any, at string) []problem {
	if _, ok := v.(json.Number); !ok {
		return wrong(at, "A valid number is required.")
	}
	return nil
}

func boolean(v any, at string) []problem {
	if _, ok := v.(bool); !ok {
		return wrong(at, "Must be a valid boolean.")
	}
	return nil
}

func textOrNumber(v any, at string) []problem {
	switch v.(type) {
	case string, json.Number:
		return nil
	}
	return wrong(at, "Must be a string or a number.")
}

func anyObject(v any, at string) []problem {
	if _, ok := v.(map[string]any); !ok {
		return wrong(at, "Must be an object.")
	}
	return nil
}

// constant takes one string only.
func constant(want string) rule {
	return func(v any, at string) []problem {
		if v != want {
			return wrong(at, "Must be '%s'.", want)
		}
		return nil
	}
}

// shaped takes a string of a form.
func shaped(form *regexp.Regexp, detail string) rule {
	return all(text, func(v any, at string) []problem {
		if !form.MatchString(v.(string)) {
			return wrong(at, "%s", detail)
		}
		return nil
	})
}

// nothing refuses any value but null.
func nothing(detail string) rule {
	return func(v any, at string) []problem {
		if v == nil {
			return nil
		}
		return wrong(at, "%s", detail)
	}
}

// eventTime takes a date-time after 1990 and not more than a year ahead.
func eventTime(now time.Time) rule {
	return all(text, func(v any, at string) []problem {
		t, err := time.Parse(time.RFC3339, v.(string))
		switch {
		case err != nil:
			return wrong(at, "Not a valid date-time; use ISO 8601.")
		case t.Year() <= 1990:
			return wrong(at, "The time must be after the year 1990.")
		case t.After(now.AddDate(1, 0, 0)):
			return wrong(at, "The time can only be up to 1 year in the future.")
		}
		return nil
	})
}

const (
	maxEventProperties = 400
	maxString          = 100_000 // bytes: "each string cannot be larger than 100 KB"
)

// eventProperties takes an object within the limits of an event's payload.
func eventProperties(v any, at string) []problem {
	o, ok := v.(map[string]any)
	switch {
	case !ok:
		return anyObject(v, at)
	case len(o) > maxEventProperties:
		return wrong(at, "An event must not exceed %d properties.", maxEventProperties)
	}
	return longStrings(v, at)
}

// longStrings finds strings that are too large, however deep.
func longStrings(v any, at string) []problem {
	var found []problem
	switch v := v.(type) {
	case string:
		if len(v) > maxString {
			return wrong(at, "A string cannot be larger than %d bytes.", maxString)
		}
	case []any:
		for i, item := range v {
			found = append(found, longStrings(item, fmt.Sprintf("%s/%d", at, i))...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			found = append(found, longStrings(v[name], under(at, name))...)
		}
	}
	return found
}

// metricName takes the name of a metric: "Must be less than 128 characters."
func metricName(v any, at string) []problem {
	name := v.(string) // behind text
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) >= 128 {
		return wrong(at, "The metric's name must have 1 to 127 characters.")
	}
	return nil
}

const notSimulated = "This simulator does not carry out patch operations."

// eventRule is EventCreateQueryV2 of the contract.
func eventRule(now time.Time) rule {
	metric := object("metric", []string{"type", "attributes"}, map[string]rule{
		"type": constant("metric"),
		"attributes": object("metric", []string{"name"}, map[string]rule{
			"name": all(text, metricName), "service": nullable(text),
		}),
	})
	attributes := personRules()
	attributes["anonymous_id"] = nullable(text)
	attributes["meta"] = nothing(notSimulated)
	profile := all(object("profile", []string{"type", "attributes"}, map[string]rule{
		"type": constant("profile"), "id": nullable(text), "attributes": object("profile", nil, attributes),
	}), identified)
	return document(object("event", []string{"type", "attributes"}, map[string]rule{
		"type": constant("event"),
		"attributes": object("event", []string{"properties", "metric", "profile"}, map[string]rule{
			"properties": eventProperties, "time": nullable(eventTime(now)), "value": nullable(number),
			"value_currency": nullable(shaped(regexp.MustCompile(`^[A-Z]{3}$`), "Must be an ISO 4217 currency code.")),
			"unique_id":      nullable(text), "backfill": nullable(boolean),
			"metric": document(metric), "profile": document(profile),
		}),
	}))
}

// profileRule is ProfileUpsertQuery of the contract.
func profileRule() rule {
	return document(all(object("profile", []string{"type", "attributes"}, map[string]rule{
		"type": constant("profile"), "id": nullable(text), "attributes": object("profile", nil, personRules()),
		"meta": nothing(notSimulated),
	}), identified))
}

// document takes a JSON:API document of one resource.
func document(data rule) rule {
	return object("document", []string{"data"}, map[string]rule{"data": data})
}

// identified takes a profile that has at least one identifier.
func identified(v any, at string) []problem {
	data := v.(map[string]any) // behind object
	attributes := data["attributes"].(map[string]any)
	if id, _ := data["id"].(string); id != "" {
		return nil
	}
	for _, name := range identifiers() {
		if value, _ := attributes[name].(string); value != "" {
			return nil
		}
	}
	return wrong(at+"/attributes", "At least one profile identifier is required: id, %s.", strings.Join(identifiers(), ", "))
}

// personRules are the attributes that a profile has in both operations.
func personRules() map[string]rule {
	return map[string]rule{
		"email":        nullable(shaped(regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s.]+$`), "Invalid email address")),
		"phone_number": nullable(shaped(regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`), "Invalid phone number format (Example of a valid format: +12345678901)")),
		"external_id":  nullable(text), "_kx": nullable(text),
		"first_name": nullable(text), "last_name": nullable(text), "organization": nullable(text),
		"locale": nullable(text), "title": nullable(text), "image": nullable(text),
		"location": nullable(object("location", nil, map[string]rule{
			"address1": nullable(text), "address2": nullable(text), "city": nullable(text), "country": nullable(text),
			"region": nullable(text), "zip": nullable(text), "timezone": nullable(text), "ip": nullable(text),
			"latitude": nullable(textOrNumber), "longitude": nullable(textOrNumber),
		})),
		"properties": nullable(anyObject),
	}
}
