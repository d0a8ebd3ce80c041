package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/run"
)

// maxLimit is the longest list.
const maxLimit = 10_000

func (a *API) limit(c *gin.Context) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, refused("limit must be a number from 1 to %d", maxLimit)
	}
	return n, nil
}

// since reads a time, or a duration back from now.
func (a *API) since(c *gin.Context) (time.Time, error) {
	text := c.Query("since")
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := flow.ParseDuration(text)
	if err != nil {
		return time.Time{}, refused("since must be a time (2026-11-27T09:00:00Z) or a duration (24h, 7d)")
	}
	return a.Now().Add(-d), nil
}

// eventType reads the type of events that a list is narrowed to.
func (a *API) eventType(c *gin.Context) (string, error) {
	name := c.Query("type")
	if _, known := a.Catalog.EventType(name); name != "" && name != manual && !known {
		return "", refused("there is no event type %q", name)
	}
	return name, nil
}

// runStatus reads the status of runs that a list is narrowed to.
func runStatus(c *gin.Context) (run.Status, error) {
	known := []run.Status{run.Running, run.Waiting, run.Parked, run.Succeeded, run.PartlyFailed, run.Failed, run.Cancelled, run.Stopped}
	s := run.Status(c.Query("status"))
	if s != "" && !slices.Contains(known, s) {
		return "", refused("there is no status %q of runs; there are %s", s, joined(known))
	}
	return s, nil
}

func joined[S ~string](list []S) string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

// window reads what all lists take: from when on, and how many. It answers the request where they are wrong.
func (a *API) window(c *gin.Context) (since time.Time, limit int, ok bool) {
	limit, err := a.limit(c)
	if err == nil {
		since, err = a.since(c)
	}
	if err != nil {
		a.failWith(c, err)
	}
	return since, limit, err == nil
}

func (a *API) listRuns(c *gin.Context) {
	since, n, ok := a.window(c)
	if !ok {
		return
	}
	eventType, err := a.eventType(c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	status, err := runStatus(c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	out, err := a.Engine.Runs(c.Request.Context(), engine.RunQuery{
		Shop: c.Query("shop"), Flow: c.Query("flow"), Type: eventType, EventID: c.Query("event"),
		Status: status, Since: since, Limit: n,
	})
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, out)
}

func (a *API) showRun(c *gin.Context) {
	out, err := a.Engine.Run(c.Request.Context(), c.Param("id"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, out)
}
