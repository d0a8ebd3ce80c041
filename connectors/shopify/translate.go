package shopify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// Unsupported is the reason why a webhook that Shopify does send comes to no event.
type Unsupported struct {
	Topic string
	// Reason says why, and what would do; may be "".
	Reason string
}

// Error says which topic it is.
func (u *Unsupported) Error() string {
	if u.Reason != "" {
		return fmt.Sprintf("shopify topic %s has no event in Shophand: %s", u.Topic, u.Reason)
	}
	return fmt.Sprintf("shopify topic %s has no event in Shophand yet", u.Topic)
}

// Translate returns the event that a webhook tells of. It is pure. An error says, for people, why the delivery
// cannot be used: a topic that Shopify does not have, one that has no event ([*Unsupported]), a body that is not
// JSON or not what its topic promises.
//
// Where the same happens to a resource at most once, the identity is the resource's; an update has the
// resource's own version, updated_at. What can happen again and has no version (stock that runs out, a return
// closed anew) is told apart by X-Shopify-Event-Id, which all deliveries of one event share, else by the
// delivery's own id.
func (c *Connector) Translate(d event.Delivery) ([]event.Event, error) {
	m := message{delivery: d, topic: d.Header[headerTopic], platform: c.Platform()}
	if m.topic == "" {
		return nil, fmt.Errorf("header %s is missing", headerTopic)
	}
	e, err := m.translate()
	if err != nil {
		return nil, err
	}
	return []event.Event{e}, nil
}

// message is a delivery on its way to an event.
type message struct {
	delivery event.Delivery
	topic    string
	platform string
}

// decode reads the body into a struct.
func (m message) decode(into any) error {
	if !utf8.Valid(m.delivery.Body) {
		return fmt.Errorf("%s: the body is not JSON: it is not UTF-8", m.topic)
	}
	err := json.Unmarshal(m.delivery.Body, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return fmt.Errorf("%s: the body is %.60s, not an object", m.topic, wrongType.Value)
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s: the field %.100s holds %.60s, which is not %s", m.topic, wrongType.Field, wrongType.Value, kindOf(wrongType.Type))
	}
	return fmt.Errorf("%s: the body is not JSON: %w", m.topic, err)
}

// kindOf names what a field should hold.
func kindOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[id]():
		return "an id"
	case reflect.TypeFor[amount]():
		return "an amount"
	case reflect.TypeFor[moment]():
		return "a time"
	case reflect.TypeFor[list](), reflect.TypeFor[pairs]():
		return "a list"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// missing is the error for a body that lacks what every body of its topic has.
func (m message) missing(field string) error {
	return fmt.Errorf("%s: the body has no %s", m.topic, field)
}

// event makes an event. It happened at the first of: the time at which Shopify says that it triggered the
// webhook, the times given, the receipt.
func (m message) event(typ, subject string, identity event.Identity, data commerce.Data, times ...moment) event.Event {
	e := event.Event{
		Source: m.platform + "/" + m.delivery.Shop, Type: typ, Subject: subject, Time: m.delivery.ReceivedAt.UTC(),
		Shop: m.delivery.Shop, Platform: m.platform, Topic: m.topic, Identity: identity, Data: data,
		Raw: m.delivery.Body, RawKind: "webhook",
	}
	for _, t := range times {
		if !t.IsZero() {
			e.Time = t.Time
			break
		}
	}
	if t, ok := parseTime(m.delivery.Header[headerTriggeredAt]); ok && !t.IsZero() {
		e.Time = t
	}
	return e
}

// occurrence tells one happening from another where nothing in the body does: Shopify's id of the event, else
// of the delivery; else the body is all there is.
func (m message) occurrence() string {
	for _, name := range []string{headerEventID, headerWebhookID} {
		if v := m.delivery.Header[name]; v != "" {
			return v
		}
	}
	sum := sha256.Sum256(m.delivery.Body)
	return hex.EncodeToString(sum[:8])
}

// again is the identity of what can happen to a resource more than once and leaves no version.
func (m message) again(typ, id string) event.Identity {
	return event.Once(typ, id+"/"+m.occurrence())
}

// orderRef is an order of which only the id is known.
func orderRef(id id) *commerce.Order {
	if id == "" {
		return nil
	}
	o := noOrder()
	o.ID = string(id)
	return &o
}
