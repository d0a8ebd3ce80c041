package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shophand/shophand/core/catalog"
	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk/wire"
)

const (
	// attemptTimeout is how long one attempt may take.
	attemptTimeout = 60 * time.Second
	// maxConflicts is how often an action is invoked anew because its data changed under it.
	maxConflicts = 100
)

// invoker carries out attempts: a platform action by the shop's connector, any other by a plugin's process. It
// alone reads the secrets of shops and connections.
type invoker struct {
	shops      *shops
	store      store.Store
	plugins    *pluginhost.Host
	connectors map[string]Connector
	catalog    *catalog.Catalog
}

var _ engine.Invoker = (*invoker)(nil)

// Invoke implements engine.Invoker.
func (v *invoker) Invoke(ctx context.Context, inv engine.Invocation) engine.Result {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	shop, ok := v.shops.find(inv.Shop)
	if !ok {
		return permanent(fmt.Sprintf("the shop %s has been removed", inv.Shop))
	}
	plugin, action, _ := strings.Cut(inv.Action, "/")
	call := wire.Invocation{
		Action: action, Input: inv.Input, IdempotencyKey: inv.Key, Attempt: inv.Attempt, Shop: wireShop(shop),
		Flow: inv.Flow, Run: inv.RunID, Step: inv.Path, Event: inv.Event,
	}
	if plugin == catalog.Platform {
		return v.platformAction(ctx, shop, call)
	}
	return v.pluginAction(ctx, plugin, inv.Connection, call, inv.Outcome == flow.Unsafe)
}

func wireShop(s store.Shop) wire.Shop {
	return wire.Shop{Name: s.Name, Platform: s.Platform, Currency: s.Currency, Timezone: s.Timezone, URL: s.URL}
}

func permanent(reason string) engine.Result { return engine.Result{Error: reason, Permanent: true} }

func (v *invoker) platformAction(ctx context.Context, shop store.Shop, call wire.Invocation) engine.Result {
	connector, ok := v.connectors[shop.Platform]
	if !ok {
		return permanent("there is no connector for the platform " + shop.Platform)
	}
	config, err := platformConfig(ctx, connector.Actions(), shop)
	if err != nil {
		return permanent(err.Error())
	}
	call.Config = config
	r, err := connector.Actions().Invoke(ctx, call, nil)
	if err != nil {
		return engine.Result{Error: err.Error(), Unknown: true}
	}
	return resultOf(r)
}

// platformConfig gives a connector's actions, of what is known of the shop, the fields that they take.
func platformConfig(ctx context.Context, actions wire.Handler, shop store.Shop) (json.RawMessage, error) {
	known := map[string]string{"shop": shop.Name, "url": shop.URL, "api_url": shop.APIURL}
	for name, secret := range shop.Credentials {
		known[name] = secret.Reveal()
	}
	d, err := actions.Describe(ctx)
	if err != nil {
		return nil, err
	}
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(d.Config, &schema); err != nil {
		return nil, fmt.Errorf("the configuration schema of %s: %w", shop.Platform, err)
	}
	access := map[string]string{}
	for name, value := range known {
		if _, takes := schema.Properties[name]; takes && value != "" {
			access[name] = value
		}
	}
	return json.Marshal(access)
}

func (v *invoker) pluginAction(ctx context.Context, plugin, connection string, call wire.Invocation, unsafe bool) engine.Result {
	if result, done := v.configure(ctx, plugin, connection, &call); done {
		return result
	}
	shop := call.Shop.Name
	if output, ok, err := v.store.Applied(ctx, plugin, shop, call.IdempotencyKey); err != nil {
		return engine.Result{Error: "reading what is committed: " + err.Error(), Free: true, RetryAfter: time.Second}
	} else if ok {
		return engine.Result{Output: output}
	}
	data := v.store.PluginData(plugin, shop)
	for range maxConflicts {
		r, err := v.plugins.Invoke(ctx, plugin, call, data)
		if err != nil {
			return brokenResult(err)
		}
		if r.Failure != nil || len(r.Writes) == 0 {
			return resultOf(r)
		}
		output, err := v.store.ApplyOnce(ctx, plugin, shop, call.IdempotencyKey, r.Writes, r.Output)
		switch {
		case err == nil:
			return engine.Result{Output: output}
		case errors.Is(err, store.ErrTooLarge):
			return permanent(fmt.Sprintf("plugin %s wants to write more than it may: %v", plugin, err))
		case !errors.Is(err, store.ErrConflict):
			return engine.Result{Error: "it was carried out, and its data could not be committed: " + err.Error(), Unknown: true}
		case unsafe: // what it did outside of its data must not be done twice unasked
			return engine.Result{Error: "it was carried out, and its data had changed in the meantime", Unknown: true}
		}
	}
	return engine.Result{Error: fmt.Sprintf("the data of %s changed %d times in a row under this step", plugin, maxConflicts)}
}

// configure puts the connection's configuration into the call.
func (v *invoker) configure(ctx context.Context, plugin, connection string, call *wire.Invocation) (engine.Result, bool) {
	c, err := v.store.Connection(ctx, plugin, call.Shop.Name, connection)
	switch {
	case err == nil:
		call.Config = c.Config
		return engine.Result{}, false
	case !errors.Is(err, store.ErrNotFound):
		return engine.Result{Error: err.Error()}, true
	}
	d, _ := v.catalog.Plugin(plugin)
	if needed := requiredConfig(d); connection != "default" || len(needed) > 0 {
		hint := ""
		for _, name := range needed {
			hint += " " + name + "=…"
		}
		name := ""
		if connection != "default" {
			name = " --name " + connection
		}
		return permanent(fmt.Sprintf("%s has no connection %s for %s: set one with `shophand connection set %s --shop %s%s%s`",
			call.Shop.Name, connection, plugin, plugin, call.Shop.Name, name, hint)), true
	}
	call.Config = json.RawMessage("{}")
	return engine.Result{}, false
}

func requiredConfig(d wire.Description) []string {
	var schema struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal(d.Config, &schema) // an unreadable schema requires nothing here; the plugin itself refuses
	return schema.Required
}

// brokenResult says what it means that a plugin did not answer.
func brokenResult(err error) engine.Result {
	var notStarted *pluginhost.NotStarted
	if errors.As(err, &notStarted) {
		return engine.Result{Error: notStarted.Error(), Permanent: notStarted.Permanent, RetryAfter: notStarted.RetryAfter, Free: true}
	}
	return engine.Result{Error: err.Error(), Unknown: true}
}

func resultOf(r wire.Result) engine.Result {
	if f := r.Failure; f != nil {
		return engine.Result{Error: f.Message, Permanent: f.Permanent, RetryAfter: f.RetryAfter, Unknown: f.Unknown && !f.Permanent}
	}
	return engine.Result{Output: r.Output}
}
