package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/shophand/shophand/connectors/shopify/shopifysim"
	"github.com/shophand/shophand/connectors/woocommerce/woosim"
	"github.com/shophand/shophand/plugins/klaviyo/klaviyosim"
	"github.com/shophand/shophand/plugins/labels/labelssim"
)

// The shops, and the secrets of this world. They open nothing but the simulators of one demo.
const (
	shopifyShop = "leaf-and-kettle.myshopify.com"
	wooShop     = "kiln-and-clay"
	currency    = "USD"

	shopifyToken  = "shpat_demo_6f1b2c9d"
	shopifySecret = "shpss_demo_a3d48e10"
	wooKey        = "ck_demo_41c7f0"
	wooSecret     = "cs_demo_9e02ab"
	wooWebhook    = "whsec_demo_77b1"
	klaviyoKey    = "pk_demo_5a0c13"
	easypostKey   = "EZTK_demo_2f8d"
)

func secrets() []string {
	return []string{shopifyToken, shopifySecret, wooKey, wooSecret, wooWebhook, klaviyoKey, easypostKey}
}

// answerTimeout is how long a platform waits for the answer to a webhook. The real ones wait 5 s and 60 s; a
// machine that is busy must not make this demo fail.
const answerTimeout = time.Minute

// world is everything outside of Shophand: the platforms, the vendors and the merchant's own system, each behind
// an address of its own on loopback.
type world struct {
	shopify   *shopifysim.Sim
	woo       *woosim.Store
	wooClock  *heldClock
	klaviyo   *klaviyosim.Sim
	easypost  *labelssim.Sim
	gate      *gate // in front of easypost
	warehouse *warehouse

	shopifyOrders int // placed so far

	shopifyURL, wooURL, klaviyoURL, easypostURL, warehouseURL string

	servers []*http.Server
}

// newWorld starts it. Close ends it.
func newWorld() (w *world, err error) {
	w = &world{wooClock: &heldClock{}, warehouse: newWarehouse()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.shopify, err = shopifysim.New(shopifysim.Config{
		Shop: shopifyShop, Token: shopifyToken, Secret: shopifySecret, Currency: currency, HTTP: &http.Client{Timeout: answerTimeout},
	})
	if err != nil {
		return w, err
	}
	w.klaviyo = klaviyosim.New(klaviyosim.Config{APIKey: klaviyoKey})
	w.easypost = labelssim.New(labelssim.Config{APIKey: easypostKey})
	w.gate = newGate(w.easypost)
	if w.shopifyURL, err = w.serve(w.shopify); err != nil {
		return w, err
	}
	if w.klaviyoURL, err = w.serve(w.klaviyo); err != nil {
		return w, err
	}
	if w.easypostURL, err = w.serve(w.gate); err != nil {
		return w, err
	}
	if w.warehouseURL, err = w.serve(w.warehouse); err != nil {
		return w, err
	}
	// A store knows its own address, which stands in what it sends.
	late := &lateHandler{}
	if w.wooURL, err = w.serve(late); err != nil {
		return w, err
	}
	w.woo = woosim.New(woosim.Config{
		URL: w.wooURL, Key: wooKey, Secret: wooSecret, WebhookSecret: wooWebhook, FirstOrder: 5001, Now: w.wooClock.now,
		Client: &http.Client{Timeout: answerTimeout},
	})
	late.handler.Store(w.woo)
	return w, nil
}

// serve puts a handler behind an address of its own and returns that.
func (w *world) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening on loopback: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(l) }() // ends by close
	return "http://" + l.Addr().String(), nil
}

func (w *world) close() error {
	if w.gate != nil {
		w.gate.open()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, s := range w.servers {
		if s.Shutdown(ctx) != nil { // somebody still waits for an answer
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// lateHandler serves what is known only after its address is.
type lateHandler struct{ handler atomic.Pointer[woosim.Store] }

func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.handler.Load(); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	http.Error(w, "the store is not open yet", http.StatusServiceUnavailable)
}

// heldClock is a clock that can be held, so that two things surely happen within one second.
type heldClock struct{ at atomic.Pointer[time.Time] }

func (c *heldClock) now() time.Time {
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

func (c *heldClock) hold() {
	now := time.Now()
	c.at.Store(&now)
}

func (c *heldClock) release() { c.at.Store(nil) }
