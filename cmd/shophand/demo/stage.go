package demo

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// flowFiles are the flows, as a merchant would write them.
//
//go:embed flows/*.yaml
var flowFiles embed.FS

// setTheStage starts everything, and sets the host up by the commands that a person would type.
func (d *demo) setTheStage(ctx context.Context) error {
	d.screen.heading("Shophand, on a machine where nothing is configured",
		"A host, two shops, three vendors and six flows, all on this machine; nothing leaves it.")
	if err := d.startHost(ctx); err != nil {
		return err
	}
	d.screen.line(note, "host[%d] listens on %s, its data in %s", d.host.pid(), d.host.url, d.host.data)
	d.screen.line(note, "stand-ins: Shopify %s  WooCommerce %s", d.world.shopifyURL, d.world.wooURL)
	d.screen.line(note, "           Klaviyo %s  EasyPost %s  a warehouse %s", d.world.klaviyoURL, d.world.easypostURL, d.world.warehouseURL)
	if err := d.addShops(ctx); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	if err := d.applyFlows(ctx); err != nil {
		return err
	}
	status, err := d.world.woo.Ping(ctx, d.wooHook())
	if err != nil {
		return fmt.Errorf("WooCommerce's first contact: %w", err)
	}
	if status != http.StatusOK {
		return &unmet{expected: "WooCommerce's unsigned ping is answered 200", instead: fmt.Sprintf("it was answered %d", status)}
	}
	d.screen.line(arrives, "WooCommerce tries its webhook's address, answered %d", status)
	return d.watch.look(ctx)
}

// startHost starts the host, for the first time or again.
func (d *demo) startHost(ctx context.Context) error {
	if err := d.host.start(ctx); err != nil {
		return err
	}
	d.watch.api = d.config.Dial(d.host.url, d.host.token)
	return nil
}

// shophand runs a command on the host and shows it, without what is secret.
func (d *demo) shophand(ctx context.Context, args ...string) error {
	shown := "shophand " + strings.Join(args, " ")
	for _, secret := range secrets() {
		shown = strings.ReplaceAll(shown, secret, "***")
	}
	d.screen.line(command, "%s", cut(shown, 108))
	return d.quietly(ctx, args...)
}

// quietly runs a command on the host.
func (d *demo) quietly(ctx context.Context, args ...string) error {
	_, err := d.host.run(ctx, args...)
	return err
}

func (d *demo) addShops(ctx context.Context) error {
	if err := d.shophand(ctx, "shop", "add", "shopify", shopifyShop, "--currency", currency, "--timezone", "America/Los_Angeles",
		"--token", shopifyToken, "--api-url", d.world.shopifyURL); err != nil {
		return err
	}
	return d.shophand(ctx, "shop", "add", "woocommerce", wooShop, "--currency", currency, "--timezone", "America/Chicago",
		"--key", wooKey, "--secret", wooSecret, "--webhook-secret", wooWebhook, "--url", d.world.wooURL)
}

// connect gives both shops their accounts with the vendors. The plugins start, and check what they are given.
func (d *demo) connect(ctx context.Context) error {
	run := d.shophand
	for _, shop := range []string{shopifyShop, wooShop} {
		for _, connection := range [][]string{
			{"loyalty", `tiers=[{"name":"gold","from_points":300}]`},
			{"klaviyo", "api_key=" + klaviyoKey, "base_url=" + d.world.klaviyoURL},
			{"labels", "api_key=" + easypostKey, "from.line1=9 Dock Street", "from.city=Oakland", "from.province=CA", "from.zip=94607", "from.country=US",
				"from.company=" + shop, "base_url=" + d.world.easypostURL + "/v2"},
			{"http", "base_url=" + d.world.warehouseURL},
		} {
			args := append([]string{"connection", "set", connection[0], "--shop", shop}, connection[1:]...)
			if err := d.patiently(ctx, run, args...); err != nil {
				return err
			}
		}
		if shop == shopifyShop {
			d.screen.line(command, "… and the same four for %s", wooShop)
			run = d.quietly
		}
	}
	return nil
}

// patiently runs a command that starts a plugin: on a machine that is very busy, a plugin may not be ready in time
// at first, and says so.
func (d *demo) patiently(ctx context.Context, run func(context.Context, ...string) error, args ...string) error {
	const tries = 5
	for try := 1; ; try++ {
		err := run(ctx, args...)
		if err == nil || try == tries || ctx.Err() != nil {
			return err
		}
		d.screen.line(again, "%s", cut(err.Error(), 110))
	}
}

// applyFlows writes the flows where a person can read them, and applies them from there.
func (d *demo) applyFlows(ctx context.Context) error {
	folder := filepath.Join(d.folder, "flows")
	if err := os.CopyFS(d.folder, flowFiles); err != nil {
		return fmt.Errorf("writing the flows: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	d.screen.line(command, "shophand flow apply %s", filepath.Join(folder, "*.yaml"))
	out, err := d.host.run(ctx, append([]string{"flow", "apply"}, files...)...)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		d.screen.line(note, "%s", strings.TrimSpace(line))
	}
	return nil
}
