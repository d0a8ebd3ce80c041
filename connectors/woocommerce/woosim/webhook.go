package woosim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5" // WordPress's hash of a delivery id
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// userAgent is that of every request of the store's webhooks.
const userAgent = "WooCommerce/10.0.2 Hookshot (WordPress/6.8.8)"

// Ping is the first contact with a delivery URL, by which WooCommerce checks it: unsigned, and to be answered
// exactly 200. It returns the answer's status.
func (s *Store) Ping(ctx context.Context, url string) (int, error) {
	body := "webhook_id=" + strconv.FormatInt(s.config.WebhookID, 10)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(req)
}

// Deliver sends one delivery and returns the answer's status. Like WooCommerce it never sends it again.
func (s *Store) Deliver(ctx context.Context, url, topic string, body []byte) (int, error) {
	return s.deliver(ctx, url, topic, body, s.config.WebhookSecret)
}

// Forge sends a delivery that is signed with another secret than the store's.
func (s *Store) Forge(ctx context.Context, url, topic string, body []byte) (int, error) {
	return s.deliver(ctx, url, topic, body, s.config.WebhookSecret+"-forged")
}

// Place adds an order and delivers order.created with it, and order.updated, as WooCommerce does with almost
// every new order. It returns the order's id, and an error unless both were answered 2xx.
func (s *Store) Place(ctx context.Context, url string, o Order) (string, error) {
	id, err := s.Add(o)
	if err != nil {
		return "", err
	}
	return id, s.deliverAll(ctx, url, id, "order.created", "order.updated")
}

// Change gives an order another status and delivers order.updated with it.
func (s *Store) Change(ctx context.Context, url, id, status string) error {
	if err := s.SetStatus(id, status); err != nil {
		return err
	}
	return s.deliverAll(ctx, url, id, "order.updated")
}

// Trash moves an order to the trash and delivers order.deleted, which has nothing but the id.
func (s *Store) Trash(ctx context.Context, url, id string) error {
	if err := s.move(id, s.orders, s.trash); err != nil {
		return err
	}
	return s.accepted(s.Deliver(ctx, url, "order.deleted", []byte(`{"id":`+id+`}`)))
}

// Restore takes an order out of the trash and delivers order.restored.
func (s *Store) Restore(ctx context.Context, url, id string) error {
	if err := s.move(id, s.trash, s.orders); err != nil {
		return err
	}
	return s.deliverAll(ctx, url, id, "order.restored")
}

func (s *Store) deliverAll(ctx context.Context, url, id string, topics ...string) error {
	body := s.Payload(id)
	for _, topic := range topics {
		if err := s.accepted(s.Deliver(ctx, url, topic, body)); err != nil {
			return fmt.Errorf("delivering %s of order %s: %w", topic, id, err)
		}
	}
	return nil
}

// accepted is WooCommerce's idea of success: 200 to 302.
func (*Store) accepted(status int, err error) error {
	if err == nil && (status < 200 || status > 302) {
		err = fmt.Errorf("answered %d", status)
	}
	return err
}

func (s *Store) deliver(ctx context.Context, url, topic string, body []byte, secret string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = s.header(topic, body, secret)
	return s.send(req)
}

// Header returns the headers of a delivery, signed with the store's secret.
func (s *Store) Header(topic string, body []byte) http.Header {
	return s.header(topic, body, s.config.WebhookSecret)
}

func (s *Store) header(topic string, body []byte, secret string) http.Header {
	resource, happened, _ := strings.Cut(topic, ".")
	id := s.webhook(topic)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h := http.Header{}
	for _, pair := range [][2]string{
		{"User-Agent", userAgent}, {"Accept", "*/*"}, {"Content-Type", "application/json"},
		{"X-WC-Webhook-Source", s.config.URL + "/"}, {"X-WC-Webhook-Topic", topic}, {"X-WC-Webhook-Resource", resource},
		{"X-WC-Webhook-Event", happened}, {"X-WC-Webhook-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))},
		{"X-WC-Webhook-ID", id}, {"X-WC-Webhook-Delivery-ID", s.deliveryID(id)},
	} {
		h.Set(pair[0], pair[1])
	}
	return h
}

// webhook returns the id of a topic's webhook.
func (s *Store) webhook(topic string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := len(s.webhooks)
	for i, known := range s.webhooks {
		if known == topic {
			at = i
		}
	}
	if at == len(s.webhooks) {
		s.webhooks = append(s.webhooks, topic)
	}
	return strconv.FormatInt(s.config.WebhookID+int64(at), 10)
}

// deliveryID is a hash of the webhook's id and the second: two deliveries in one second have the same.
func (s *Store) deliveryID(webhook string) string {
	mac := hmac.New(md5.New, []byte(s.config.URL))
	_, _ = io.WriteString(mac, webhook+strconv.FormatInt(s.config.Now().Unix(), 10))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Store) send(req *http.Request) (int, error) {
	resp, err := s.config.Client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}
