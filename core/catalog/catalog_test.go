package catalog_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shophand/shophand/core/catalog"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/wire"
)

func description(name string, actions ...wire.Action) wire.Description {
	return wire.Description{Name: name, Version: "1.0.0", Actions: actions}
}

func action(name, input string) wire.Action {
	return wire.Action{Name: name, Input: json.RawMessage(input), Outcome: wire.Keyed}
}

const object = `{"type":"object","properties":{"order":{"type":"string"}},"required":["order"]}`

func TestCatalog(t *testing.T) {
	t.Parallel()
	tag := wire.Action{Name: "tag_order", Input: json.RawMessage(object), Output: json.RawMessage(`{"type":"object"}`), Outcome: wire.Idempotent}
	c, err := catalog.New(
		[]wire.Description{description("mail", action("send", object)), description("chat", action("send", object), action("close", ""))},
		[]wire.Description{description("shopify", tag), description("woocommerce", tag)},
	)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"chat/close", "chat/send", "mail/send", "shop/tag_order"}; !reflect.DeepEqual(c.Actions(), want) {
		t.Errorf("the actions are %q, want %q", c.Actions(), want)
	}
	a, ok := c.Action("shop/tag_order")
	if !ok || a.Outcome != flow.Idempotent || a.Output == nil || a.Input.Properties["order"] == nil || !reflect.DeepEqual(a.Causes, []string{"order.updated"}) {
		t.Errorf("shop/tag_order is %+v, %v", a, ok)
	}
	if a, ok := c.Action("chat/close"); !ok || a.Input != nil || a.Output != nil || a.Outcome != flow.Keyed || a.Causes != nil {
		t.Errorf("an action without schemas is %+v, %v", a, ok)
	}
	for _, absent := range []string{"", "send", "mail/", "mail/close", "shopify/tag_order"} {
		if _, ok := c.Action(absent); ok {
			t.Errorf("there is an action %q", absent)
		}
	}
	if d, ok := c.Plugin("mail"); !ok || d.Version != "1.0.0" {
		t.Errorf("the plugin mail is %+v, %v", d, ok)
	}
	if _, ok := c.Plugin("shopify"); ok {
		t.Error("a connector is a plugin")
	}
	var names []string
	for _, d := range c.Plugins() {
		names = append(names, d.Name)
	}
	if !reflect.DeepEqual(names, []string{"chat", "mail"}) {
		t.Errorf("the plugins are %q", names)
	}
}

func TestEventTypes(t *testing.T) {
	t.Parallel()
	c, err := catalog.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"order.paid": true, "custom.harvest": true, "order.payed": false, "custom.": false, "custom": false, "": false} {
		if got, ok := c.EventType(name); ok != want || ok && got.Name != name {
			t.Errorf("%q: %+v, %v", name, got, ok)
		}
	}
	types := c.EventTypes()
	if !slices.IsSorted(types) || !slices.Contains(types, "order.paid") || slices.Contains(types, "custom.harvest") {
		t.Errorf("the types are %q", types)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		plugins, platforms []wire.Description
		says               string
	}{
		"two of one name":           {[]wire.Description{description("mail"), description("mail")}, nil, "two plugins are named mail"},
		"the platform's name":       {[]wire.Description{description("shop")}, nil, "a plugin is named shop, as the platform's own actions are"},
		"one action twice":          {[]wire.Description{description("mail", action("send", object), action("send", object))}, nil, "mail/send is offered twice"},
		"an input that is none":     {[]wire.Description{description("mail", action("send", `{"type":7}`))}, nil, "the input schema of mail/send"},
		"an output that is none":    {[]wire.Description{description("mail", wire.Action{Name: "send", Output: json.RawMessage(`nope`)})}, nil, "the output schema of mail/send"},
		"platforms that differ":     {nil, []wire.Description{description("a", action("tag_order", object)), description("b", action("tag_order", `{"type":"object"}`))}, "do not agree on what shop/tag_order takes"},
		"platforms that do another": {nil, []wire.Description{description("a", action("tag_order", object)), description("b", wire.Action{Name: "tag_order", Input: json.RawMessage(object), Outcome: wire.Unsafe})}, "do not agree on what shop/tag_order takes"},
	} {
		if _, err := catalog.New(test.plugins, test.platforms); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
