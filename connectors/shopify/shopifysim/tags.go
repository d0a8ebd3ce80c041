package shopifysim

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of an order's tags, https://shopify.dev/docs/api/admin-rest/latest/resources/order: 250 tags of 40
// characters.
const (
	maxTags      = 250
	maxTagLength = 40
)

// orderOf returns the order of a global id, nil if there is none.
func (s *Sim) orderOf(gid string) *storedOrder {
	number, ok := strings.CutPrefix(gid, "gid://shopify/Order/")
	id, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return nil
	}
	return s.orders[id]
}

// tagsAdd carries the mutation of that name out: a tag that the order has already, in whatever case, stays as
// it is; all tags are added or none.
func (s *Sim) tagsAdd(gid string, tags []string) object {
	refused := func(field, message string) object {
		return object{"__typename": "TagsAddPayload", "node": nil, "userErrors": []object{{
			"__typename": "UserError", "field": []string{field}, "message": message,
		}}}
	}
	o := s.orderOf(gid)
	if o == nil {
		return refused("id", "Order does not exist")
	}
	has := map[string]bool{}
	for _, t := range o.Tags {
		has[strings.ToLower(t)] = true
	}
	after := append([]string{}, o.Tags...)
	for _, t := range tags {
		if len([]rune(t)) > maxTagLength {
			return refused("tags", fmt.Sprintf("Tag exceeds the maximum length of %d characters", maxTagLength))
		}
		if !has[strings.ToLower(t)] {
			has[strings.ToLower(t)] = true
			after = append(after, t)
		}
	}
	if len(after) > maxTags {
		return refused("tags", fmt.Sprintf("Tags cannot be more than %d", maxTags))
	}
	if len(after) > len(o.Tags) {
		o.Tags = after
		o.UpdatedAt = s.config.Now()
	}
	return object{"__typename": "TagsAddPayload", "node": o.node(), "userErrors": []object{}}
}

// node is an order as the Admin API shows it.
func (o *storedOrder) node() object {
	return object{"__typename": "Order", "id": gid("Order", o.ID), "name": o.name(), "tags": append([]string{}, o.Tags...)}
}
