package connectortest

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// Translate has the connector translate a delivery, twice, and checks what holds for every event: attributes
// that follow from the delivery, a type of the vocabulary, the object that the type is about, an identity, UTC
// times, no null where a list or map belongs, the raw body byte for byte, and that JSON keeps all of it. It
// serves fuzz tests too.
func Translate(t testing.TB, c Connector, d event.Delivery) ([]event.Event, error) {
	t.Helper()
	body, header := bytes.Clone(d.Body), maps.Clone(d.Header)
	events, err := c.Translate(d)
	again, errAgain := c.Translate(d)
	if !bytes.Equal(body, d.Body) || !maps.Equal(header, d.Header) {
		t.Fatal("Translate changed the delivery")
	}
	if (err == nil) != (errAgain == nil) || !reflect.DeepEqual(events, again) {
		t.Fatalf("translated twice, a delivery comes to different things: %v, %v\n%s", err, errAgain, firstDifference(text(again), text(events)))
	}
	if err != nil {
		if len(events) > 0 {
			t.Errorf("%d events beside the error %v", len(events), err)
		}
		if text := err.Error(); text == "" || len(text) > 500 {
			t.Errorf("the reason of a rejection has %d bytes: %.100s", len(text), text)
		}
		return nil, err
	}
	identities := map[event.Identity]bool{}
	for _, e := range events {
		checkEvent(t, c, d, e)
		if identities[e.Identity] {
			t.Errorf("two events of one delivery have the identity %s", e.Identity)
		}
		identities[e.Identity] = true
	}
	return events, nil
}

func checkEvent(t testing.TB, c Connector, d event.Delivery, e event.Event) {
	t.Helper()
	typ, known := event.Find(e.Type)
	if !known || strings.HasPrefix(e.Type, "custom.") {
		t.Errorf("the type %q is not in the vocabulary", e.Type)
	}
	for what, bad := range map[string]bool{
		"ID is not left to the host":                  e.ID != "",
		"Source is not platform/shop":                 e.Source != c.Platform()+"/"+d.Shop,
		"Shop is not the delivery's":                  e.Shop != d.Shop,
		"Platform is not the connector's":             e.Platform != c.Platform(),
		"Topic is empty":                              e.Topic == "",
		"Time is missing":                             e.Time.IsZero(),
		"Identity does not come from the event's":     !strings.HasPrefix(string(e.Identity), e.Type+"/"),
		"Raw is not the body":                         !bytes.Equal(e.Raw, d.Body),
		"RawKind is not webhook":                      e.RawKind != "webhook",
		"Subject is empty":                            e.Subject == "" && len(typ.Objects) > 0,
		"Subject is a path (ids carry no prefix)":     strings.HasPrefix(e.Subject, "gid:"),
		"Data carries objects, but the type has none": len(typ.Objects) == 0 && !reflect.ValueOf(e.Data).IsZero(),
	} {
		if bad {
			t.Errorf("event %s %s: %s", e.Type, e.Subject, what)
		}
	}
	if len(typ.Objects) > 0 {
		exists, id := objectOf(e.Data, typ.Objects[0])
		switch {
		case strings.HasSuffix(e.Type, ".deleted"):
			if exists || id != e.Subject {
				t.Errorf("event %s %s: wants a %s that does not exist, with the id of its subject; has %q, exists %v", e.Type, e.Subject, typ.Objects[0], id, exists)
			}
		case !exists || id != e.Subject && typ.Objects[0] != event.Inventory:
			t.Errorf("event %s %s: wants a %s that exists, with the id of its subject; has %q, exists %v", e.Type, e.Subject, typ.Objects[0], id, exists)
		}
	}
	checkTimes(t, e.Type, reflect.ValueOf(e))
	checkJSON(t, e)
}

// objectOf tells of one of the objects of d whether it exists, and its id. A risk has the id of its order, a
// cart that has no other one its token.
func objectOf(d commerce.Data, o event.Object) (exists bool, id string) {
	v := reflect.ValueOf(d).FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, string(o)) })
	if !v.IsValid() || v.IsNil() {
		return false, ""
	}
	v = v.Elem()
	exists = v.FieldByName("Exists").Bool()
	for _, name := range []string{"ID", "Token", "InventoryItemID", "OrderID"} {
		if f := v.FieldByName(name); f.IsValid() && f.String() != "" {
			return exists, f.String()
		}
	}
	return exists, ""
}

// checkTimes wants every time in v, however deep, to be UTC, and every pointer to a time to be to one.
func checkTimes(t testing.TB, path string, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		if at := v.Interface().(time.Time); at.Location() != time.UTC {
			t.Errorf("%s: %s is not UTC", path, at)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			if at, ok := v.Interface().(*time.Time); ok && at.IsZero() {
				t.Errorf("%s: a time that is not there has a pointer", path)
			}
			checkTimes(t, path, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[commerce.Decimal]() {
			return
		}
		for i := range v.NumField() {
			checkTimes(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		for i := range v.Len() {
			checkTimes(t, path, v.Index(i))
		}
	}
}

// checkJSON wants an event that JSON keeps as it is, without null.
func checkJSON(t testing.TB, e event.Event) {
	t.Helper()
	encoded, err := json.Marshal(e)
	if err != nil {
		t.Errorf("event %s %s cannot be encoded: %v", e.Type, e.Subject, err)
		return
	}
	var back event.Event
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Errorf("event %s %s cannot be decoded: %v", e.Type, e.Subject, err)
		return
	}
	if again, err := json.Marshal(back); err != nil || !bytes.Equal(again, encoded) {
		t.Errorf("JSON does not keep event %s %s: %v\n%s", e.Type, e.Subject, err, firstDifference(text([]event.Event{back}), text([]event.Event{e})))
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		t.Error(err)
		return
	}
	d := json.NewDecoder(bytes.NewReader(data))
	for last := ""; ; {
		token, err := d.Token()
		if err != nil {
			return
		}
		if token == nil {
			t.Errorf("event %s %s: a null after %q; lists and maps are empty, never null", e.Type, e.Subject, last)
			return
		}
		if s, ok := token.(string); ok {
			last = s
		}
	}
}
