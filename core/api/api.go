// Package api is the REST API under /api/v1: what the command line and the console do, any program can. Every
// request carries the admin token; answers and errors are JSON.
package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/core/catalog"
	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
	"github.com/shophand/shophand/sdk/wire"
)

// Platform is what the API needs of a connector.
type Platform interface {
	CheckShop(name, url string, credentials map[string]sdk.Secret) error
	Translate(event.Delivery) ([]event.Event, error)
}

// Plugins is what the API needs of the plugin processes.
type Plugins interface {
	Configure(ctx context.Context, plugin string, config json.RawMessage, shop wire.Shop) error
	Status() []pluginhost.Status
}

// Versions finds a version of a flow, compiled.
type Versions interface {
	Version(id, version string) (*flow.Flow, error)
}

// Config says what the API works on. All of it is needed.
type Config struct {
	Token      sdk.Secret
	Store      store.Store
	Engine     engine.Engine
	Compiler   *flow.Compiler
	Versions   Versions
	Catalog    *catalog.Catalog
	Plugins    Plugins
	Platforms  map[string]Platform
	WebhookURL func(store.Shop) string
	Version    string
	Now        func() time.Time
}

// maxBody is the largest request.
const maxBody = 8 << 20

// API answers requests.
type API struct{ Config }

// New returns the API's handler.
func New(c Config) http.Handler {
	a := &API{c}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.UseRawPath, r.UnescapePathValues = true, true
	r.NoRoute(a.authorize, func(c *gin.Context) { a.fail(c, http.StatusNotFound, "there is nothing at "+c.Request.URL.Path) })
	v1 := r.Group("/api/v1", a.authorize)
	v1.GET("/version", a.version)
	v1.GET("/shops", a.listShops)
	v1.POST("/shops", a.addShop)
	v1.GET("/shops/:name", a.showShop)
	v1.DELETE("/shops/:name", a.removeShop)
	v1.GET("/connections", a.listConnections)
	v1.PUT("/connections", a.setConnection)
	v1.DELETE("/connections", a.removeConnection)
	v1.GET("/flows", a.listFlows)
	v1.POST("/flows", a.applyFlow)
	v1.POST("/flows/validate", a.validateFlow)
	v1.GET("/flows/:id", a.showFlow)
	v1.DELETE("/flows/:id", a.deleteFlow)
	v1.POST("/flows/:id/enable", a.switchFlow(true))
	v1.POST("/flows/:id/disable", a.switchFlow(false))
	v1.POST("/flows/:id/run", a.runFlow)
	v1.GET("/runs", a.listRuns)
	v1.GET("/runs/:id", a.showRun)
	v1.GET("/events", a.listEvents)
	v1.GET("/events/:id", a.showEvent)
	v1.POST("/events/:id/replay", a.replayEvent)
	v1.GET("/plugins", a.listPlugins)
	return r
}

// authorize lets only the admin token through. Hashes are compared, so that the time that it takes tells
// nothing of the token, not even its length.
func (a *API) authorize(c *gin.Context) {
	given, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	want, got := sha256.Sum256([]byte(a.Token.Reveal())), sha256.Sum256([]byte(given))
	if a.Token == "" || !ok || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		c.Header("WWW-Authenticate", "Bearer")
		a.fail(c, http.StatusUnauthorized, "the admin token is missing or wrong")
		c.Abort()
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
}

func (a *API) fail(c *gin.Context, status int, message string) {
	c.PureJSON(status, gin.H{"error": gin.H{"message": message}})
}

// failWith answers an error with the status that it stands for.
func (a *API) failWith(c *gin.Context, err error) {
	status := http.StatusInternalServerError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, engine.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, store.ErrExists), errors.Is(err, engine.ErrNotReplayable):
		status = http.StatusConflict
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.As(err, new(*badRequest)):
		status = http.StatusBadRequest
	case errors.Is(err, engine.ErrClosed):
		status = http.StatusServiceUnavailable
	}
	a.fail(c, status, err.Error())
}

// badRequest is an error of whoever asks.
type badRequest struct{ error }

func refused(format string, args ...any) error { return &badRequest{fmt.Errorf(format, args...)} }

// read decodes the request's body, refusing fields that it does not know.
func read[T any](c *gin.Context) (T, error) {
	var in T
	d := json.NewDecoder(c.Request.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return in, err
		}
		return in, refused("the request's body: %w", err)
	}
	if d.More() {
		return in, refused("the request's body: there is more after its one JSON value")
	}
	return in, nil
}

func (a *API) version(c *gin.Context) { c.PureJSON(http.StatusOK, gin.H{"version": a.Version}) }
