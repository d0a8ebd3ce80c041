package demo

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/shophand/shophand/core/engine"
)

// What is for sale.
func teapot() item { return item{sku: "POT-1", title: "Iron teapot", price: "89.50", quantity: 1} }
func sencha() item { return item{sku: "SEN-250", title: "Sencha 250 g", price: "39.90", quantity: 4} }
func bowl() item {
	return item{sku: "BOWL-7", title: "抹茶茶碗 (matcha bowl)", price: "62.00", quantity: 2}
}
func whisk() item { return item{sku: "CHA-2", title: "Bamboo whisk", price: "18.25", quantity: 1} }
func giftCard() item {
	return item{sku: "GIFT-25", title: "Gift card", price: "25.00", quantity: 1, giftCard: true}
}
func kettle() item { return item{sku: "KET-3", title: "Copper kettle", price: "312.00", quantity: 1} }
func vase() item   { return item{sku: "VASE-9", title: "Raku vase", price: "189.99", quantity: 1} }

// orderComesIn is the everyday case on Shopify.
func (d *demo) orderComesIn(ctx context.Context) error {
	d.screen.title("An order comes in", "Shopify tells of a new customer and her order; each flow that listens starts a run, each step runs in its plugin's process.")
	d.breathe(ctx)
	d.call(shopifyShop, ada())
	if err := d.shopifySignup(ctx, ada()); err != nil {
		return err
	}
	o, paid, err := d.shopifyOrder(ctx, ada(), "8.00", teapot(), sencha())
	if err != nil {
		return err
	}
	d.firstPaid = paid
	if err := d.settled(ctx, shopifyShop, ada().customer(), "welcome-customer"); err != nil {
		return err
	}
	return d.settled(ctx, o.shop, o.id, o.flows()...)
}

// otherPlatform runs the same flows on WooCommerce.
func (d *demo) otherPlatform(ctx context.Context) error {
	d.screen.title("The same flows, another platform", "WooCommerce never says that an order was paid; Shophand tells it from the order, once, however often it is updated.")
	d.breathe(ctx)
	d.call(wooShop, hanako())
	if err := d.wooSignup(ctx, hanako()); err != nil {
		return err
	}
	o, err := d.wooOrder(ctx, hanako(), "6.50", bowl())
	if err != nil {
		return err
	}
	if err := d.settled(ctx, wooShop, hanako().customer(), "welcome-customer"); err != nil {
		return err
	}
	return d.settled(ctx, o.shop, o.id, o.flows()...)
}

// notEverything has a guest with nothing to ship, and one whose address no carrier takes.
func (d *demo) notEverything(ctx context.Context) error {
	d.screen.title("What does not run says why", "A guest buys a gift card: conditions skip it and show their values. Another guest's address is refused: the flow's on_error steps run.")
	d.breathe(ctx)
	small, _, err := d.shopifyOrder(ctx, sam(), "0.00", giftCard())
	if err != nil {
		return err
	}
	lost, err := d.wooOrder(ctx, zoe(), "4.00", whisk())
	if err != nil {
		return err
	}
	if err := d.settled(ctx, small.shop, small.id, small.flows()...); err != nil {
		return err
	}
	return d.settled(ctx, lost.shop, lost.id, lost.flows()...)
}

// newsTwice delivers what was delivered before, and two orders that look like one delivery.
func (d *demo) newsTwice(ctx context.Context) error {
	d.screen.title("The same news twice, and two that only look the same",
		"Shopify repeats a delivery, and another subscription brings the event once more. Two WooCommerce orders share a delivery id, as all of one second do.")
	d.breathe(ctx)
	first := d.orders[0]
	if err := d.shopifyResends(ctx, d.firstPaid, first.id, first.name+" again, same ids"); err != nil {
		return err
	}
	if err := d.shopifyResends(ctx, d.world.shopify.Duplicate(d.firstPaid), first.id, first.name+" by another subscription"); err != nil {
		return err
	}
	twins, err := d.twins(ctx)
	if err != nil {
		return err
	}
	if err := d.watch.until(ctx, "both repetitions of "+first.name+" are known as such", func() string {
		if n := d.duplicates(first); n < 2 {
			return fmt.Sprintf("%d of them are recorded", n)
		}
		return ""
	}); err != nil {
		return err
	}
	for _, o := range twins {
		if err := d.settled(ctx, o.shop, o.id, o.flows()...); err != nil {
			return err
		}
	}
	return nil
}

// twins are two orders of WooCommerce within one second, by one webhook.
func (d *demo) twins(ctx context.Context) ([]*order, error) {
	d.world.wooClock.hold()
	defer d.world.wooClock.release()
	var out []*order
	for range 2 {
		o, err := d.world.placeOnWoo(sam(), "4.00", whisk())
		if err != nil {
			return nil, err
		}
		d.orders, out = append(d.orders, o), append(out, o)
		d.learn(o)
		body := d.world.woo.Payload(o.id)
		id := d.world.woo.Header("order.created", body).Get("X-Wc-Webhook-Delivery-Id")
		if err := d.wooSends(ctx, "order.created", o.id, fmt.Sprintf("%s, delivery %s", o.about(), cut(id, 9)), body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// duplicates counts the deliveries about an order that the host knew already.
func (d *demo) duplicates(o *order) int {
	n := 0
	for _, e := range d.watch.events {
		if e.Shop == o.shop && e.Subject == o.id && e.Outcome == engine.Duplicate {
			n++
		}
	}
	return n
}

// forgery is a webhook that somebody sent who does not know the secret.
type forgery struct {
	platform, subject string
	status            int
	counted           int // by how much the host's count of refused webhooks rose
}

// stranger delivers webhooks that are not signed by the platforms.
func (d *demo) stranger(ctx context.Context) error {
	d.screen.title("A stranger knocks", "Two webhooks, perfect but for the signature. They are refused; nothing of them is kept but a count.")
	d.breathe(ctx)
	fake := d.world.placeOnShopify(sam(), "0.00", kettle())
	body, err := d.shopifyBody(fake)
	if err != nil {
		return err
	}
	if err := d.forge(ctx, "shopify", fake, "orders/paid", func() (int, error) {
		return d.world.shopify.Forge(ctx, d.shopifyHook(), "orders/paid", body)
	}); err != nil {
		return err
	}
	if fake, err = d.world.placeOnWoo(sam(), "0.00", vase()); err != nil {
		return err
	}
	return d.forge(ctx, "woocommerce", fake, "order.created", func() (int, error) {
		return d.world.woo.Forge(ctx, d.wooHook(), "order.created", d.world.woo.Payload(fake.id))
	})
}

func (d *demo) forge(ctx context.Context, platform string, o *order, topic string, send func() (int, error)) error {
	before, err := d.refused(ctx, platform)
	if err != nil {
		return err
	}
	status, err := send()
	if err != nil {
		return fmt.Errorf("delivering a forged webhook: %w", err)
	}
	after, err := d.refused(ctx, platform)
	if err != nil {
		return err
	}
	d.screen.line(arrives, "%s", columns([]string{o.platform, topic, fmt.Sprintf("%s, signed with a wrong secret: answered %d", o.about(), status)}, 11, 16))
	d.forged = append(d.forged, forgery{platform: platform, subject: o.id, status: status, counted: after - before})
	if status != http.StatusUnauthorized {
		return &unmet{expected: "a forged " + topic + " is answered 401", instead: fmt.Sprintf("it was answered %d", status)}
	}
	d.screen.line(done, "refused; the host counts %s of %s since it was started", plural(after, "refused webhook"), o.platform)
	return nil
}

// refused reads the host's count of webhooks whose signature was wrong.
func (d *demo) refused(ctx context.Context, platform string) (int, error) {
	_, page, err := get(ctx, d.host.url+"/metrics")
	if err != nil {
		return 0, err
	}
	name := fmt.Sprintf("shophand_deliveries_total{answer=\"unauthorized\",platform=%q} ", platform)
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			n := 0
			_, err := fmt.Sscan(value, &n)
			return n, err
		}
	}
	return 0, fmt.Errorf("the host's metrics have no %s", name)
}

// call has the screen use a person's first name, and learn an order's.
func (d *demo) call(shop string, p person) {
	d.news.names[resourceKey(shop, p.customer())] = p.first
}

func (d *demo) learn(o *order) { d.news.names[resourceKey(o.shop, o.id)] = o.name }
