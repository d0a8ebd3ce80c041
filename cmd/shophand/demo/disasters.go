package demo

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
)

// pluginDeath is a plugin that was killed while it bought a label.
type pluginDeath struct {
	order *order
	pid   int
}

// pluginDies kills the labels plugin after the vendor has sold a label and before the plugin knows it. Klaviyo's
// answer is lost meanwhile, after it has recorded an event.
func (d *demo) pluginDies(ctx context.Context) error {
	d.screen.title("A plugin dies with money on the table",
		"EasyPost sells a label, its answer is on the way, and the plugin is killed. Klaviyo records an event, and the answer is lost.")
	d.breathe(ctx)
	d.world.gate.hold(http.MethodPost, "/buy")
	defer d.world.gate.open()
	d.world.klaviyo.LoseNext(1)
	o, _, err := d.shopifyOrder(ctx, grace(), "0.00", kettle())
	if err != nil {
		return err
	}
	if err := d.watch.until(ctx, "EasyPost sells a label for "+o.name, func() string {
		if d.world.gate.holding() == 0 {
			return "it has sold none"
		}
		if d.stepOf(o, "buy-label", "labels/buy").Status != run.Running {
			return "no run of buy-label waits for the answer"
		}
		return ""
	}); err != nil {
		return err
	}
	pid := d.watch.seen.plugins()["labels"]
	d.screen.line(note, "EasyPost has sold the label for %s; labels[%d] waits for its answer", o.name, pid)
	if pid == 0 {
		return &unmet{expected: "the labels plugin is a process of its own", instead: "the API names none"}
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the labels plugin: %w", err)
	}
	if left, err := d.outlived(ctx, map[string]int{"labels": pid}); err != nil {
		return err
	} else if len(left) > 0 {
		return fmt.Errorf("killing the labels plugin: %s still lives", list(left))
	}
	d.watch.seen.end("labels", time.Now())
	d.screen.line(kills, "labels[%d] is killed with -9 in the middle of labels/buy", pid)
	d.plugin = pluginDeath{order: o, pid: pid}
	d.world.gate.open()
	return d.settled(ctx, o.shop, o.id, o.flows()...)
}

// stepOf returns the step of an action in a flow's run for an order; the zero Step where there is none.
func (d *demo) stepOf(o *order, flow, action string) engine.Step {
	for _, r := range d.watch.of(o.shop, o.id, flow) {
		for _, s := range r.Steps {
			if s.Action == action {
				return s
			}
		}
	}
	return engine.Step{}
}

// crash is the end of the host by kill -9, and its return.
type crash struct {
	pid     int
	at      time.Time
	back    time.Time            // when it took webhooks again
	left    []string             // plugin processes that outlived it
	waiting map[string]time.Time // runs that let time pass meanwhile, until when
	last    *order               // whose webhooks were acknowledged right before
}

// remains is how long a wait must still last when the host is killed, so that it ends after the host is back.
const remains = 2 * time.Second

// hostDies kills the host while runs wait, and right after it has acknowledged webhooks.
func (d *demo) hostDies(ctx context.Context) error {
	d.screen.title("The host dies", "Runs wait; two webhooks are acknowledged; in that instant the host is killed with -9, and started again on the same folder.")
	d.breathe(ctx)
	if err := d.letRunsWait(ctx); err != nil {
		return err
	}
	last, _, err := d.shopifyOrder(ctx, grace(), "9.00", vase())
	if err != nil {
		return err
	}
	d.crash = crash{pid: d.host.pid(), at: time.Now(), waiting: map[string]time.Time{}, last: last}
	if err := d.host.kill(); err != nil {
		return err
	}
	d.screen.line(kills, "host[%d] is killed with -9", d.crash.pid)
	for _, r := range d.watch.runs {
		if s, rests := resting(r); rests && s.Until.After(d.crash.at) {
			d.crash.waiting[r.ID] = *s.Until
		}
	}
	if err := d.mournPlugins(ctx); err != nil {
		return err
	}
	missed := d.world.placeOnShopify(sam(), "9.00", teapot())
	d.orders = append(d.orders, missed)
	d.learn(missed)
	body, err := d.shopifyBody(missed)
	if err != nil {
		return err
	}
	refused := d.world.shopify.Delivery("orders/create", body)
	if status, err := d.world.shopify.Redeliver(ctx, d.shopifyHook(), refused); err == nil {
		return &unmet{expected: "nobody answers a webhook while the host is dead", instead: fmt.Sprintf("it was answered %d", status)}
	}
	d.screen.line(arrives, "%s", columns([]string{"Shopify", "orders/create", missed.about() + ": nobody answers, Shopify keeps it"}, 11, 16))
	if err := d.startHost(ctx); err != nil {
		return err
	}
	d.crash.back = time.Now()
	d.screen.line(note, "host[%d] is back after %s, on the same folder and address", d.host.pid(), d.crash.back.Sub(d.crash.at).Round(time.Millisecond))
	if err := d.shopifyResends(ctx, refused, missed.id, missed.name+" once more"); err != nil {
		return err
	}
	if body, err = d.shopifyPaid(missed); err != nil {
		return err
	}
	if _, err := d.shopifySends(ctx, "orders/paid", missed.id, missed.name, body); err != nil {
		return err
	}
	return d.watch.until(ctx, "every run ends after the host's return", d.unfinished)
}

// letRunsWait places orders until a run on each platform lets enough time pass.
func (d *demo) letRunsWait(ctx context.Context) error {
	for try := 1; ; try++ {
		woo, err := d.wooOrder(ctx, hanako(), "6.50", vase())
		if err != nil {
			return err
		}
		shopify, _, err := d.shopifyOrder(ctx, ada(), "8.00", teapot(), whisk())
		if err != nil {
			return err
		}
		enough := true
		for _, o := range []*order{woo, shopify} {
			if err := d.settled(ctx, o.shop, o.id, o.flows()...); err != nil {
				return err
			}
		}
		for _, o := range []*order{woo, shopify} {
			s, rests := resting(d.watch.of(o.shop, o.id, "follow-up")[0])
			enough = enough && rests && time.Until(*s.Until) > remains
		}
		if enough {
			return nil
		}
		if try == 10 {
			return &unmet{expected: "runs of follow-up wait when the host is killed", instead: "they were over each time: this machine is too slow for their wait"}
		}
		d.screen.line(note, "this machine is slow: they have waited too long already; once more")
	}
}

// mournPlugins waits for the end of the dead host's plugin processes.
func (d *demo) mournPlugins(ctx context.Context) error {
	plugins := d.watch.seen.plugins()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		names = append(names, name+"["+strconv.Itoa(plugins[name])+"]")
	}
	d.watch.seen.endAll(d.crash.at)
	var err error
	if d.crash.left, err = d.outlived(ctx, plugins); err != nil {
		return err
	}
	if len(d.crash.left) > 0 {
		d.screen.line(failed, "%s outlived it", list(d.crash.left))
		return nil // the books say so, too
	}
	d.screen.line(kills, "%s ended with it", list(names))
	return nil
}

// outlived waits for the end of processes, and names those that do not come to it.
func (d *demo) outlived(ctx context.Context, pids map[string]int) ([]string, error) {
	for deadline := time.Now().Add(patience); ; {
		var left []string
		for name, pid := range pids {
			if alive(pid) {
				left = append(left, name+"["+strconv.Itoa(pid)+"]")
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// unfinished says which run is not over, or has not begun; "" where all is quiet.
func (d *demo) unfinished() string {
	for _, o := range d.orders {
		if lack := d.watch.unsettled(o.shop, o.id, o.flows()...); lack != "" {
			return lack
		}
	}
	for _, r := range d.watch.runs {
		if !r.Status.Over() {
			return "run " + describe(r)
		}
	}
	return ""
}
