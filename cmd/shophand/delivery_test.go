package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// delivery is one webhook request.
type delivery struct {
	platform, shop, topic, secret string
	id                            string // of the delivery; one of its body where empty
	body                          []byte
	header                        map[string]string // more, or others
	path                          string            // another than the platform's
}

func (d delivery) request(base string) (*http.Request, error) {
	path := d.path
	if path == "" {
		path = "/webhooks/shopify"
		if d.platform == "woocommerce" {
			path = "/webhooks/woocommerce/" + d.shop
		}
	}
	r, err := http.NewRequest(http.MethodPost, base+path, bytes.NewReader(d.body))
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(d.secret))
	mac.Write(d.body)
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	id := d.id
	if id == "" {
		sum := sha256.Sum256(d.body)
		id = fmt.Sprintf("%x", sum[:8])
	}
	h := map[string]string{"Content-Type": "application/json"}
	if d.platform == "shopify" {
		h["X-Shopify-Topic"], h["X-Shopify-Shop-Domain"], h["X-Shopify-Hmac-Sha256"] = d.topic, d.shop, signature
		h["X-Shopify-Api-Version"], h["X-Shopify-Webhook-Id"], h["X-Shopify-Event-Id"] = "2026-10", "w-"+id, "e-"+id
		h["X-Shopify-Triggered-At"] = "2026-11-22T10:00:00.000000000Z"
	} else {
		resource, happened, _ := strings.Cut(d.topic, ".")
		h["X-WC-Webhook-Topic"], h["X-WC-Webhook-Resource"], h["X-WC-Webhook-Event"] = d.topic, resource, happened
		h["X-WC-Webhook-Signature"], h["X-WC-Webhook-ID"], h["X-WC-Webhook-Delivery-ID"] = signature, "7", id
		h["X-WC-Webhook-Source"] = "https://tea.example.com/"
	}
	for name, value := range d.header {
		h[name] = value
	}
	for name, value := range h {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r, nil
}

// send sends it and returns the answer.
func (d delivery) send(base string) (status int, text string, err error) {
	r, err := d.request(base)
	if err != nil {
		return 0, "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(raw)), err
}

// accepted sends a webhook that must be taken.
func (h *house) accepted(d delivery) {
	h.Helper()
	if status, text, err := d.send(h.url); err != nil || status != http.StatusOK {
		h.Fatalf("%s %s: %d %s, %v", d.platform, d.topic, status, text, err)
	}
}

// fromShopify and fromWoo make webhooks of the two shops.
func fromShopify(topic string, body []byte) delivery {
	return delivery{platform: "shopify", shop: shopifyShop, topic: topic, secret: appSecret, body: body}
}

func fromWoo(topic string, body []byte) delivery {
	return delivery{platform: "woocommerce", shop: wooShop, topic: topic, secret: wooSecret, body: body}
}
