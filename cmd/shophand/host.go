package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/shophand/shophand/connectors/shopify"
	"github.com/shophand/shophand/connectors/woocommerce"
	"github.com/shophand/shophand/core/host"
	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/plugins/http"
	"github.com/shophand/shophand/plugins/klaviyo"
	"github.com/shophand/shophand/plugins/labels"
	"github.com/shophand/shophand/plugins/loyalty"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// builtin is a plugin that is part of this binary. The host starts the binary again for it; only its
// description is taken within the host's own process.
type builtin interface {
	wire.Handler
	Description() wire.Description
	Serve()
}

// builtins returns the plugins of this binary.
func builtins() []builtin {
	return []builtin{http.New(), klaviyo.New(), labels.New(), loyalty.New()}
}

// hostOptions are what differs between the ways in which a host is opened.
type hostOptions struct {
	passive bool
	logger  *slog.Logger
}

// newHost opens a host by the settings.
func (a *app) newHost(o hostOptions) (*host.Host, error) {
	s := a.settings
	client := safehttp.New(safehttp.Options{AllowPrivate: s.AllowPrivateHTTP, Timeout: 30 * time.Second, MaxRedirects: -1})
	shopifyConnector, err := shopify.New(shopify.Config{APIVersion: s.ShopifyAPIVersion, HTTP: client, Log: o.logger})
	if err != nil {
		return nil, err
	}
	return host.New(host.Config{
		Data: s.Data, Listen: s.Listen, PublicURL: s.PublicURL, AdminToken: s.AdminToken, Key: s.Key, ShopifySecrets: s.ShopifySecrets,
		Plugins: pluginPrograms(s.AllowPrivateHTTP), Shopify: shopifyConnector, WooCommerce: woocommerce.New(woocommerce.Config{HTTP: client, Log: o.logger}),
		Version: version, Logger: o.logger, Passive: o.passive,
	})
}

// pluginPrograms says how the built-in plugins are started.
func pluginPrograms(allowPrivate bool) []pluginhost.Program {
	var env []string
	for _, name := range []string{"TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"} { // what TLS and times depend on
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if allowPrivate {
		env = append(env, "SHOPHAND_ALLOW_PRIVATE_HTTP=1")
	}
	var out []pluginhost.Program
	for _, b := range builtins() {
		d := b.Description()
		out = append(out, pluginhost.Program{Name: d.Name, Args: []string{pluginProcess, d.Name}, Env: env, Description: &d})
	}
	return out
}
