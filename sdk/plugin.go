package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime/debug"

	"github.com/shophand/shophand/sdk/wire"
)

// Info is who a plugin is. Name is what flows write before the slash: lower case letters, digits and "_".
type Info struct {
	Name    string
	Version string // semantic version; shown, never compared
	Summary string // one sentence
}

// Plugin is a plugin whose connections are configured by a C. Build it with New and AddAction, then Serve.
// Once it serves it must not change; all that it serves is safe for concurrent use.
type Plugin[C any] struct {
	info        Info
	config      *schema[C]
	onConfigure func(context.Context, C) error
	actions     map[string]*action
	order       []string
	log         *slog.Logger
}

// action is one action with its types erased.
type action struct {
	wire.Action
	run func(context.Context, call) (json.RawMessage, error)
}

// call is what an action with its types erased gets.
type call struct {
	config json.RawMessage
	wire.Invocation
	data *Data
	log  *slog.Logger
}

// names is the form of plugin and action names.
const names = `^[a-z][a-z0-9_]{0,39}$`

// New returns a plugin without actions. It panics if the name is not of the right form or C has no schema: a
// mistake of the author, shown at the first start.
func New[C any](info Info) *Plugin[C] {
	if !regexp.MustCompile(names).MatchString(info.Name) {
		panic(fmt.Sprintf("sdk: plugin name %q must be lower case letters, digits and _, starting with a letter", info.Name))
	}
	config, err := newSchema[C]()
	if err != nil {
		panic(fmt.Sprintf("sdk: plugin %s: its configuration has no schema: %v", info.Name, err))
	}
	return &Plugin[C]{info: info, config: config, actions: map[string]*action{}, log: newLogger(os.Stderr, info.Name)}
}

// OnConfigure has f check a configuration before the host stores it; its error is shown to the person who
// typed it. Without it, only the schema is checked.
func (p *Plugin[C]) OnConfigure(f func(context.Context, C) error) { p.onConfigure = f }

// SetLogger has the plugin log to l instead of to the host.
func (p *Plugin[C]) SetLogger(l *slog.Logger) { p.log = l }

var _ wire.Handler = (*Plugin[struct{}])(nil)

// Describe implements [wire.Handler].
func (p *Plugin[C]) Describe(context.Context) (wire.Description, error) { return p.Description(), nil }

// Description returns what the plugin says of itself, actions in the order in which they were added.
func (p *Plugin[C]) Description() wire.Description {
	d := wire.Description{Name: p.info.Name, Version: p.info.Version, Summary: p.info.Summary, Config: p.config.document}
	for _, name := range p.order {
		d.Actions = append(d.Actions, p.actions[name].Action)
	}
	return d
}

// Configure implements [wire.Handler].
func (p *Plugin[C]) Configure(ctx context.Context, config json.RawMessage, _ wire.Shop) error {
	c, err := p.config.decode(config)
	if err != nil {
		return &Failure{Code: wire.InvalidInput, Message: err.Error(), Permanent: true}
	}
	if p.onConfigure == nil {
		return nil
	}
	if err := p.onConfigure(ctx, c); err != nil {
		return failureOf(err)
	}
	return nil
}

// Invoke implements [wire.Handler]. A panic of the action is a failure of the attempt, with its stack in the
// log; one in a goroutine that the action started ends the process.
func (p *Plugin[C]) Invoke(ctx context.Context, inv wire.Invocation, data wire.Data) (result wire.Result, err error) {
	log := p.log.With("run", inv.Run, "step", inv.Step, "attempt", inv.Attempt, "shop", inv.Shop.Name)
	defer func() {
		if cause := recover(); cause != nil {
			log.Error("action panicked", "action", inv.Action, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			result = wire.Result{Failure: &Failure{Code: wire.Internal, Message: fmt.Sprintf("%s/%s panicked: %v", p.info.Name, inv.Action, cause)}}
		}
	}()
	a, ok := p.actions[inv.Action]
	if !ok {
		return wire.Result{Failure: &Failure{Code: wire.NotFound, Permanent: true,
			Message: fmt.Sprintf("plugin %s %s has no action %q", p.info.Name, p.info.Version, inv.Action)}}, nil
	}
	staged := &Data{reader: data}
	output, err := a.run(ctx, call{config: inv.Config, Invocation: inv, data: staged, log: log})
	if err != nil {
		return wire.Result{Failure: failureOf(err)}, nil
	}
	if len(output) > wire.MaxOutput {
		return wire.Result{Failure: &Failure{Code: wire.Internal, Permanent: true,
			Message: fmt.Sprintf("%s/%s returned %d bytes; an output may have %d", p.info.Name, inv.Action, len(output), wire.MaxOutput)}}, nil
	}
	return wire.Result{Output: output, Writes: staged.writes}, nil
}

// errNoData is what a read of data gives where the host keeps none, as for the platform's own actions.
var errNoData = errors.New("there is no plugin data here")
