package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// pluginAnswer is a plugin with what its process does.
type pluginAnswer struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Summary  string   `json:"summary"`
	State    string   `json:"state"`
	PID      int      `json:"pid"`
	Restarts int      `json:"restarts"`
	Error    string   `json:"error"`
	Actions  []string `json:"actions"`
}

func (a *API) listPlugins(c *gin.Context) {
	out := []pluginAnswer{}
	for _, s := range a.Plugins.Status() {
		p := pluginAnswer{Name: s.Name, Version: s.Version, State: string(s.State), PID: s.PID, Restarts: s.Restarts, Error: s.LastError, Actions: []string{}}
		if d, ok := a.Catalog.Plugin(s.Name); ok {
			p.Version, p.Summary = d.Version, d.Summary
			for _, action := range d.Actions {
				p.Actions = append(p.Actions, action.Name)
			}
		}
		out = append(out, p)
	}
	c.PureJSON(http.StatusOK, out)
}
