package woocommerce

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// Translate makes the event of a delivery. It is pure. Its error says, for people, why the delivery is none: it
// is not what its topic promises, or WooCommerce sent an error in the place of it, or, as *Unsupported, the
// topic has no event here.
//
// A restored resource is an update with the topic "….restored". Deletion is told when something is moved to the
// trash, with nothing but an id, and WooCommerce tells it of the wrong kind at times: a coupon.deleted or
// product.deleted may carry the id of an order.
func (*Connector) Translate(d event.Delivery) ([]event.Event, error) {
	topic := d.Header[headerTopic]
	if topic == "" {
		return nil, errors.New("the delivery has no topic: the header X-WC-Webhook-Topic is missing")
	}
	resource, happened, _ := strings.Cut(topic, ".")
	kind, ok := kindOf(resource)
	if !ok || !verb(happened) {
		return nil, unsupported(topic, d.Body)
	}
	reject := func(err error) ([]event.Event, error) {
		return nil, fmt.Errorf("woocommerce topic %s: %w", topic, err)
	}
	e := event.Event{
		Source: platform + "/" + d.Shop, Type: resource + "." + happened, Time: d.ReceivedAt.UTC(), Shop: d.Shop,
		Platform: platform, Topic: topic, Raw: d.Body, RawKind: "webhook",
	}
	if happened == "deleted" {
		head, ok := decode[envelope](d.Body)
		if e.Subject = head.ID.id(); !ok || e.Subject == "" {
			return reject(withoutID(d.Body, resource))
		}
		e.Data, e.Identity = kind.gone(e.Subject), event.Deleted(e.Type, e.Subject)
		return []event.Event{e}, nil
	}
	payload, ok := kind.read(d.Body)
	if !ok {
		return reject(withoutID(d.Body, resource))
	}
	head := payload.head()
	if e.Subject = head.id.id(); e.Subject == "" {
		return reject(withoutID(d.Body, resource))
	}
	data, err := payload.data()
	if err != nil {
		return reject(fmt.Errorf("%s %s: %w", resource, e.Subject, err))
	}
	e.Data = data
	if happened == "created" {
		e.Identity = event.Once(e.Type, e.Subject)
		e.Time = first(head.created.time(), head.modified.time(), e.Time)
		return []event.Event{e}, nil
	}
	e.Type = resource + ".updated"
	e.Identity = event.Version(e.Type, e.Subject, clip(head.modified.text(), 40), data)
	e.Time = first(head.modified.time(), head.created.time(), e.Time)
	return []event.Event{e}, nil
}

// payload is the body of a delivery that holds a resource.
type payload interface {
	head() head
	// data translates it; an error says which field is missing or cannot be read.
	data() (commerce.Data, error)
}

// head is what the payloads of all kinds have, as written.
type head struct{ id, created, modified loose }

// kind is how the payloads of one kind of resource are read.
type kind struct {
	read func(body []byte) (payload, bool)
	// gone is the data of the event that the resource of that id is deleted.
	gone func(id string) commerce.Data
}

func read[T any, P interface {
	*T
	payload
}](body []byte) (payload, bool) {
	v, ok := decode[T](body)
	return P(&v), ok
}

func kindOf(resource string) (kind, bool) {
	switch resource {
	case "order":
		return kind{read[order], func(id string) commerce.Data { return commerce.Data{Order: noOrder(id)} }}, true
	case "product":
		return kind{read[product], func(id string) commerce.Data { return commerce.Data{Product: noProduct(id)} }}, true
	case "customer":
		return kind{read[customer], func(id string) commerce.Data { return commerce.Data{Customer: noCustomer(id)} }}, true
	case "coupon":
		return kind{read[coupon], func(id string) commerce.Data { return commerce.Data{Coupon: noCoupon(id)} }}, true
	}
	return kind{}, false
}

// verb tells whether WooCommerce has such an event of its resources.
func verb(happened string) bool {
	switch happened {
	case "created", "updated", "deleted", "restored":
		return true
	}
	return false
}

// envelope is what every body may have: an id, or the error that stands in the place of the resource.
type envelope struct {
	ID      loose `json:"id"`
	Code    loose `json:"code"`
	Message loose `json:"message"`
}

// withoutID says why a body without a usable id is none of its topic.
func withoutID(body []byte, resource string) error {
	e, ok := decode[envelope](body)
	switch {
	case !ok:
		return errors.New("the body is not a JSON object")
	case e.ID != "":
		return fmt.Errorf("%q is not an id", clip(e.ID.text(), 40))
	case e.Code == "" || e.Message == "":
		return errors.New("the body has no id")
	}
	code := e.Code.text()
	why := ""
	switch {
	case code == "woocommerce_rest_invalid_shop_order_id":
		why = "; a webhook made over the old API v1 always does so: make it anew over v3"
	case strings.HasSuffix(code, "_cannot_view"):
		why = "; the WordPress user who owns the webhook may not see it: give that user the role of a shop manager"
	case strings.HasSuffix(code, "invalid_id"):
		why = "; it was deleted before the message was made, or the message is of the wrong kind"
	}
	return fmt.Errorf("WooCommerce sent an error in the place of the %s: %q (%s)%s", resource, clip(e.Message.text(), 120), clip(code, 80), why)
}

// first returns the first time that is there.
func first(a, b *time.Time, otherwise time.Time) time.Time {
	switch {
	case a != nil:
		return *a
	case b != nil:
		return *b
	}
	return otherwise
}

// clip shortens text from outside for a message, at a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
