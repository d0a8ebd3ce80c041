package event_test

import (
	"testing"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

func order(note string) commerce.Data {
	return commerce.Data{Order: &commerce.Order{Exists: true, ID: "1", Note: note}}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	same := map[string][2]event.Identity{
		"created, however it came": {event.Once("order.created", "1"), event.Once("order.created", "1")},
		"an update sent twice":     {event.Version("order.updated", "1", "v", order("a")), event.Version("order.updated", "1", "v", order("a"))},
		"a deletion sent twice":    {event.Deleted("order.deleted", "1").WithRestores("0"), event.Deleted("order.deleted", "1").WithRestores("0")},
	}
	for name, pair := range same {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q and %q differ", name, pair[0], pair[1])
		}
	}
	differ := map[string][2]event.Identity{
		"other orders":                         {event.Once("order.created", "1"), event.Once("order.created", "2")},
		"other types":                          {event.Once("order.created", "1"), event.Once("order.paid", "1")},
		"two changes in one second":            {event.Version("order.updated", "1", "v", order("a")), event.Version("order.updated", "1", "v", order("b"))},
		"the same content at another time":     {event.Version("order.updated", "1", "v", order("a")), event.Version("order.updated", "1", "w", order("a"))},
		"deleted again after it was restored":  {event.Deleted("order.deleted", "1").WithRestores("0"), event.Deleted("order.deleted", "1").WithRestores("1")},
		"no resource, another event":           {event.Delivered("app.uninstalled", "a"), event.Delivered("app.uninstalled", "b")},
		"an event id that looks like an order": {event.Delivered("order.created", "1"), event.Once("order.created", "1")},
	}
	for name, pair := range differ {
		if pair[0] == pair[1] {
			t.Errorf("%s: both are %q", name, pair[0])
		}
	}
	if id := event.Once("order.paid", "1"); id.WithRestores("3") != id {
		t.Error("restores belong to deletions only")
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, typ := range event.Types() {
		if seen[typ.Name] {
			t.Errorf("%s stands twice", typ.Name)
		}
		seen[typ.Name] = true
		if found, ok := event.Find(typ.Name); !ok || found.Name != typ.Name {
			t.Errorf("Find(%s) = %v, %v", typ.Name, found, ok)
		}
	}
	if _, ok := event.Find("custom.loyalty_card_scanned"); !ok {
		t.Error("custom events are not found")
	}
	for _, name := range []string{"", "custom.", "order", "order.payed"} {
		if _, ok := event.Find(name); ok {
			t.Errorf("%q is found", name)
		}
	}
}
