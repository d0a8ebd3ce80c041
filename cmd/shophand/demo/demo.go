// Package demo is the tour of `shophand demo`: two shops, their vendors and a host on one machine, with all that
// can go wrong. It shows what happens while it happens, and keeps books of its own, with which it compares in the
// end what the host and the vendors say.
//
// The demo's own process has the simulators and the screen. The host is another process, `serve` of the same
// binary, so that it can be killed; everything that is done to it goes through its commands, its API and the
// webhooks, as a merchant and the platforms would.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/shophand/shophand/connectors/shopify/shopifysim"
)

// Config of a demo.
type Config struct {
	// Executable is this binary; `Executable serve` starts a host.
	Executable string
	// Command is what a person types to start it, for the examples.
	Command string
	Out     io.Writer
	Colour  bool
	// Exit ends the demo after the books are checked. Else it stays up, and takes its time before.
	Exit bool
	// Dial returns the API of a host.
	Dial func(url, token string) API
}

// demo is one tour.
type demo struct {
	config Config
	folder string
	screen *screen
	world  *world
	host   *hostProcess
	watch  *watch
	news   *news

	// The books: what was done to the host, whatever it says itself.
	acknowledged []delivery
	orders       []*order
	customers    []customer
	firstPaid    shopifysim.Delivery // that the first order was paid
	forged       []forgery
	plugin       pluginDeath
	crash        crash
}

// Run gives the tour and, unless the configuration says to exit, stays up until ctx ends. Its error says how many
// checks failed, or which expectation did not come true. All that it started has ended when it returns.
func Run(ctx context.Context, c Config) (err error) {
	d := &demo{config: c, screen: newScreen(c.Out, c.Colour)}
	d.news = newNews(d.screen)
	if d.folder, err = os.MkdirTemp("", "shophand-demo-"); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if d.world, err = newWorld(); err != nil {
		return err
	}
	d.host = newHostProcess(c.Executable, d.folder)
	d.watch = newWatch(d.host, d.news)
	err = d.play(ctx)
	switch {
	case err == nil:
	case errors.As(err, new(*disagreement)): // the books have said what
	case ctx.Err() != nil && !c.Exit:
		return nil // somebody has seen enough
	default:
		d.screen.line(failed, "%s", err.Error())
		d.screen.plain("the host's last words:\n%s", d.host.tail(12))
		return fmt.Errorf("the demo is not as it should be: %w", err)
	}
	return err
}

// play gives the tour.
func (d *demo) play(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		d.setTheStage, d.orderComesIn, d.otherPlatform, d.notEverything, d.newsTwice, d.stranger, d.pluginDies, d.hostDies, d.vendors,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	err := d.checkTheBooks(ctx)
	if err != nil && !errors.As(err, new(*disagreement)) || d.config.Exit {
		return err
	}
	return errors.Join(err, d.stay(ctx))
}

// stay shows what happens until the person has seen enough.
func (d *demo) stay(ctx context.Context) error {
	d.screen.heading("It is all still there", "Look around, from another terminal; what happens meanwhile is shown here.")
	d.screen.plain("The host is at %s", d.host.url)
	for _, line := range []string{
		"export SHOPHAND_DATA=" + d.host.data,
		"export SHOPHAND_ADMIN_TOKEN=$(cat $SHOPHAND_DATA/admin-token)",
		d.config.Command + " run list",
		d.config.Command + " run show " + d.retried(),
		d.config.Command + " event list --status duplicate",
		d.config.Command + " flow show follow-up",
		d.config.Command + " plugin list",
		"curl -H \"Authorization: Bearer $SHOPHAND_ADMIN_TOKEN\" " + d.host.url + "/api/v1/runs",
		"tail -f " + d.host.logFile,
	} {
		d.screen.plain("%s", line)
	}
	d.screen.plain("")
	d.screen.plain("Ctrl-C ends it and removes %s", d.folder)
	for {
		err := d.watch.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !d.host.running():
			return &unmet{expected: "the host runs until it is stopped", instead: "it has ended by itself"}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pollEvery):
		}
	}
}

// retried is the run whose plugin was killed, which is worth a look.
func (d *demo) retried() string {
	for _, r := range d.watch.of(d.plugin.order.shop, d.plugin.order.id, "buy-label") {
		return r.ID
	}
	return "RUN"
}

// close ends all that was started and removes what was written.
func (d *demo) close() error {
	var errs []error
	if d.host != nil {
		errs = append(errs, d.host.stop())
	}
	if d.world != nil {
		errs = append(errs, d.world.close())
	}
	errs = append(errs, os.RemoveAll(d.folder))
	if !d.config.Exit {
		d.screen.plain("The host has stopped; %s is gone.", d.folder)
	}
	return errors.Join(errs...)
}

// settled waits until the flows have run for a resource and are over or let time pass.
func (d *demo) settled(ctx context.Context, shop, subject string, flows ...string) error {
	return d.watch.until(ctx, fmt.Sprintf("%s run for %s, to their end or to a wait", list(flows), d.news.name(shop, subject)), func() string {
		return d.watch.unsettled(shop, subject, flows...)
	})
}

// breathe gives a person who watches the time to read a chapter's beginning.
func (d *demo) breathe(ctx context.Context) {
	if d.config.Exit {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(1500 * time.Millisecond):
	}
}

// list names things: "a, b and c".
func list(names []string) string {
	out := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " and "
		default:
			out += ", "
		}
		out += name
	}
	return out
}
