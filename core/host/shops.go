package host

import (
	"context"
	"log/slog"
	"sync"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/core/ingest"
	"github.com/shophand/shophand/core/store"
)

// shops answers from memory which shops there are. It looks at the store again when that has changed.
type shops struct {
	store  store.Store
	logger *slog.Logger

	mu         sync.RWMutex
	generation uint64
	loaded     bool
	byName     map[string]store.Shop
}

func (s *shops) find(name string) (store.Shop, bool) {
	generation := s.store.Generation()
	s.mu.RLock()
	if s.loaded && s.generation == generation {
		defer s.mu.RUnlock()
		shop, ok := s.byName[name]
		return shop, ok
	}
	s.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := s.store.Shops(context.Background())
	if err != nil { // the shops that were known stay; a key that is wrong is found at the start
		s.logger.Error("reading the shops", "error", err)
	} else {
		s.byName = map[string]store.Shop{}
		for _, shop := range list {
			s.byName[shop.Name] = shop
		}
		s.generation, s.loaded = generation, true
	}
	shop, ok := s.byName[name]
	return shop, ok
}

// intakeShops and engineShops show the shops as the intake and the engine need them.
type (
	intakeShops struct{ *shops }
	engineShops struct{ *shops }
)

var (
	_ ingest.Shops = intakeShops{}
	_ engine.Shops = engineShops{}
)

// Shop implements ingest.Shops.
func (s intakeShops) Shop(name string) (ingest.Shop, bool) {
	shop, ok := s.find(name)
	return ingest.Shop{Name: shop.Name, Platform: shop.Platform, WebhookSecrets: shop.WebhookSecrets}, ok
}

// Shop implements engine.Shops.
func (s engineShops) Shop(name string) (engine.Shop, bool) {
	shop, ok := s.find(name)
	return engine.Shop{
		Shop:  expr.Shop{Name: shop.Name, Platform: shop.Platform, Currency: shop.Currency, Timezone: shop.Timezone, URL: shop.URL},
		Since: shop.AddedAt,
	}, ok
}
