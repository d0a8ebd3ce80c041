package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/core/engine"
)

func (a *API) listEvents(c *gin.Context) {
	since, n, ok := a.window(c)
	if !ok {
		return
	}
	eventType, err := a.eventType(c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	outcome, err := eventOutcome(c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	out, err := a.Engine.Events(c.Request.Context(), engine.EventQuery{
		Shop: c.Query("shop"), Type: eventType, Subject: c.Query("subject"), Flow: c.Query("flow"),
		Outcome: outcome, Since: since, Limit: n,
	})
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, out)
}

// eventOutcome reads the outcome of events that a list is narrowed to; to people it is their status.
func eventOutcome(c *gin.Context) (engine.Outcome, error) {
	known := []engine.Outcome{engine.Processed, engine.Duplicate, engine.Superseded, engine.Rejected}
	o := engine.Outcome(c.Query("status"))
	if o != "" && !slices.Contains(known, o) {
		return "", refused("there is no outcome %q of events; there are %s", o, joined(known))
	}
	return o, nil
}

func (a *API) showEvent(c *gin.Context) {
	out, err := a.Engine.Event(c.Request.Context(), c.Param("id"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, out)
}

// replayEvent starts the flows that listen to an event again. A rejected one is translated anew: whatever
// made it useless (an unknown shop, a translation that has learnt) may have changed.
func (a *API) replayEvent(c *gin.Context) {
	ctx := c.Request.Context()
	e, err := a.Engine.Event(ctx, c.Param("id"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	if e.Outcome != engine.Rejected {
		runs, err := a.Engine.Replay(ctx, e.ID)
		if err != nil {
			a.failWith(c, err)
			return
		}
		c.PureJSON(http.StatusOK, gin.H{"runs": nonNil(runs)})
		return
	}
	shop, err := a.Store.Shop(ctx, e.Shop)
	if err != nil {
		a.failWith(c, err)
		return
	}
	platform, ok := a.Platforms[shop.Platform]
	if !ok || e.Delivery == nil {
		a.failWith(c, refused("event %s has no delivery that could be read anew", e.ID))
		return
	}
	events, err := platform.Translate(*e.Delivery)
	if err != nil {
		a.failWith(c, refused("it still cannot be used: %w", err))
		return
	}
	runs, err := a.Engine.Understood(ctx, e.ID, events)
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, gin.H{"runs": nonNil(runs)})
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
