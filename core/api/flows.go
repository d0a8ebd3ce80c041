package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk/event"
)

// manual is what a flow listens to that is only started by hand, and the type of its events.
const manual = "manual"

// flowAnswer is a flow as it is shown.
type flowAnswer struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Shop      string          `json:"shop"` // "" for all
	Version   string          `json:"version"`
	Enabled   bool            `json:"enabled"`
	On        []string        `json:"on"`
	AppliedAt time.Time       `json:"applied_at"`
	Source    string          `json:"source,omitempty"`
	Findings  []findingAnswer `json:"findings,omitempty"`
}

// findingAnswer is a finding with the line of text that people read.
type findingAnswer struct {
	flow.Finding
	File string `json:"file"`
	Text string `json:"text"`
}

// flowRequest is a flow to check or apply. File names it in findings.
type flowRequest struct {
	File   string `json:"file"`
	Source string `json:"source"`
	Shop   string `json:"shop"`
}

// compile checks the flow of a request and answers the request where it is wrong.
func (a *API) compile(c *gin.Context) (flowRequest, *flow.Flow, []findingAnswer, bool) {
	in, err := read[flowRequest](c)
	if err != nil {
		a.failWith(c, err)
		return in, nil, nil, false
	}
	if in.File == "" {
		in.File = "flow"
	}
	compiled, findings := a.Compiler.Compile([]byte(in.Source))
	answers := []findingAnswer{}
	for _, f := range findings {
		answers = append(answers, findingAnswer{f, in.File, f.Text(in.File)})
	}
	if findings.Wrong() {
		c.PureJSON(http.StatusUnprocessableEntity, gin.H{"error": gin.H{"message": in.File + " is refused", "findings": answers}})
		return in, nil, nil, false
	}
	return in, compiled, answers, true
}

func (a *API) validateFlow(c *gin.Context) {
	_, compiled, findings, ok := a.compile(c)
	if ok {
		c.PureJSON(http.StatusOK, flowAnswer{ID: compiled.ID, Name: compiled.Name, Version: compiled.Version, On: on(compiled), Findings: findings})
	}
}

func on(f *flow.Flow) []string {
	if len(f.On) == 0 {
		return []string{manual}
	}
	return f.On
}

func (a *API) applyFlow(c *gin.Context) {
	in, compiled, findings, ok := a.compile(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	if in.Shop != "" {
		if _, err := a.Store.Shop(ctx, in.Shop); err != nil {
			a.failWith(c, err)
			return
		}
	}
	applied, err := a.Store.ApplyFlow(ctx, store.Flow{
		ID: compiled.ID, Shop: in.Shop, Name: compiled.Name, Version: compiled.Version, Enabled: true,
		Source: []byte(in.Source), File: in.File, AppliedAt: a.Now().UTC(),
	})
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, flowAnswer{ID: applied.ID, Name: applied.Name, Shop: applied.Shop, Version: applied.Version,
		Enabled: applied.Enabled, On: on(compiled), AppliedAt: applied.AppliedAt, Findings: findings})
}

func (a *API) flowAnswer(f store.Flow) flowAnswer {
	out := flowAnswer{ID: f.ID, Name: f.Name, Shop: f.Shop, Version: f.Version, Enabled: f.Enabled, On: []string{}, AppliedAt: f.AppliedAt}
	if compiled, err := a.Versions.Version(f.ID, f.Version); err == nil {
		out.On = on(compiled)
	}
	return out
}

func (a *API) listFlows(c *gin.Context) {
	list, err := a.Store.Flows(c.Request.Context())
	if err != nil {
		a.failWith(c, err)
		return
	}
	out := []flowAnswer{}
	for _, f := range list {
		out = append(out, a.flowAnswer(f))
	}
	c.PureJSON(http.StatusOK, out)
}

func (a *API) showFlow(c *gin.Context) {
	f, err := a.Store.Flow(c.Request.Context(), c.Query("shop"), c.Param("id"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	out := a.flowAnswer(f)
	out.Source = string(f.Source)
	c.PureJSON(http.StatusOK, out)
}

func (a *API) deleteFlow(c *gin.Context) {
	if err := a.Store.DeleteFlow(c.Request.Context(), c.Query("shop"), c.Param("id")); err != nil {
		a.failWith(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

func (a *API) switchFlow(enabled bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := a.Store.SetFlowEnabled(c.Request.Context(), c.Query("shop"), c.Param("id"), enabled); err != nil {
			a.failWith(c, err)
			return
		}
		c.Status(http.StatusNoContent)
	}
}

// runFlow starts a flow by hand. The run gets the data of the newest event about the subject.
func (a *API) runFlow(c *gin.Context) {
	in, err := read[struct {
		Shop    string `json:"shop"`
		Subject string `json:"subject"`
	}](c)
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
	stored, err := a.Store.Flow(ctx, in.Shop, c.Param("id"))
	if err != nil {
		if stored, err = a.Store.Flow(ctx, "", c.Param("id")); err != nil {
			a.failWith(c, err)
			return
		}
	}
	compiled, err := a.Versions.Version(stored.ID, stored.Version)
	if err != nil {
		a.failWith(c, err)
		return
	}
	e, err := a.manualEvent(c, compiled, shop, in.Subject)
	if err != nil {
		a.failWith(c, err)
		return
	}
	id, reason, err := a.Engine.Start(ctx, compiled, e)
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, gin.H{"run": id, "reason": reason})
}

// manualEvent is the event of a run that is started by hand: of the type that the flow listens to, with what
// was last heard of the subject.
func (a *API) manualEvent(c *gin.Context, f *flow.Flow, shop store.Shop, subject string) (event.Event, error) {
	now := a.Now().UTC()
	e := event.Event{
		Source: shop.Platform + "/" + shop.Name, Type: manual, Subject: subject, Time: now, Shop: shop.Name,
		Platform: shop.Platform, Identity: event.Delivered(manual, f.ID+"/"+now.Format(time.RFC3339Nano)),
	}
	if len(f.On) > 0 {
		e.Type = f.On[0]
	}
	if subject == "" {
		if len(f.On) > 0 {
			return e, refused("the flow listens to %s and needs a resource: name one with --subject", strings.Join(f.On, ", "))
		}
		return e, nil
	}
	kind, _, _ := strings.Cut(e.Type, ".")
	known, err := a.Engine.Events(c.Request.Context(), engine.EventQuery{Shop: shop.Name, Subject: subject, Limit: 20})
	if err != nil {
		return e, err
	}
	for _, k := range known {
		if family, _, _ := strings.Cut(k.Type, "."); kind != manual && family != kind {
			continue
		}
		full, err := a.Engine.Event(c.Request.Context(), k.ID)
		if err != nil {
			return e, err
		}
		if full.Content != nil {
			e.Data, e.Raw, e.RawKind = full.Content.Data, full.Content.Raw, full.Content.RawKind
			return e, nil
		}
	}
	return e, fmt.Errorf("no event has told of %s %s of %s: %w", kind, subject, shop.Name, engine.ErrNotFound)
}
