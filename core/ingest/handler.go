package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/event"
)

const (
	// maxBody is the largest body that is taken where Config does not say.
	maxBody = 5 << 20
	// maxRequests is how many requests are handled at once where Config does not say.
	maxRequests = 4096
	// maxLarge bounds the memory of all bodies beyond their first 64 KiB. Nobody has shown yet that he may send
	// while his body is read, so it must not cost much; and who uses it up holds up large bodies only.
	maxLarge = 256 << 20
	// retryAfter is what a refused sender is told to wait.
	retryAfter = 30 * time.Second
	// complainEvery is how often a standing trouble is logged.
	complainEvery = 10 * time.Second
)

// Config of a Handler. What may be absent says so.
type Config struct {
	Log         Log
	Shops       Shops
	Shopify     ShopifyConnector
	WooCommerce WooCommerceConnector
	// AppSecrets are those of the Shopify app; they check the webhooks of shops that have none of their own.
	AppSecrets []sdk.Secret
	// Reconcile is told of shops of which a delivery was refused that the platform may not send again. It is
	// called with every one of them and must return at once. It may be nil.
	Reconcile func(shop, reason string)
	// Unverified is told of each webhook of a known shop whose signature is not right: most often its secret was
	// set up wrong. It must return at once. It may be nil.
	Unverified func(shop string, err error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// MaxBody is the largest body in bytes; 0 means 5 MiB.
	MaxBody int64
	// MaxRequests bounds the requests that are handled at once; 0 means 4096.
	MaxRequests int64
	// Logger is told of trouble with the log, never of a delivery's content; nil means none.
	Logger *slog.Logger
}

// Handler answers the platforms' webhooks. It is safe for concurrent use. The server in front of it bounds how
// long a request may take to come in.
type Handler struct {
	cfg                  Config
	shopify, woocommerce counters
	running              atomic.Int64
	large                atomic.Int64 // bytes of the bodies that are held, beyond their first 64 KiB
	complained           atomic.Int64 // when trouble was last logged, in Unix seconds
}

// NewHandler returns a handler.
func NewHandler(cfg Config) *Handler {
	if cfg.Reconcile == nil {
		cfg.Reconcile = func(string, string) {}
	}
	if cfg.Unverified == nil {
		cfg.Unverified = func(string, error) {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = maxBody
	}
	if cfg.MaxRequests <= 0 {
		cfg.MaxRequests = maxRequests
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{cfg: cfg}
}

// ServeShopify answers a webhook of Shopify, whose headers name the shop.
func (h *Handler) ServeShopify(w http.ResponseWriter, r *http.Request) {
	in := &request{h: h, w: w, r: r, connector: h.cfg.Shopify, counts: &h.shopify}
	if !in.begin() {
		return
	}
	defer in.end()
	name, err := h.cfg.Shopify.ShopName(r.Header)
	if err != nil {
		in.unauthorized(err)
		return
	}
	in.name, in.secrets = name, h.cfg.AppSecrets
	shop, known := h.cfg.Shops.Shop(name)
	in.known = known && shop.Platform == h.cfg.Shopify.Platform()
	if own := nonEmpty(shop.WebhookSecrets); in.known && len(own) > 0 {
		in.secrets = own
	}
	// A shop that we don't know is taken in all the same: the signature shows that the app is installed there.
	// The pump rejects what it sends, and it can be replayed when the shop was added.
	if in.take() && !in.known {
		in.counts.unknownShop.Add(1)
	}
}

// ServeWooCommerce answers a webhook of the WooCommerce shop that the path names.
func (h *Handler) ServeWooCommerce(w http.ResponseWriter, r *http.Request, shop string) {
	in := &request{h: h, w: w, r: r, connector: h.cfg.WooCommerce, counts: &h.woocommerce, name: shop, sentOnce: true}
	found, known := h.cfg.Shops.Shop(shop)
	in.known = known && found.Platform == h.cfg.WooCommerce.Platform()
	if !in.begin() {
		return
	}
	defer in.end()
	if !in.known {
		in.counts.unknownShop.Add(1)
		answer(w, http.StatusNotFound, "there is no shop of that name here")
		return
	}
	in.secrets, in.isPing = found.WebhookSecrets, h.cfg.WooCommerce.IsPing
	in.take()
}

// request is one webhook request while it is handled.
type request struct {
	h         *Handler
	w         http.ResponseWriter
	r         *http.Request
	connector Connector
	counts    *counters
	name      string // of the shop
	known     bool   // the shop is one of ours, on this platform
	sentOnce  bool   // the platform never sends again what was refused
	secrets   []sdk.Secret
	isPing    func(http.Header, []byte) bool // nil where the platform has none
	large     int64                          // this one's part of Handler.large
}

// begin answers what needs no look at the request's content, and tells whether to go on.
func (q *request) begin() bool {
	if q.r.Method != http.MethodPost {
		q.w.Header().Set("Allow", http.MethodPost)
		answer(q.w, http.StatusMethodNotAllowed, "webhooks are sent by POST")
		return false
	}
	if q.h.running.Add(1) > q.h.cfg.MaxRequests {
		q.h.running.Add(-1)
		q.overloaded("too many requests at once")
		return false
	}
	return true
}

func (q *request) end() {
	q.h.large.Add(-q.large)
	q.h.running.Add(-1)
}

// grow takes memory for a large body, if there is some.
func (q *request) grow(n int64) bool {
	if q.h.large.Add(n) > maxLarge {
		q.h.large.Add(-n)
		return false
	}
	q.large += n
	return true
}

// take reads, verifies and keeps the delivery, and answers. It tells whether it was kept.
func (q *request) take() bool {
	body, err := readBody(q.r, q.h.cfg.MaxBody, q.grow)
	switch {
	case errors.Is(err, errTooLarge):
		q.tooLarge()
		return false
	case errors.Is(err, errNoMemory):
		q.overloaded(err.Error())
		return false
	case err != nil:
		q.counts.incomplete.Add(1)
		answer(q.w, http.StatusBadRequest, "the body ended early")
		return false
	}
	if q.isPing != nil && q.isPing(q.r.Header, body) {
		q.counts.ping.Add(1)
		answer(q.w, http.StatusOK, "ready for webhooks")
		return false
	}
	if err := q.verify(body); err != nil {
		q.unauthorized(err)
		return false
	}
	// It is kept even where the sender has given up meanwhile: he may not send it again.
	err = q.h.cfg.Log.Append(context.WithoutCancel(q.r.Context()), event.Delivery{
		Platform:   q.connector.Platform(),
		Shop:       q.name,
		Header:     q.connector.KeepHeaders(q.r.Header),
		Body:       body,
		ReceivedAt: q.h.cfg.Now().UTC(),
	})
	if err != nil {
		q.refused(err)
		return false
	}
	q.counts.accepted.Add(1)
	answer(q.w, http.StatusOK, "accepted")
	return true
}

// verify lets no empty secret get as far as a connector.
func (q *request) verify(body []byte) error {
	secrets := nonEmpty(q.secrets)
	if len(secrets) == 0 {
		return errors.New("no secret is configured to check the signature with")
	}
	return q.connector.Verify(q.r.Header, body, secrets)
}

func (q *request) unauthorized(err error) {
	q.counts.unauthorized.Add(1)
	if q.known {
		q.h.cfg.Unverified(q.name, err)
	}
	answer(q.w, http.StatusUnauthorized, err.Error())
}

func (q *request) tooLarge() {
	q.counts.tooLarge.Add(1)
	if q.known {
		q.h.cfg.Reconcile(q.name, "a webhook was too large")
	}
	drain(q.r, q.h.cfg.MaxBody)
	answer(q.w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", q.h.cfg.MaxBody))
}

// refused answers where the log did not take a delivery whose signature is right.
func (q *request) refused(err error) {
	switch {
	case errors.Is(err, ErrClosed):
		q.overloaded("shutting down")
	case errors.Is(err, ErrFull):
		q.overloaded(ErrFull.Error())
	default:
		q.overloaded("the delivery could not be stored")
	}
	if !errors.Is(err, ErrClosed) {
		q.h.complain("a webhook was refused", "shop", q.name, "platform", q.connector.Platform(), "error", err)
	}
}

func (q *request) overloaded(why string) {
	q.counts.overloaded.Add(1)
	if q.sentOnce && q.known {
		q.h.cfg.Reconcile(q.name, "a webhook was refused: "+why)
	}
	q.w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	answer(q.w, http.StatusServiceUnavailable, why)
}

// complain logs an error, but not more often than complainEvery: trouble with the log meets every request.
func (h *Handler) complain(msg string, args ...any) {
	now, last := h.cfg.Now().Unix(), h.complained.Load()
	if now-last >= int64(complainEvery/time.Second) && h.complained.CompareAndSwap(last, now) {
		h.cfg.Logger.Error(msg, args...)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(text), '\n'))
}

func nonEmpty(secrets []sdk.Secret) []sdk.Secret {
	for i, s := range secrets {
		if s != "" {
			continue
		}
		out := append([]sdk.Secret{}, secrets[:i]...) // rare: the common case shares the slice
		for _, s := range secrets[i:] {
			if s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	return secrets
}
