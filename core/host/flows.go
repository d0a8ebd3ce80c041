package host

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/flow"
	"github.com/shophand/shophand/core/store"
)

// flows keeps compiled flows: those that are at work, by shop and type of event, and every version that a run
// has asked for. A version never changes, so it is compiled once.
type flows struct {
	store    store.Store
	compiler *flow.Compiler
	logger   *slog.Logger

	mu         sync.RWMutex
	generation uint64
	loaded     bool
	starting   map[string]map[string][]*flow.Flow // shop ("" for all) -> type of event -> flows
	own        map[string]map[string]bool         // shop -> ids of its own flows, enabled or not
	versions   map[string]*flow.Flow              // by id \0 version
}

var _ engine.Flows = (*flows)(nil)

func newFlows(s store.Store, c *flow.Compiler, l *slog.Logger) *flows {
	return &flows{store: s, compiler: c, logger: l, versions: map[string]*flow.Flow{}}
}

// Starting implements engine.Flows. A flow of a shop's own, enabled or not, takes the place of one for all shops
// with the same id.
func (f *flows) Starting(shop, eventType string) []*flow.Flow {
	f.mu.RLock()
	if !f.loaded || f.generation != f.store.Generation() {
		f.mu.RUnlock()
		f.load()
		f.mu.RLock()
	}
	defer f.mu.RUnlock()
	own, all := f.starting[shop][eventType], f.starting[""][eventType]
	if len(f.own[shop]) == 0 {
		return all
	}
	out := append([]*flow.Flow(nil), own...)
	for _, candidate := range all {
		if !f.own[shop][candidate.ID] {
			out = append(out, candidate)
		}
	}
	return out
}

func (f *flows) load() {
	f.mu.Lock()
	defer f.mu.Unlock()
	generation := f.store.Generation()
	if f.loaded && f.generation == generation {
		return
	}
	list, err := f.store.Flows(context.Background())
	if err != nil {
		f.logger.Error("reading the flows", "error", err)
		return
	}
	starting, own := map[string]map[string][]*flow.Flow{}, map[string]map[string]bool{}
	for _, stored := range list {
		if stored.Shop != "" {
			if own[stored.Shop] == nil {
				own[stored.Shop] = map[string]bool{}
			}
			own[stored.Shop][stored.ID] = true
		}
		if !stored.Enabled {
			continue
		}
		compiled, err := f.compile(stored.ID, stored.Version, stored.Source)
		if err != nil {
			f.logger.Error("a flow does not compile any more and starts nothing", "flow", stored.ID, "error", err)
			continue
		}
		byType := starting[stored.Shop]
		if byType == nil {
			byType = map[string][]*flow.Flow{}
			starting[stored.Shop] = byType
		}
		for _, t := range compiled.On {
			byType[t] = append(byType[t], compiled)
		}
	}
	f.starting, f.own, f.generation, f.loaded = starting, own, generation, true
}

// compile returns a version from memory, or compiles it. The lock is held.
func (f *flows) compile(id, version string, source []byte) (*flow.Flow, error) {
	key := id + "\x00" + version
	if known := f.versions[key]; known != nil {
		return known, nil
	}
	compiled, findings := f.compiler.Compile(source)
	if compiled == nil {
		return nil, fmt.Errorf("version %s of flow %s cannot be read: %s", version, id, findings[0].Text(id))
	}
	for _, finding := range findings {
		if !finding.Warning {
			f.logger.Warn("a stored flow has a finding now; runs that come to it fail there", "flow", id, "version", version, "finding", finding.Text(id))
		}
	}
	// The version under which it was stored counts, should a later Shophand hash contents in another way.
	compiled.Version = version
	f.versions[key] = compiled
	return compiled, nil
}

// Version implements engine.Flows.
func (f *flows) Version(id, version string) (*flow.Flow, error) {
	f.mu.RLock()
	known := f.versions[id+"\x00"+version]
	f.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	source, err := f.store.FlowVersion(context.Background(), id, version)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.compile(id, version, source)
}
