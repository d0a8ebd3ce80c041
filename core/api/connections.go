package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// connectionBody is a connection as it is given, and shown with its secrets hidden.
type connectionBody struct {
	Plugin string          `json:"plugin"`
	Shop   string          `json:"shop"`
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config"`
}

func (a *API) listConnections(c *gin.Context) {
	list, err := a.Store.Connections(c.Request.Context(), c.Query("shop"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	out := []connectionBody{}
	for _, x := range list {
		d, _ := a.Catalog.Plugin(x.Plugin)
		out = append(out, connectionBody{x.Plugin, x.Shop, x.Name, hideSecrets(d.Config, x.Config)})
	}
	c.PureJSON(http.StatusOK, out)
}

// hideSecrets puts *** in the place of every value that the schema does not show to be open: a plugin that is
// gone, or a field that it no longer has, may have held a secret.
func hideSecrets(schema, config json.RawMessage) json.RawMessage {
	var known jsonschema.Schema
	if len(schema) > 0 && json.Unmarshal(schema, &known) != nil {
		known = jsonschema.Schema{}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(config, &fields) != nil {
		return json.RawMessage(`"***"`)
	}
	for name := range fields {
		if p := known.Properties[name]; p == nil || sdk.HoldsSecret(p) {
			fields[name] = json.RawMessage(`"***"`)
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage(`"***"`)
	}
	return out
}

func (a *API) setConnection(c *gin.Context) {
	in, err := read[connectionBody](c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	ctx := c.Request.Context()
	shop, err := a.Store.Shop(ctx, in.Shop)
	if err != nil {
		a.failWith(c, err)
		return
	}
	if _, ok := a.Catalog.Plugin(in.Plugin); !ok {
		a.failWith(c, refused("there is no plugin %q; `shophand plugin list` names them", in.Plugin))
		return
	}
	if in.Name == "" {
		in.Name = "default"
	}
	err = a.Plugins.Configure(ctx, in.Plugin, in.Config, wire.Shop{
		Name: shop.Name, Platform: shop.Platform, Currency: shop.Currency, Timezone: shop.Timezone, URL: shop.URL,
	})
	var failure *wire.Failure
	if errors.As(err, &failure) {
		a.failWith(c, refused("%s refuses this configuration: %s", in.Plugin, failure.Message))
		return
	}
	if err != nil {
		a.failWith(c, err)
		return
	}
	if err := a.Store.SetConnection(ctx, store.Connection(in)); err != nil {
		a.failWith(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

func (a *API) removeConnection(c *gin.Context) {
	if err := a.Store.RemoveConnection(c.Request.Context(), c.Query("plugin"), c.Query("shop"), c.Query("name")); err != nil {
		a.failWith(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}
