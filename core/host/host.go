// Package host is the one place that wires everything: the intake, the engine, the store, plugins, connectors
// and the API, on one data folder.
package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/shophand/shophand/core/api"
	"github.com/shophand/shophand/core/catalog"
	enginebolt "github.com/shophand/shophand/core/engine/bolt"
	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/ingest"
	ingestbolt "github.com/shophand/shophand/core/ingest/bolt"
	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/core/secret"
	"github.com/shophand/shophand/core/store"
	storebolt "github.com/shophand/shophand/core/store/bolt"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// Connector is one platform, as the host needs it.
type Connector interface {
	ingest.Connector
	// Actions are the platform's own, named shop/… in a flow; their configuration is made of what `shop add` was
	// given.
	Actions() wire.Handler
	// CheckShop tells whether a shop can be added, by its name, address and credentials.
	CheckShop(name, url string, credentials map[string]sdk.Secret) error
}

// ShopifyConnector and WooCommerceConnector are the two platforms whose webhooks have addresses.
type (
	ShopifyConnector interface {
		Connector
		ingest.ShopifyConnector
	}
	WooCommerceConnector interface {
		Connector
		ingest.WooCommerceConnector
	}
)

// Config of a host. Now and Logger may be absent.
type Config struct {
	Data           string // the data folder
	Listen         string // address, "127.0.0.1:0" for any port
	PublicURL      string // where the world reaches the host; "" where only Listen is known
	AdminToken     sdk.Secret
	Key            []byte // 32 bytes; nil: from the key file of the folder
	ShopifySecrets []sdk.Secret
	Plugins        []pluginhost.Program
	Shopify        ShopifyConnector
	WooCommerce    WooCommerceConnector
	Version        string
	Logger         *slog.Logger
	Now            func() time.Time
	// Passive opens the folder for its API only: no webhook is taken, no run goes on.
	Passive bool
}

// lockWait is how long a start waits for a process that is about to give the folder back.
const lockWait = 3 * time.Second

// Host is a host on its data folder.
type Host struct {
	config   Config
	folder   *folder
	token    sdk.Secret
	newToken bool
	store    *storebolt.Store
	log      *ingestbolt.Log
	engine   *enginebolt.Engine
	plugins  *pluginhost.Host
	intake   *ingest.Handler
	pump     *ingest.Pump
	listener net.Listener
	handler  http.Handler
	ready    *readiness

	closeOnce sync.Once
	closeErr  error
}

// New opens the data folder and takes up the work in it. Close gives it back.
func New(c Config) (h *Host, err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	h = &Host{config: c, ready: &readiness{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close(context.Background()))
		}
	}()
	if h.folder, err = openFolder(c.Data, lockWait); err != nil {
		return h, err
	}
	if err = h.folder.whole(c.Key == nil); err != nil {
		return h, err
	}
	if h.token = c.AdminToken; h.token == "" {
		if h.token, h.newToken, err = h.folder.adminToken(); err != nil {
			return h, err
		}
	}
	if err = h.openStore(); err != nil {
		return h, err
	}
	language, err := expr.New()
	if err != nil {
		return h, err
	}
	known, err := h.describe()
	if err != nil {
		return h, err
	}
	compiler := flow.NewCompiler(language, known)
	cache := &shops{store: h.store, logger: c.Logger}
	compiled := newFlows(h.store, compiler, c.Logger)
	if h.plugins, err = pluginhost.New(pluginhost.Config{
		Programs: c.Plugins, Log: c.Logger, Now: c.Now, ScratchDir: h.folder.file(scratchDir),
	}); err != nil {
		return h, err
	}
	connectors := map[string]Connector{c.Shopify.Platform(): c.Shopify, c.WooCommerce.Platform(): c.WooCommerce}
	h.engine, err = enginebolt.Open(enginebolt.Config{
		Path: h.folder.file(engineFile), Flows: compiled, Shops: engineShops{cache}, Logger: c.Logger, Now: c.Now, Passive: c.Passive,
		Invoker: &invoker{shops: cache, store: h.store, plugins: h.plugins, connectors: connectors, catalog: known},
	})
	if err != nil {
		return h, err
	}
	if !c.Passive {
		if err = h.openIntake(cache); err != nil {
			return h, err
		}
	}
	rest := api.New(api.Config{
		Token: h.token, Store: h.store, Engine: h.engine, Compiler: compiler, Versions: compiled, Catalog: known,
		Plugins: h.plugins, Platforms: platforms(connectors), WebhookURL: h.webhookURL, Version: c.Version, Now: c.Now,
	})
	h.handler = h.routes(rest)
	return h, nil
}

func platforms(connectors map[string]Connector) map[string]api.Platform {
	out := map[string]api.Platform{}
	for name, c := range connectors {
		out[name] = c
	}
	return out
}

func (h *Host) openStore() error {
	key := h.config.Key
	if key == nil {
		var err error
		if key, err = secret.LoadKey(h.folder.file(keyFile), rand.Reader); err != nil {
			return err
		}
	}
	box, err := secret.New(key)
	if err != nil {
		return err
	}
	if h.store, err = storebolt.Open(h.folder.file(storeFile), box); err != nil {
		return err
	}
	_, err = h.store.Shops(context.Background()) // a wrong key is told now, not at the first webhook
	return err
}

// describe builds the catalogue from what plugins and connectors say of themselves.
func (h *Host) describe() (*catalog.Catalog, error) {
	var plugins, own []wire.Description
	for _, p := range h.config.Plugins {
		if p.Description == nil {
			return nil, fmt.Errorf("plugin %s does not say what it is", p.Name)
		}
		plugins = append(plugins, *p.Description)
	}
	for _, c := range []Connector{h.config.Shopify, h.config.WooCommerce} {
		d, err := c.Actions().Describe(context.Background())
		if err != nil {
			return nil, err
		}
		own = append(own, d)
	}
	return catalog.New(plugins, own)
}

func (h *Host) openIntake(cache *shops) error {
	c := h.config
	var err error
	if h.log, err = ingestbolt.Open(h.folder.file(intakeFile), ingestbolt.Options{Now: c.Now, NoRetry: []string{c.WooCommerce.Platform()}}); err != nil {
		return err
	}
	told := newNotices(c.Logger, c.Now)
	h.intake = ingest.NewHandler(ingest.Config{
		Log: h.log, Shops: intakeShops{cache}, Shopify: c.Shopify, WooCommerce: c.WooCommerce, AppSecrets: c.ShopifySecrets,
		Now: c.Now, Logger: c.Logger,
		Reconcile: func(shop, reason string) {
			told.warn(shop, "webhooks were refused that will not be sent again: look at the shop for what they told of", reason)
		},
		Unverified: func(shop string, err error) {
			told.warn(shop, "webhooks were refused because their signature is not right: compare the shop's webhook secret", err.Error())
		},
	})
	h.pump = ingest.NewPump(ingest.PumpConfig{
		Log: h.log, Sink: sink{h.engine}, Shops: intakeShops{cache}, Logger: c.Logger,
		Connectors: map[string]ingest.Connector{c.Shopify.Platform(): c.Shopify, c.WooCommerce.Platform(): c.WooCommerce},
	})
	if h.listener, err = net.Listen("tcp", c.Listen); err != nil {
		return fmt.Errorf("listening on %s: %w", c.Listen, err)
	}
	return nil
}

// Handler is the API and everything else that the host serves.
func (h *Host) Handler() http.Handler { return h.handler }

// Store is the host's store.
func (h *Host) Store() store.Store { return h.store }

// AdminToken is what the API asks for.
func (h *Host) AdminToken() sdk.Secret { return h.token }

// NewAdminTokenFile names the file of a token that was made just now; "" where there was one.
func (h *Host) NewAdminTokenFile() string {
	if !h.newToken {
		return ""
	}
	return h.folder.file(tokenFile)
}

// URL is where the host listens.
func (h *Host) URL() string {
	if h.listener == nil {
		return ""
	}
	return "http://" + h.listener.Addr().String()
}

// webhookURL is where a shop's webhooks go.
func (h *Host) webhookURL(s store.Shop) string {
	base := h.config.PublicURL
	if base == "" {
		base = h.URL()
	}
	if base == "" {
		base = "http://" + h.config.Listen
	}
	if s.Platform == h.config.Shopify.Platform() {
		return base + "/webhooks/shopify"
	}
	return base + "/webhooks/woocommerce/" + s.Name
}

// Run serves until ctx ends. It is called once, on a host that is not passive.
func (h *Host) Run(ctx context.Context) error {
	server := &http.Server{
		Handler:           h.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.config.Logger.Handler(), slog.LevelWarn),
	}
	pumping, stopPump := context.WithCancel(context.Background())
	pumped := make(chan error, 1)
	go func() { pumped <- h.pump.Run(pumping) }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(h.listener) }()
	if err := h.folder.announce(h.URL()); err != nil {
		h.config.Logger.Error("other commands will not find this host", "error", err)
	}
	h.ready.set(true)
	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-pumped:
		pumped <- err
	}
	h.ready.set(false)
	shutdown, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if stopErr := server.Shutdown(shutdown); stopErr != nil {
		err = errors.Join(err, server.Close())
	}
	stopPump()
	if pumpErr := <-pumped; !errors.Is(pumpErr, context.Canceled) {
		err = errors.Join(err, pumpErr)
	}
	return err
}

// Close ends what is at work (actions get until ctx ends) and gives the folder back.
func (h *Host) Close(ctx context.Context) error {
	h.closeOnce.Do(func() {
		var errs []error
		if h.listener != nil {
			if err := h.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		if h.log != nil {
			errs = append(errs, h.log.Close())
		}
		if h.engine != nil {
			errs = append(errs, h.engine.Close(ctx))
		}
		if h.plugins != nil {
			if err := h.plugins.Close(ctx); err != nil { // nothing is lost: they are taken up at the next start
				h.config.Logger.Warn("the host stopped before all was done", "error", err)
			}
		}
		if h.store != nil {
			errs = append(errs, h.store.Close())
		}
		if h.folder != nil {
			errs = append(errs, h.folder.close())
		}
		h.closeErr = errors.Join(errs...)
	})
	return h.closeErr
}
