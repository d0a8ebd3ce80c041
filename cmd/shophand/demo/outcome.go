package demo

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/plugins/http"
	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/plugins/labels"
	"github.com/shophand/shophand/plugins/loyalty"
	"github.com/shophand/shophand/sdk/commerce/shopaction"
)

// outcome says in a few words what an action did.
func outcome(s engine.Step) string {
	switch s.Action {
	case "loyalty/award":
		out := decoded[loyalty.AwardOutput](s.Output)
		return fmt.Sprintf("+%d points, %d now%s", out.Awarded, out.Balance, inTier(out.Tier))
	case "loyalty/balance":
		out := decoded[loyalty.BalanceOutput](s.Output)
		return fmt.Sprintf("%d points%s", out.Balance, inTier(out.Tier))
	case "klaviyo/create_event":
		return fmt.Sprintf("%q is recorded", decoded[klaviyo.CreateEventInput](s.Input).Metric)
	case "klaviyo/upsert_profile":
		if decoded[klaviyo.UpsertProfileOutput](s.Output).Created {
			return "the profile is new"
		}
		return "the profile is up to date"
	case "labels/buy":
		out := decoded[labels.BuyOutput](s.Output)
		return fmt.Sprintf("%s %s for %s %s", out.Carrier, out.Service, out.Rate, out.Currency)
	case "shop/tag_order":
		return "tags: " + strings.Join(decoded[shopaction.TagOrderOutput](s.Output).Tags, ", ")
	case "http/request":
		var line pick
		_ = json.Unmarshal(decoded[http.RequestInput](s.Input).JSON, &line) // another request than the demo's has no pick
		return fmt.Sprintf("%d × %s, answered %d", line.Quantity, line.Title, decoded[http.RequestOutput](s.Output).Status)
	}
	return cut(string(s.Output), 80)
}

func inTier(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name
}

// decoded reads what is only shown: where it is something else, zero values are.
func decoded[T any](raw json.RawMessage) T {
	var v T
	_ = json.Unmarshal(raw, &v)
	return v
}
