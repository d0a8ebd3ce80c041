package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// vendors shows what each vendor and platform has in the end, by what the simulators say of themselves.
func (d *demo) vendors(context.Context) error {
	d.screen.title("What the others have in the end", "Not by Shophand's word: this is what the vendors and the platforms say.")
	heading := func(format string, args ...any) {
		d.screen.plain("%s", d.screen.paint("1", fmt.Sprintf(format, args...)))
	}
	row := func(texts ...string) { d.screen.plain("  %s", columns(texts, 8, 24, 30, 16)) }

	labels := d.world.easypost.Labels()
	heading("EasyPost: %s for %s USD, in %s", plural(len(labels), "label"), d.world.easypost.Spent(), plural(len(d.world.easypost.Requests()), "request"))
	for _, l := range labels {
		row(l.InvoiceNumber, l.To.Name, l.Carrier+" "+l.Service+" "+l.Rate.String(), l.TrackingCode[len(l.TrackingCode)-8:], "key "+cut(l.Reference, 9))
	}
	events, profiles := d.world.klaviyo.Events(), d.world.klaviyo.Profiles()
	emails := map[string]string{}
	for _, p := range profiles {
		emails[p.ID] = p.Text("email")
	}
	heading("Klaviyo: %s and %s, in %s", plural(len(profiles), "profile"), plural(len(events), "event"), plural(len(d.world.klaviyo.Calls()), "request"))
	for _, e := range events {
		name, _ := e.Properties["order"].(string)
		row(name, emails[e.ProfileID], e.Metric, strings.TrimSpace(e.Value.String()+" "+e.ValueCurrency), "key "+cut(e.UniqueID, 9))
	}
	picks, requests := d.world.warehouse.taken()
	heading("The warehouse: %s, in %s", plural(len(picks), "pick"), plural(requests, "request"))
	for _, p := range picks {
		shop, _, _ := strings.Cut(p.Shop, ".")
		row(p.Order, shop, strconv.Itoa(p.Quantity)+" × "+p.Title, p.SKU)
	}
	for _, platform := range []string{"Shopify", "WooCommerce"} {
		heading("%s: tags of its orders", platform)
		for _, o := range d.orders {
			if o.platform == platform {
				row(o.name, o.buyer.name(), list(d.world.tags(o)))
			}
		}
	}
	return nil
}

// tags are those that an order has on its platform.
func (w *world) tags(o *order) []string {
	if o.shop == wooShop {
		return w.woo.Tags(o.id)
	}
	id, err := strconv.ParseInt(o.id, 10, 64)
	if err != nil {
		return nil
	}
	return w.shopify.Tags(id)
}
