// Package shopifysim simulates one Shopify shop, for the demo and for tests: it answers the Admin API, keeps
// orders, and delivers signed webhooks.
//
// Of the Admin API it knows the operations that the connector uses, and answers them as the published contract
// says: documents are parsed and validated, calls without the token are refused, each call costs points from a
// bucket that refills. What it does not know it refuses as Shopify does.
package shopifysim

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Config of a simulated shop.
type Config struct {
	Shop   string // name.myshopify.com
	Token  string // that calls of the Admin API must carry
	Secret string // that webhooks are signed with
	// APIVersion is the one version of the Admin API that there is; "" means 2026-10.
	APIVersion string
	// Currency of the shop; "" means EUR.
	Currency string
	// Now tells the time; nil means the clock. It and NewID must be safe for concurrent use.
	Now func() time.Time
	// NewID makes ids of webhooks and events; nil means random UUIDs.
	NewID func() string
	// HTTP delivers webhooks; nil means a client that waits as long as Shopify does, 5 seconds.
	HTTP *http.Client
	// Points and PointsPerSecond are the size of the bucket and what flows into it; 0 means those of the
	// standard plan.
	Points, PointsPerSecond float64
}

// Sim is a simulated shop. It is an [http.Handler], and safe for concurrent use.
type Sim struct {
	config Config
	schema *ast.Schema

	mu         sync.Mutex
	bucket     bucket
	orders     map[int64]*storedOrder
	lastID     int64
	calls      []Call
	deliveries []Delivery
	throttled  int // calls still to be throttled
	broken     []int
}

// Call is one call of the Admin API.
type Call struct {
	At        time.Time
	Path      string
	Operation string // its name
	Query     string
	Variables map[string]any
	Status    int
	Throttled bool
}

// New returns a shop without orders. It fails if the configuration lacks the shop, the token or the secret.
func New(c Config) (*Sim, error) {
	if c.Shop == "" || c.Token == "" || c.Secret == "" {
		return nil, fmt.Errorf("a simulated shop needs a name, a token and a secret")
	}
	if c.APIVersion == "" {
		c.APIVersion = "2026-10"
	}
	if c.Currency == "" {
		c.Currency = "EUR"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = newUUID
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 5 * time.Second}
	}
	if c.Points == 0 {
		c.Points = 2000
	}
	if c.PointsPerSecond == 0 {
		c.PointsPerSecond = 100
	}
	schema, err := loadSchema()
	if err != nil {
		return nil, err
	}
	return &Sim{
		config: c, schema: schema, orders: map[int64]*storedOrder{}, lastID: 6_100_000_000_000,
		bucket: bucket{size: c.Points, rate: c.PointsPerSecond, level: c.Points, at: c.Now()},
	}, nil
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Calls returns all calls of the Admin API so far, refused ones too, in the order in which they were answered.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Throttle has the next n calls answered as if the bucket were empty.
func (s *Sim) Throttle(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttled = n
}

// Break has the next calls answered with these HTTP statuses, one each, as when Shopify has a problem.
func (s *Sim) Break(statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, statuses...)
}

// Tags returns the tags of an order, nil if there is no such order.
func (s *Sim) Tags(order int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[order]
	if !ok {
		return nil
	}
	return append([]string{}, o.Tags...)
}

// post sends a request and discards the answer's body.
func (s *Sim) post(ctx context.Context, url string, d Delivery) (int, error) {
	req, err := newRequest(ctx, url, d)
	if err != nil {
		return 0, err
	}
	resp, err := s.config.HTTP.Do(req)
	if err != nil {
		return 0, fmt.Errorf("delivering %s: %w", d.Topic, err)
	}
	return resp.StatusCode, resp.Body.Close()
}
