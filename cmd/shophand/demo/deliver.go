package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/shophand/shophand/connectors/shopify/shopifysim"
)

// delivery is a webhook that was acknowledged: the host must know of it from then on.
type delivery struct{ shop, topic, subject string }

// shopifyURL and wooURL are where the host takes webhooks.
func (d *demo) shopifyHook() string { return d.host.url + "/webhooks/shopify" }
func (d *demo) wooHook() string     { return d.host.url + "/webhooks/woocommerce/" + wooShop }

// arrived prints a webhook with its answer, and keeps it where it was acknowledged. what says what it is about.
func (d *demo) arrived(platform string, del delivery, what string, status int, took time.Duration, err error) error {
	if err != nil {
		return fmt.Errorf("delivering %s: %w", del.topic, err)
	}
	d.screen.line(arrives, "%s", columns([]string{platform, del.topic, fmt.Sprintf("%s, answered %d in %.1f ms", what, status, 1000*took.Seconds())}, 11, 16))
	if status != http.StatusOK {
		return &unmet{expected: fmt.Sprintf("%s of %s is answered 200", del.topic, platform), instead: fmt.Sprintf("it was answered %d", status)}
	}
	d.acknowledged = append(d.acknowledged, del)
	return nil
}

// shopifySends delivers a webhook of the Shopify shop as Shopify does. It returns the delivery, which can be sent
// again.
func (d *demo) shopifySends(ctx context.Context, topic, subject, what string, body []byte) (shopifysim.Delivery, error) {
	sent := d.world.shopify.Delivery(topic, body)
	return sent, d.shopifyResends(ctx, sent, subject, what)
}

// shopifyResends delivers a webhook that was made before: same body, ids and signature.
func (d *demo) shopifyResends(ctx context.Context, sent shopifysim.Delivery, subject, what string) error {
	begun := time.Now()
	status, err := d.world.shopify.Redeliver(ctx, d.shopifyHook(), sent)
	return d.arrived("Shopify", delivery{shopifyShop, sent.Topic, subject}, what, status, time.Since(begun), err)
}

// wooSends delivers a webhook of the WooCommerce shop as WooCommerce does: once, whatever the answer.
func (d *demo) wooSends(ctx context.Context, topic, subject, what string, body []byte) error {
	begun := time.Now()
	status, err := d.world.woo.Deliver(ctx, d.wooHook(), topic, body)
	return d.arrived("WooCommerce", delivery{wooShop, topic, subject}, what, status, time.Since(begun), err)
}

// about describes an order in a line.
func (o *order) about() string {
	text := fmt.Sprintf("%s %s, %s %s", o.name, o.buyer.name(), o.total, currency)
	if o.buyer.id == 0 {
		text += ", a guest"
	}
	if o.buyer.pays != "" {
		text += fmt.Sprintf(" (paid as %s %s)", o.total.Mul(o.buyer.rate).Round(0), o.buyer.pays)
	}
	return text
}

// shopifyOrder has somebody buy on Shopify and delivers what Shopify sends of it. It returns the delivery of
// orders/paid.
func (d *demo) shopifyOrder(ctx context.Context, buyer person, shipping string, items ...item) (*order, shopifysim.Delivery, error) {
	o := d.world.placeOnShopify(buyer, shipping, items...)
	d.orders = append(d.orders, o)
	d.learn(o)
	body, err := d.shopifyBody(o)
	if err != nil {
		return o, shopifysim.Delivery{}, err
	}
	if _, err := d.shopifySends(ctx, "orders/create", o.id, o.about(), body); err != nil {
		return o, shopifysim.Delivery{}, err
	}
	if body, err = d.shopifyPaid(o); err != nil {
		return o, shopifysim.Delivery{}, err
	}
	paid, err := d.shopifySends(ctx, "orders/paid", o.id, o.name, body)
	return o, paid, err
}

func (d *demo) shopifyBody(o *order) ([]byte, error) {
	id, err := strconv.ParseInt(o.id, 10, 64)
	if err != nil {
		return nil, err
	}
	return d.world.shopify.OrderBody(id)
}

// shopifyPaid has the money of an order come in, and returns the order as it is then.
func (d *demo) shopifyPaid(o *order) ([]byte, error) {
	id, err := strconv.ParseInt(o.id, 10, 64)
	if err != nil {
		return nil, err
	}
	if err := d.world.shopify.ChangeOrder(id, func(o *shopifysim.Order) { o.FinancialStatus = "paid" }); err != nil {
		return nil, err
	}
	return d.shopifyBody(o)
}

// wooOrder has somebody buy on WooCommerce and delivers what WooCommerce sends of it: order.created, and
// order.updated right behind. It never says that an order is paid.
func (d *demo) wooOrder(ctx context.Context, buyer person, shipping string, items ...item) (*order, error) {
	o, err := d.world.placeOnWoo(buyer, shipping, items...)
	if err != nil {
		return o, err
	}
	d.orders = append(d.orders, o)
	d.learn(o)
	body := d.world.woo.Payload(o.id)
	if err := d.wooSends(ctx, "order.created", o.id, o.about(), body); err != nil {
		return o, err
	}
	return o, d.wooSends(ctx, "order.updated", o.id, o.name, body)
}

// shopifySignup and wooSignup have somebody become a customer.
func (d *demo) shopifySignup(ctx context.Context, p person) error {
	body, err := d.world.shopify.CustomerBody(*p.onShopify())
	if err != nil {
		return err
	}
	d.customers = append(d.customers, customer{shopifyShop, p})
	_, err = d.shopifySends(ctx, "customers/create", p.customer(), p.name()+" signs up", body)
	return err
}

func (d *demo) wooSignup(ctx context.Context, p person) error {
	body, err := json.Marshal(d.world.wooCustomer(p))
	if err != nil {
		return err
	}
	d.customers = append(d.customers, customer{wooShop, p})
	return d.wooSends(ctx, "customer.created", p.customer(), p.name()+" signs up", body)
}

// get fetches a page.
func get(ctx context.Context, address string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}
