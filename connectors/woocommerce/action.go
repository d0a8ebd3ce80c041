package woocommerce

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce/shopaction"
	"github.com/shophand/shophand/sdk/wire"
)

// maxTagLength is the length of a tag in bytes.
const maxTagLength = 255

// Actions returns the platform's own actions, which flows call as shop/…
func (c *Connector) Actions() wire.Handler {
	p := sdk.New[Access](sdk.Info{Name: "shop", Version: "0.1.0", Summary: "Changes things in a WooCommerce store."})
	p.SetLogger(c.log)
	// Nothing is sent here: a store that is down now must not keep its shop from being added.
	p.OnConfigure(func(_ context.Context, a Access) error {
		if _, err := a.base(); err != nil {
			return invalid(err)
		}
		return nil
	})
	sdk.AddAction(p, "tag_order", "Adds tags to an order.", c.tagOrder, sdk.Idempotent(), sdk.WithExample("Mark an order",
		shopaction.TagOrderInput{Order: "1001", Tags: []string{"vip"}},
		shopaction.TagOrderOutput{Order: "1001", Tags: []string{"gift", "vip"}}))
	return p
}

// storedOrder is what tag_order reads of an order.
type storedOrder struct {
	ID       loose  `json:"id"`
	MetaData []meta `json:"meta_data"`
}

// tagOrder keeps tags in the order's meta data, since WooCommerce has none of its own. The tags are read and
// written in two requests: of this host only one action at a time does so with an order; what another program
// writes to the same key in between would be lost. An order that has all the tags is not written, so that no
// order.updated comes of it.
func (c *Connector) tagOrder(ctx context.Context, req sdk.Request[Access, shopaction.TagOrderInput]) (out shopaction.TagOrderOutput, err error) {
	id := loose(strings.TrimSpace(req.Input.Order)).id()
	if id == "" {
		return out, invalid(fmt.Errorf("order %q is not the id of a WooCommerce order, which has digits only", clip(req.Input.Order, 40)))
	}
	for _, tag := range req.Input.Tags {
		if len(tag) > maxTagLength {
			return out, invalid(fmt.Errorf("tag %q is longer than %d bytes", clip(tag, 40), maxTagLength))
		}
	}
	release, err := c.orders.take(ctx, req.Config.URL+" "+id)
	if err != nil {
		return out, fmt.Errorf("waiting for another action on order %s: %w", id, err)
	}
	defer release()

	fields := url.Values{"_fields": {"id,meta_data"}}
	answer, err := c.call(ctx, req.Config, "GET", "orders/"+id, fields, nil)
	if err != nil {
		return out, fmt.Errorf("reading order %s: %w", id, err)
	}
	now, _ := decode[storedOrder](answer)
	if now.ID.id() != id {
		return out, sdk.Fail(wire.Unavailable, fmt.Errorf("reading order %s: the store answered with something else", id))
	}
	had := tagsOf(now.MetaData)
	want := addTags(had, req.Input.Tags...)
	if len(want) == len(had) {
		return shopaction.TagOrderOutput{Order: id, Tags: had}, nil
	}
	change := map[string]any{"meta_data": []map[string]string{{"key": tagsKey, "value": strings.Join(want, ", ")}}}
	answer, err = c.call(ctx, req.Config, "PUT", "orders/"+id, fields, change)
	if err != nil {
		return out, fmt.Errorf("tagging order %s: %w", id, err)
	}
	then, _ := decode[storedOrder](answer)
	if has := tagsOf(then.MetaData); len(has) > 0 {
		want = has
	}
	return shopaction.TagOrderOutput{Order: id, Tags: want}, nil
}

func invalid(err error) error { return sdk.Permanent(sdk.Fail(wire.InvalidInput, err)) }
