// Package catalog knows which types of events and which actions exist, with their schemas. It is built when
// the host starts and does not change.
package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/event"
	"github.com/shophand/shophand/sdk/wire"
)

// Platform is the name before the slash of the platform's own actions.
const Platform = "shop"

// Catalog implements flow.Catalog. It is safe for concurrent use.
type Catalog struct {
	types   map[string]event.Type
	actions map[string]flow.Action
	plugins map[string]wire.Description
}

var _ flow.Catalog = (*Catalog)(nil)

// New returns the catalogue of what the plugins, and the connectors' platform actions, say of themselves.
// Several connectors offer the same platform actions; they must agree on them.
func New(plugins, platforms []wire.Description) (*Catalog, error) {
	c := &Catalog{types: map[string]event.Type{}, actions: map[string]flow.Action{}, plugins: map[string]wire.Description{}}
	for _, t := range event.Types() {
		c.types[t.Name] = t
	}
	for _, d := range platforms {
		if err := c.add(Platform, d, true); err != nil {
			return nil, err
		}
	}
	for _, d := range plugins {
		if d.Name == Platform {
			return nil, fmt.Errorf("a plugin is named %s, as the platform's own actions are: give it another name", d.Name)
		}
		if _, double := c.plugins[d.Name]; double {
			return nil, fmt.Errorf("two plugins are named %s: remove one of them", d.Name)
		}
		c.plugins[d.Name] = d
		if err := c.add(d.Name, d, false); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Catalog) add(prefix string, d wire.Description, shared bool) error {
	for _, a := range d.Actions {
		name := prefix + "/" + a.Name
		action := flow.Action{Outcome: flow.Outcome(a.Outcome), Causes: causes(name)}
		var err error
		if action.Input, err = schema(a.Input); err != nil {
			return fmt.Errorf("the input schema of %s: %w", name, err)
		}
		if action.Output, err = schema(a.Output); err != nil {
			return fmt.Errorf("the output schema of %s: %w", name, err)
		}
		if known, double := c.actions[name]; double && !shared {
			return fmt.Errorf("the action %s is offered twice", name)
		} else if double && !agree(known, action) {
			return fmt.Errorf("the platforms do not agree on what %s takes and gives: a flow with it could not be checked", name)
		}
		c.actions[name] = action
	}
	return nil
}

// agree tells whether two platforms mean the same by an action.
func agree(a, b flow.Action) bool {
	x, err := json.Marshal([]any{a.Outcome, a.Input, a.Output})
	y, err2 := json.Marshal([]any{b.Outcome, b.Input, b.Output})
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// causes names the events that a platform action leads to.
func causes(action string) []string {
	if action == Platform+"/tag_order" {
		return []string{"order.updated"}
	}
	return nil
}

func schema(raw json.RawMessage) (*jsonschema.Schema, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	s := &jsonschema.Schema{}
	return s, json.Unmarshal(raw, s)
}

// EventType implements flow.Catalog.
func (c *Catalog) EventType(name string) (event.Type, bool) {
	if t, ok := c.types[name]; ok {
		return t, true
	}
	return event.Find(name)
}

// EventTypes implements flow.Catalog.
func (c *Catalog) EventTypes() []string { return sortedKeys(c.types) }

// Action implements flow.Catalog.
func (c *Catalog) Action(name string) (flow.Action, bool) {
	a, ok := c.actions[name]
	return a, ok
}

// Actions implements flow.Catalog.
func (c *Catalog) Actions() []string { return sortedKeys(c.actions) }

// Plugin returns what a plugin says of itself.
func (c *Catalog) Plugin(name string) (wire.Description, bool) {
	d, ok := c.plugins[name]
	return d, ok
}

// Plugins returns what every plugin says of itself, by name.
func (c *Catalog) Plugins() []wire.Description {
	var out []wire.Description
	for _, name := range sortedKeys(c.plugins) {
		out = append(out, c.plugins[name])
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
