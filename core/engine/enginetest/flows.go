package enginetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/sdk/event"
)

// Flows implements engine.Flows with flows from texts, which every shop has.
type Flows struct {
	compiler *flow.Compiler

	mu       sync.Mutex
	live     []*flow.Flow
	versions map[string]*flow.Flow // by id, space, version
}

var _ engine.Flows = (*Flows)(nil)

// NewFlows returns flows that may use the actions of Actions.
func NewFlows(t testing.TB, sources ...string) *Flows {
	t.Helper()
	language, err := expr.New()
	if err != nil {
		t.Fatal(err)
	}
	f := &Flows{compiler: flow.NewCompiler(language, Actions()), versions: map[string]*flow.Flow{}}
	for _, source := range sources {
		f.Apply(t, source)
	}
	return f
}

// Apply compiles a flow and puts it in the place of the one with the same id.
func (f *Flows) Apply(t testing.TB, source string) *flow.Flow {
	t.Helper()
	compiled, findings := f.compiler.Compile([]byte(source))
	for _, finding := range findings {
		if !finding.Warning {
			t.Fatal(finding.Text("flow.yaml"))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(old *flow.Flow) bool { return old.ID == compiled.ID })
	f.live = append(f.live, compiled)
	f.versions[compiled.ID+" "+compiled.Version] = compiled
	return compiled
}

// Starting implements engine.Flows.
func (f *Flows) Starting(_, eventType string) []*flow.Flow {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*flow.Flow
	for _, live := range f.live {
		if live.Starts(eventType) {
			out = append(out, live)
		}
	}
	return out
}

// Version implements engine.Flows.
func (f *Flows) Version(id, version string) (*flow.Flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if compiled, ok := f.versions[id+" "+version]; ok {
		return compiled, nil
	}
	return nil, fmt.Errorf("flow %s has no version %s", id, version)
}

// Catalog is a flow.Catalog of a few actions.
type Catalog map[string]flow.Action

var _ flow.Catalog = Catalog(nil)

// Actions returns one action for each outcome policy, and one of the platform's own.
func Actions() Catalog {
	balance := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{"balance": {Type: "integer"}}}
	return Catalog{
		"loyalty/award":  {Outcome: flow.Keyed, Output: balance},
		"http/request":   {Outcome: flow.Idempotent},
		"labels/buy":     {Outcome: flow.Verify},
		"mail/send":      {Outcome: flow.Unsafe},
		"shop/tag_order": {Outcome: flow.Idempotent},
	}
}

// EventType implements flow.Catalog.
func (c Catalog) EventType(name string) (event.Type, bool) { return event.Find(name) }

// EventTypes implements flow.Catalog.
func (c Catalog) EventTypes() []string { return nil }

// Action implements flow.Catalog.
func (c Catalog) Action(name string) (flow.Action, bool) {
	a, ok := c[name]
	return a, ok
}

// Actions implements flow.Catalog.
func (c Catalog) Actions() []string { return nil }

// Shops implements engine.Shops: shops by name, with the platform "shopify" for those that end in
// "myshopify.com" and "woocommerce" for the others.
type Shops map[string]time.Time // since when each is connected

var _ engine.Shops = Shops(nil)

// Shop implements engine.Shops.
func (s Shops) Shop(name string) (engine.Shop, bool) {
	since, ok := s[name]
	return engine.Shop{Shop: expr.Shop{Name: name, Platform: platformOf(name), Currency: "EUR", Timezone: "Europe/Berlin"}, Since: since}, ok
}
