package resource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shophand/shophand/sdk/event"
)

// Mistaken returns why a deletion does not mean the resource that it names, or "" where nothing speaks against
// it. WooCommerce sends product.deleted and coupon.deleted for both kinds when one of them is moved to the trash
// by REST or code, and in shops that keep orders as posts also when an order is. Ids are unique over the
// kinds, so one that is known as another kind tells. known says whether a resource of the shop has been seen.
func Mistaken(e *event.Event, known func(key string) bool) string {
	kinds := []string{"order", "product", "coupon"}
	kind, happened, _ := strings.Cut(e.Type, ".")
	if e.Platform != "woocommerce" || happened != "deleted" || !slices.Contains(kinds, kind) || known(Key(e)) {
		return ""
	}
	for _, other := range kinds {
		if key := other + "/" + e.Subject; known(key) {
			return fmt.Sprintf("WooCommerce says that %s %s was deleted, and that id is known as %s: it tells of some deletions as those of other kinds, too",
				kind, e.Subject, key)
		}
	}
	return ""
}
