// Package woosim is a WooCommerce store in memory, as far as Shophand meets one: orders behind the REST API with
// its ways of authorisation, and webhooks signed and shaped as WooCommerce sends them. What it does was observed
// on WooCommerce 10.0.2 with WordPress 6.8.8.
package woosim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Config of a store. The zero value is a store that signs nothing and lets nobody in.
type Config struct {
	// URL is the store's address; "https://shop.example.com" where empty.
	URL string
	// Key and Secret are those of its REST API, with the permissions read and write.
	Key, Secret string
	// ReadOnly takes the permission to write from the key.
	ReadOnly bool
	// WebhookSecret signs deliveries.
	WebhookSecret string
	// WebhookID is the id of the first webhook, by default 15; each topic has a webhook of its own.
	WebhookID int64
	// FirstOrder is the id of the first order, by default 1001.
	FirstOrder int64
	// Zone is that of the dates without _gmt; UTC where nil.
	Zone *time.Location
	// Now tells the time; the real one where nil.
	Now func() time.Time
	// Client sends deliveries; one with WordPress's limit of 60 seconds where nil.
	Client *http.Client
}

// Store is a store. It is an http.Handler, and safe for concurrent use.
type Store struct {
	config Config

	mu       sync.Mutex
	orders   map[string]*storedOrder
	trash    map[string]*storedOrder
	next     int64 // id of the next order
	row      int64 // last id of lines and meta data
	webhooks []string
	nonces   map[string]int64 // Unix time by nonce
	calls    []Call
	answers  []Answer
}

// Call is a request that reached the REST API.
type Call struct {
	Method string
	Path   string
	Body   string
	Status int // of the answer
}

// Answer is one that stands in for the store's own: a failure.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	// After has the store do what it was asked before it answers so: a lost answer.
	After bool
}

// New returns a store without orders.
func New(c Config) *Store {
	if c.URL == "" {
		c.URL = "https://shop.example.com"
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if c.WebhookID == 0 {
		c.WebhookID = 15
	}
	if c.FirstOrder == 0 {
		c.FirstOrder = 1001
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 60 * time.Second}
	}
	client := *c.Client // WooCommerce follows no redirect of a delivery
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	return &Store{
		config: c, orders: map[string]*storedOrder{}, trash: map[string]*storedOrder{}, next: c.FirstOrder,
		nonces: map[string]int64{},
	}
}

// Add puts an order into the store and returns its id. Nothing is delivered, see [Store.Place].
func (s *Store) Add(o Order) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, err := s.make(o)
	if err != nil {
		return "", err
	}
	s.orders[made.id()] = made
	return made.id(), nil
}

// SetStatus gives an order another status, with the dates that WooCommerce then sets.
func (s *Store) SetStatus(id, status string) error {
	return s.change(id, func(o *storedOrder) error { s.setStatus(o, status); return nil })
}

// Refund gives an amount of an order back. What was paid back in full is refunded.
func (s *Store) Refund(id string, amount commerce.Decimal, reason string) error {
	return s.change(id, func(o *storedOrder) error { s.refund(o, amount, reason); return nil })
}

// SetMeta sets one key of an order's meta data, as a plugin of the store would.
func (s *Store) SetMeta(id, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.change(id, func(o *storedOrder) error { s.setMeta(o, key, raw); return nil })
}

func (s *Store) change(id string, f func(*storedOrder) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return fmt.Errorf("the store has no order %s", id)
	}
	return f(o)
}

// move takes an order from one place to the other, which changes it.
func (s *Store) move(id string, from, to map[string]*storedOrder) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := from[id]
	if !ok {
		return fmt.Errorf("the store has no such order %s", id)
	}
	delete(from, id)
	o.modified = s.config.Now().UTC().Truncate(time.Second)
	to[id] = o
	return nil
}

// Remove takes an order away for good, of which WooCommerce tells nothing.
func (s *Store) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, id)
}

// Payload returns what the REST API and the webhooks give of an order: for one that is gone, the error.
func (s *Store) Payload(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return failure(errInvalidID, http.StatusNotFound).body()
	}
	return encode(o.payload(s.config))
}

// Meta returns an order's meta data by key, text as it is and anything else as JSON.
func (s *Store) Meta(id string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	if o, ok := s.orders[id]; ok {
		for _, m := range o.MetaData {
			text := string(m.Value)
			_ = json.Unmarshal(m.Value, &text) // no text: stays JSON
			out[m.Key] = text
		}
	}
	return out
}

// Tags returns the tags that Shophand keeps in an order's meta data.
func (s *Store) Tags(id string) []string {
	var out []string
	for tag := range strings.SplitSeq(s.Meta(id)["_shophand_tags"], ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			out = append(out, tag)
		}
	}
	return out
}

// Calls returns the requests that reached the REST API, in order.
func (s *Store) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Answer has the next requests to the REST API answered by these, one each, instead of by the store.
func (s *Store) Answer(a ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, a...)
}

func (s *Store) nextRow() int64 {
	s.row++
	return s.row
}

func (o *storedOrder) id() string { return strconv.FormatInt(o.ID, 10) }
