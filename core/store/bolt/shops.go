package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
)

// shopRecord is a shop as stored.
type shopRecord struct {
	Name     string    `json:"name"`
	Platform string    `json:"platform"`
	URL      string    `json:"url"`
	APIURL   string    `json:"api_url"`
	Currency string    `json:"currency"`
	Timezone string    `json:"timezone"`
	AddedAt  time.Time `json:"added_at"`
	Sealed   []byte    `json:"sealed"` // shopSecrets
}

// shopSecrets are a shop's secrets in the form that is sealed. They are plain strings, because a Secret
// does not marshal.
type shopSecrets struct {
	Credentials    map[string]string `json:"credentials"`
	WebhookSecrets []string          `json:"webhook_secrets"`
}

func shopContext(name string) []byte { return []byte("shop/" + name) }

// AddShop implements store.Store.
func (s *Store) AddShop(ctx context.Context, shop store.Shop) error {
	secrets := shopSecrets{Credentials: map[string]string{}}
	for name, v := range shop.Credentials {
		secrets.Credentials[name] = v.Reveal()
	}
	for _, v := range shop.WebhookSecrets {
		secrets.WebhookSecrets = append(secrets.WebhookSecrets, v.Reveal())
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	sealed, err := s.sealer.Seal(plain, shopContext(shop.Name))
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketShops)
		if b.Get([]byte(shop.Name)) != nil {
			return fmt.Errorf("shop %s: %w", shop.Name, store.ErrExists)
		}
		return put(b, []byte(shop.Name), shopRecord{
			Name: shop.Name, Platform: shop.Platform, URL: shop.URL, APIURL: shop.APIURL, Currency: shop.Currency,
			Timezone: shop.Timezone, AddedAt: shop.AddedAt.UTC(), Sealed: sealed,
		})
	})
}

// Shop implements store.Store.
func (s *Store) Shop(_ context.Context, name string) (out store.Shop, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketShops).Get([]byte(name))
		if raw == nil {
			return fmt.Errorf("shop %s: %w", name, store.ErrNotFound)
		}
		out, err = s.decodeShop(raw)
		return err
	})
	return out, err
}

// Shops implements store.Store.
func (s *Store) Shops(context.Context) ([]store.Shop, error) {
	var out []store.Shop
	err := s.read(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketShops).ForEach(func(_, raw []byte) error {
			shop, err := s.decodeShop(raw)
			out = append(out, shop)
			return err
		})
	})
	return out, err
}

func (s *Store) decodeShop(raw []byte) (store.Shop, error) {
	var r shopRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return store.Shop{}, fmt.Errorf("reading a shop: %w", err)
	}
	plain, err := s.sealer.Open(r.Sealed, shopContext(r.Name))
	if err != nil {
		return store.Shop{}, fmt.Errorf("the secrets of shop %s: %w", r.Name, err)
	}
	var secrets shopSecrets
	if err := json.Unmarshal(plain, &secrets); err != nil {
		return store.Shop{}, fmt.Errorf("the secrets of shop %s cannot be read", r.Name)
	}
	out := store.Shop{
		Name: r.Name, Platform: r.Platform, URL: r.URL, APIURL: r.APIURL, Currency: r.Currency, Timezone: r.Timezone,
		AddedAt: r.AddedAt, Credentials: map[string]sdk.Secret{},
	}
	for name, v := range secrets.Credentials {
		out.Credentials[name] = sdk.Secret(v)
	}
	for _, v := range secrets.WebhookSecrets {
		out.WebhookSecrets = append(out.WebhookSecrets, sdk.Secret(v))
	}
	return out, nil
}

// RemoveShop implements store.Store.
func (s *Store) RemoveShop(ctx context.Context, name string) error {
	return s.change(ctx, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketShops)
		if b.Get([]byte(name)) == nil {
			return fmt.Errorf("shop %s: %w", name, store.ErrNotFound)
		}
		if err := b.Delete([]byte(name)); err != nil {
			return err
		}
		return deletePrefix(tx.Bucket(bucketConnections), append([]byte(name), 0))
	})
}
