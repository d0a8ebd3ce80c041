package expr

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// eventObject is how one of the objects of an event is seen and read. It is never nil: where the event does
// not carry the object there is an empty one, which has the id where the event knows at least that.
type eventObject struct {
	typ  *structType
	read func(e *event.Event) any
}

func (l *Language) addEvents() {
	l.objects = make(map[event.Object]eventObject)
	addObject(l, event.Order, func(d *commerce.Data) *commerce.Order { return d.Order },
		func(id string) *commerce.Order { return &commerce.Order{ID: id} }, orderID)
	addObject(l, event.Customer, (*commerce.Data).Buyer, nil, nil)
	addObject(l, event.Checkout, func(d *commerce.Data) *commerce.Checkout { return d.Checkout },
		func(id string) *commerce.Checkout { return &commerce.Checkout{ID: id} },
		func(d *commerce.Data) string {
			if d.Order != nil {
				return d.Order.CheckoutID
			}
			return ""
		})
	addObject(l, event.Product, func(d *commerce.Data) *commerce.Product { return d.Product },
		func(id string) *commerce.Product { return &commerce.Product{ID: id} }, productID)
	addObject(l, event.Variant, func(d *commerce.Data) *commerce.Variant { return d.Variant },
		func(id string) *commerce.Variant { return &commerce.Variant{ID: id} },
		func(d *commerce.Data) string {
			if d.Inventory != nil {
				return d.Inventory.VariantID
			}
			return ""
		})
	addObject(l, event.Inventory, func(d *commerce.Data) *commerce.InventoryLevel { return d.Inventory }, nil, nil)
	addObject(l, event.Fulfillment, func(d *commerce.Data) *commerce.Fulfillment { return d.Fulfillment },
		func(id string) *commerce.Fulfillment { return &commerce.Fulfillment{ID: id} },
		func(d *commerce.Data) string {
			if d.Shipment != nil {
				return d.Shipment.FulfillmentID
			}
			return ""
		})
	addObject(l, event.Shipment, func(d *commerce.Data) *commerce.Shipment { return d.Shipment }, nil, nil)
	addObject(l, event.Refund, func(d *commerce.Data) *commerce.Refund { return d.Refund }, nil, nil)
	addObject(l, event.Return, func(d *commerce.Data) *commerce.Return { return d.Return }, nil, nil)
	addObject(l, event.Dispute, func(d *commerce.Data) *commerce.Dispute { return d.Dispute }, nil, nil)
	addObject(l, event.Risk, func(d *commerce.Data) *commerce.Risk { return d.Risk }, nil, nil)
	addObject(l, event.Coupon, func(d *commerce.Data) *commerce.Coupon { return d.Coupon }, nil, nil)

	l.attrs = newStructType("@event", "event")
	l.attrs.adapter, l.attrs.goType = l.model, reflect.TypeFor[event.Event]()
	text := func(name string, get func(*event.Event) string) {
		l.attrs.add(name, eventField(types.StringType,
			func(e *event.Event) bool { return get(e) != "" },
			func(e *event.Event) (any, error) { return types.String(get(e)), nil }))
	}
	text("id", func(e *event.Event) string { return e.ID })
	text("type", func(e *event.Event) string { return e.Type })
	text("source", func(e *event.Event) string { return e.Source })
	text("subject", func(e *event.Event) string { return e.Subject })
	l.attrs.add("time", eventField(types.TimestampType,
		func(e *event.Event) bool { return !e.Time.IsZero() },
		func(e *event.Event) (any, error) { return types.Timestamp{Time: e.Time.UTC()}, nil }))
	text("shop", func(e *event.Event) string { return e.Shop })
	text("platform", func(e *event.Event) string { return e.Platform })
	text("topic", func(e *event.Event) string { return e.Topic })
	text("raw", func(e *event.Event) string { return string(e.Raw) })
	text("raw_kind", func(e *event.Event) string { return e.RawKind })
	l.model.register(l.attrs)
	l.model.byGoType[l.attrs.goType] = l.attrs
}

// addObject tells how the object is got from an event's data; where it is not there and refer is given, the
// data may know its id.
func addObject[T any](l *Language, name event.Object, get func(*commerce.Data) *T,
	refer func(id string) *T, id func(*commerce.Data) string) {
	none := new(T)
	l.objects[name] = eventObject{
		typ: l.model.addStruct(reflect.TypeFor[T]()),
		read: func(e *event.Event) any {
			if o := get(&e.Data); o != nil {
				return o
			}
			if refer != nil {
				if id := id(&e.Data); id != "" {
					return refer(id)
				}
			}
			return none
		},
	}
}

func orderID(d *commerce.Data) string {
	switch {
	case d.Fulfillment != nil && d.Fulfillment.OrderID != "":
		return d.Fulfillment.OrderID
	case d.Shipment != nil && d.Shipment.OrderID != "":
		return d.Shipment.OrderID
	case d.Refund != nil && d.Refund.OrderID != "":
		return d.Refund.OrderID
	case d.Return != nil && d.Return.OrderID != "":
		return d.Return.OrderID
	case d.Dispute != nil && d.Dispute.OrderID != "":
		return d.Dispute.OrderID
	case d.Risk != nil:
		return d.Risk.OrderID
	}
	return ""
}

func productID(d *commerce.Data) string {
	switch {
	case d.Variant != nil && d.Variant.ProductID != "":
		return d.Variant.ProductID
	case d.Inventory != nil:
		return d.Inventory.ProductID
	}
	return ""
}

func eventField(t *types.Type, set func(*event.Event) bool, get func(*event.Event) (any, error)) *types.FieldType {
	return &types.FieldType{
		Type: t,
		IsSet: func(obj any) bool {
			e, ok := obj.(*event.Event)
			return ok && set(e)
		},
		GetFrom: func(obj any) (any, error) {
			e, ok := obj.(*event.Event)
			if !ok {
				return nil, fmt.Errorf("an event was expected, not %T", obj)
			}
			return get(e)
		},
	}
}

// EventScope says which event a place of a flow sees.
type EventScope struct {
	Types   []string       // the types that it may have
	Objects []event.Object // the objects that these types carry
}

// eventType makes the type of an event in a scope: its attributes, the objects that it carries and, where it
// may be of another system, `data`.
func (l *Language) eventType(name string, s EventScope) *structType {
	t := newStructType(name, "event")
	t.goType, t.adapter = l.attrs.goType, l.model
	for _, field := range l.attrs.names {
		t.add(field, l.attrs.fields[field])
	}
	for _, o := range s.Objects {
		if obj, ok := l.objects[o]; ok {
			t.add(string(o), eventField(obj.typ.cel,
				func(e *event.Event) bool { return exists(obj.read(e)) },
				func(e *event.Event) (any, error) { return obj.read(e), nil }))
		}
	}
	for _, typ := range s.Types {
		if _, common := event.Find(typ); !common || strings.HasPrefix(typ, "custom.") {
			t.add("data", eventField(types.DynType,
				func(e *event.Event) bool { return len(e.Data.Custom) > 0 },
				func(e *event.Event) (any, error) {
					if len(e.Data.Custom) == 0 {
						return map[string]any{}, nil
					}
					return decodeJSON(e.Data.Custom)
				}))
		}
	}
	t.explain = func(field string) (message, fix string) { return notCarried(s, field) }
	return t
}

func exists(ptr any) bool {
	v, err := structOf(ptr)
	if err != nil {
		return false
	}
	e := v.FieldByName("Exists")
	return !e.IsValid() || e.Bool()
}

// notCarried explains that the events of a scope do not carry an object; message is "" if there is none of
// that name.
func notCarried(s EventScope, object string) (message, fix string) {
	if !isObject(object) {
		return "", ""
	}
	what := "this trigger"
	if len(s.Types) > 0 {
		what = strings.Join(s.Types, " and ")
	}
	verb := " does not carry "
	if len(s.Types) > 1 {
		verb = " do not all carry "
	}
	fix = "it carries no object"
	if len(s.Objects) > 0 {
		names := make([]string, len(s.Objects))
		for i, o := range s.Objects {
			names[i] = string(o)
		}
		fix = "what it carries is " + strings.Join(names, ", ")
	}
	return what + verb + object, fix
}

func isObject(name string) bool {
	switch event.Object(name) {
	case event.Order, event.Customer, event.Checkout, event.Product, event.Variant, event.Inventory,
		event.Fulfillment, event.Shipment, event.Refund, event.Return, event.Dispute, event.Risk, event.Coupon:
		return true
	}
	return false
}

// awaited is the output of a step that waited for an event.
type awaited struct {
	Event    *event.Event `json:"event"`
	Type     string       `json:"type"`
	TimedOut bool         `json:"timed_out"`
}

// awaitedType makes the type of the output of a step that waits for an event.
func (l *Language) awaitedType(reg *registry, name string, s EventScope) jsonType {
	ev := l.eventType(name+".event", s)
	reg.register(ev)
	t := newStructType(name, "step")
	field := func(typ *types.Type, get func(*awaited) any) *types.FieldType {
		return &types.FieldType{
			Type:  typ,
			IsSet: func(obj any) bool { _, ok := obj.(*awaited); return ok },
			GetFrom: func(obj any) (any, error) {
				a, ok := obj.(*awaited)
				if !ok {
					return nil, fmt.Errorf("the output of a wait was expected, not %T", obj)
				}
				return get(a), nil
			},
		}
	}
	t.add("event", field(ev.cel, func(a *awaited) any {
		if a.Event == nil {
			return l.noEvent
		}
		return a.Event
	}))
	t.add("type", field(types.StringType, func(a *awaited) any { return types.String(a.Type) }))
	t.add("timed_out", field(types.BoolType, func(a *awaited) any { return types.Bool(a.TimedOut) }))
	reg.register(t)
	return jsonType{cel: t.cel}
}

func decodeAwaited(raw json.RawMessage) (any, error) {
	a := new(awaited)
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("it is not the output of a wait: %w", err)
	}
	return a, nil
}
