package shopifysim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Delivery is a webhook as it was, or will be, sent.
type Delivery struct {
	Topic  string
	Header http.Header
	Body   []byte
}

// Delivery makes a webhook, signed, with new ids. Shopify's headers are those of
// https://shopify.dev/docs/apps/build/webhooks/delivery-structure.
func (s *Sim) Delivery(topic string, body []byte) Delivery {
	now := s.config.Now().UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	h := http.Header{}
	for name, value := range map[string]string{
		"Content-Type":           "application/json",
		"User-Agent":             "Shopify-Captain-Hook",
		"Accept":                 "*/*",
		"X-Shopify-Topic":        topic,
		"X-Shopify-Shop-Domain":  s.config.Shop,
		"X-Shopify-Api-Version":  s.config.APIVersion,
		"X-Shopify-Webhook-Id":   s.config.NewID(),
		"X-Shopify-Event-Id":     s.config.NewID(),
		"X-Shopify-Triggered-At": now,
		"X-Shopify-Hmac-Sha256":  Sign(body, s.config.Secret),
	} {
		h.Set(name, value)
	}
	return Delivery{Topic: topic, Header: h, Body: body}
}

// Sign returns the signature that Shopify sends with a body: its HMAC-SHA256 in base64.
func Sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Deliver delivers a new webhook once, without Shopify's retries, and returns the HTTP status of the answer.
func (s *Sim) Deliver(ctx context.Context, url, topic string, body []byte) (int, error) {
	return s.Redeliver(ctx, url, s.Delivery(topic, body))
}

// Redeliver delivers a webhook as it is: the same body, ids and signature, as Shopify's retries do.
func (s *Sim) Redeliver(ctx context.Context, url string, d Delivery) (int, error) {
	s.mu.Lock()
	s.deliveries = append(s.deliveries, d)
	s.mu.Unlock()
	return s.post(ctx, url, d)
}

// Duplicate is the same event as another subscription of the app gets it: another delivery, the same event.
func (s *Sim) Duplicate(d Delivery) Delivery {
	d.Header = d.Header.Clone()
	d.Header.Set("X-Shopify-Webhook-Id", s.config.NewID())
	return d
}

// Forge delivers a webhook that somebody signed who does not know the secret.
func (s *Sim) Forge(ctx context.Context, url, topic string, body []byte) (int, error) {
	d := s.Delivery(topic, body)
	d.Header.Set("X-Shopify-Hmac-Sha256", Sign(body, "not "+s.config.Secret))
	return s.Redeliver(ctx, url, d)
}

// Deliveries returns all webhooks that were sent so far, whatever the answer.
func (s *Sim) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

func newRequest(ctx context.Context, url string, d Delivery) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		return nil, fmt.Errorf("delivering %s: %w", d.Topic, err)
	}
	req.Header = d.Header.Clone()
	return req, nil
}

// stamp writes a time as Shopify's webhooks do.
func stamp(t time.Time) string { return t.Format(time.RFC3339) }
