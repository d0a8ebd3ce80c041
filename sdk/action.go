package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/shophand/shophand/sdk/event"
	"github.com/shophand/shophand/sdk/wire"
)

// Request is what an action gets for one attempt.
type Request[C, In any] struct {
	Config C
	Input  In
	// IdempotencyKey is the same for every attempt of the step, also after a restart of the host.
	IdempotencyKey string
	// Attempt is 1 for the first.
	Attempt int
	Shop    wire.Shop
	Flow    string
	Run     string
	Step    string
	// Data is what the plugin keeps in the host for this shop.
	Data *Data
	Log  *slog.Logger

	event json.RawMessage
}

// Event returns the event that started the run. It is decoded at each call; an attempt that was not caused
// by an event (a test) has the zero event.
func (r Request[C, In]) Event() (event.Event, error) {
	var e event.Event
	if len(r.event) == 0 {
		return e, nil
	}
	if err := json.Unmarshal(r.event, &e); err != nil {
		return e, fmt.Errorf("decoding the event of run %s: %w", r.Run, err)
	}
	return e, nil
}

// Option says more about an action.
type Option func(*wire.Action)

// Idempotent declares that doing the action twice is the same as doing it once.
func Idempotent() Option { return func(a *wire.Action) { a.Outcome = wire.Idempotent } }

// Keyed declares that the vendor, or the plugin's data, recognises the idempotency key.
func Keyed() Option { return func(a *wire.Action) { a.Outcome = wire.Keyed } }

// Verifying declares that the action looks for what an earlier attempt did before it acts.
func Verifying() Option { return func(a *wire.Action) { a.Outcome = wire.Verify } }

// SendsMessage declares that the action sends a message to a person.
func SendsMessage() Option { return func(a *wire.Action) { a.Effect = wire.Message } }

// MovesMoney declares that the action costs or moves money, or what stands for it.
func MovesMoney() Option { return func(a *wire.Action) { a.Effect = wire.Money } }

// ChangesStock declares that the action changes stock.
func ChangesStock() Option { return func(a *wire.Action) { a.Effect = wire.Stock } }

// WithExample documents the action by an input and the output that it gives, both of the action's own types.
// It panics if they cannot be encoded.
func WithExample(title string, input, output any) Option {
	return func(a *wire.Action) {
		in, err := json.Marshal(input)
		if err != nil {
			panic(fmt.Sprintf("sdk: example %q: %v", title, err))
		}
		out, err := json.Marshal(output)
		if err != nil {
			panic(fmt.Sprintf("sdk: example %q: %v", title, err))
		}
		a.Examples = append(a.Examples, wire.Example{Title: title, Input: in, Output: out})
	}
}

// AddAction adds an action that flows call as plugin/name. It panics on a bad or doubled name, a type
// without schema, or an example that its schema refuses: mistakes of the author, shown at the first start.
func AddAction[C, In, Out any](p *Plugin[C], name, summary string, run func(context.Context, Request[C, In]) (Out, error), options ...Option) {
	fail := func(err error) { panic(fmt.Sprintf("sdk: action %s/%s: %v", p.info.Name, name, err)) }
	if !regexp.MustCompile(names).MatchString(name) {
		fail(fmt.Errorf("the name must be lower case letters, digits and _, starting with a letter"))
	}
	if _, ok := p.actions[name]; ok {
		fail(fmt.Errorf("added twice"))
	}
	input, err := newSchema[In]()
	if err != nil {
		fail(fmt.Errorf("its input has no schema: %w", err))
	}
	output, err := newSchema[Out]()
	if err != nil {
		fail(fmt.Errorf("its output has no schema: %w", err))
	}
	a := &action{Action: wire.Action{
		Name: name, Summary: summary, Input: input.document, Output: output.document,
		Outcome: wire.Unsafe, Effect: wire.NoEffect,
	}}
	for _, o := range options {
		o(&a.Action)
	}
	for _, e := range a.Examples {
		if _, err := input.decode(e.Input); err != nil {
			fail(fmt.Errorf("example %q: input: %w", e.Title, err))
		}
		if _, err := output.decode(e.Output); err != nil {
			fail(fmt.Errorf("example %q: output: %w", e.Title, err))
		}
	}
	a.run = func(ctx context.Context, c call) (json.RawMessage, error) {
		config, err := p.config.decode(c.config)
		if err != nil {
			return nil, &Failure{Code: wire.InvalidInput, Permanent: true, Message: "configuration of the connection: " + err.Error()}
		}
		in, err := input.decode(c.Input)
		if err != nil {
			return nil, &Failure{Code: wire.InvalidInput, Permanent: true, Message: "input: " + err.Error()}
		}
		out, err := run(ctx, Request[C, In]{
			Config: config, Input: in, IdempotencyKey: c.IdempotencyKey, Attempt: c.Attempt, Shop: c.Shop,
			Flow: c.Flow, Run: c.Run, Step: c.Step, Data: c.data, Log: c.log, event: c.Event,
		})
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(out)
		if err != nil {
			return nil, fmt.Errorf("encoding the output: %w", err)
		}
		return raw, nil
	}
	p.actions[name] = a
	p.order = append(p.order, name)
}
