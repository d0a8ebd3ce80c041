package shopify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/commerce/shopaction"
	"github.com/shophand/shophand/sdk/wire"
)

// Access is what the platform's actions need of a shop.
type Access struct {
	Shop  string     `json:"shop" jsonschema:"permanent name of the shop, NAME.myshopify.com"`
	Token sdk.Secret `json:"token" jsonschema:"access token of the Admin API"`
	// APIURL is where the shop's API is, for a stand-in; "" is the shop itself.
	APIURL string `json:"api_url,omitempty" jsonschema:"address of a stand-in for the shop's API"`
}

// Actions returns the platform's own actions, named shop/… in a flow.
func (c *Connector) Actions() wire.Handler {
	p := sdk.New[Access](sdk.Info{Name: "shop", Version: "1.0.0", Summary: "Acts on the Shopify shop itself."})
	p.SetLogger(c.log)
	p.OnConfigure(func(_ context.Context, a Access) error {
		_, err := a.resolve()
		return err
	})
	sdk.AddAction(p, "tag_order", "Adds tags to an order.", c.tagOrder, sdk.Idempotent(), sdk.WithExample("A tag for good customers",
		shopaction.TagOrderInput{Order: "5578231234567", Tags: []string{"vip"}},
		shopaction.TagOrderOutput{Order: "5578231234567", Tags: []string{"gift", "vip"}}))
	return p
}

// resolve checks where calls go before any goes there: a name that only looks like Shopify's would get the
// token.
func (a Access) resolve() (access, error) {
	if a.Token == "" {
		return access{}, refuse(wire.InvalidInput, "the shop has no access token")
	}
	if a.APIURL == "" {
		if err := ValidShopName(a.Shop); err != nil {
			return access{}, refuse(wire.InvalidInput, "%w", err)
		}
		return access{base: "https://" + a.Shop, token: a.Token.Reveal()}, nil
	}
	u, err := url.Parse(a.APIURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return access{}, refuse(wire.InvalidInput, "the API address must be http(s)://HOST, perhaps with a path, and nothing else")
	}
	return access{base: strings.TrimRight(u.String(), "/"), token: a.Token.Reveal()}, nil
}

// tagsAdd adds tags to any resource that has them. Adding one that is there changes nothing.
const tagsAdd = `mutation tagOrder($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) {
    node {
      ... on Order {
        id
        tags
      }
    }
    userErrors {
      field
      message
    }
  }
}`

// maxTags is the most tags that an order has, and the longest list that the Admin API takes.
const maxTags = 250

func (c *Connector) tagOrder(ctx context.Context, req sdk.Request[Access, shopaction.TagOrderInput]) (shopaction.TagOrderOutput, error) {
	var none shopaction.TagOrderOutput
	a, err := req.Config.resolve()
	if err != nil {
		return none, err
	}
	order, err := orderNumber(req.Input.Order)
	if err != nil {
		return none, refuse(wire.InvalidInput, "%w", err)
	}
	if err := validTags(req.Input.Tags); err != nil {
		return none, refuse(wire.InvalidInput, "%w", err)
	}
	var out struct {
		TagsAdd *struct {
			Node *struct {
				Tags []string `json:"tags"`
			} `json:"node"`
			UserErrors []userError `json:"userErrors"`
		} `json:"tagsAdd"`
	}
	variables := map[string]any{"id": "gid://shopify/Order/" + order, "tags": req.Input.Tags}
	if err := c.query(ctx, a, tagsAdd, variables, &out); err != nil {
		return none, fmt.Errorf("tagging order %s: %w", order, err)
	}
	if out.TagsAdd == nil {
		return none, unavailable("tagging order %s: Shopify's answer has no tagsAdd", order)
	}
	if err := userFailure("tagging order "+order, out.TagsAdd.UserErrors); err != nil {
		return none, err
	}
	if out.TagsAdd.Node == nil {
		return none, refuse(wire.NotFound, "tagging order %s: Shopify has no such order", order)
	}
	tags := out.TagsAdd.Node.Tags
	if tags == nil {
		tags = []string{}
	}
	return shopaction.TagOrderOutput{Order: order, Tags: tags}, nil
}

// orderNumber is the number in an order's id, which may be written as a gid.
func orderNumber(s string) (string, error) {
	number := strings.TrimPrefix(s, "gid://shopify/Order/")
	if number == "" || len(number) > 20 || strings.Trim(number, "0123456789") != "" {
		return "", fmt.Errorf("order %.80q is not the id of a Shopify order, which is a number", s)
	}
	return number, nil
}

// validTags refuses what Shopify would read in another way than it is written: a tag with a comma is two to it.
func validTags(tags []string) error {
	switch {
	case len(tags) == 0:
		return errors.New("there is no tag to add")
	case len(tags) > maxTags:
		return fmt.Errorf("%d tags are more than the %d that an order can have", len(tags), maxTags)
	}
	for _, t := range tags {
		switch {
		case strings.TrimSpace(t) == "":
			return errors.New("a tag is empty")
		case strings.Contains(t, ","):
			return fmt.Errorf("tag %.80q has a comma, which Shopify takes for the end of a tag; give two tags", t)
		}
	}
	return nil
}
