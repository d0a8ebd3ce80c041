package ingest

import "sync/atomic"

// Counts says how many requests of a platform got which answer since the handler was made.
type Counts struct {
	Accepted     uint64 // 200: on disk
	Ping         uint64 // 200: WooCommerce tried its webhook
	Unauthorized uint64 // 401: signature or shop header bad or missing
	UnknownShop  uint64 // WooCommerce 404; Shopify's are accepted, and counted there too
	TooLarge     uint64 // 413
	Incomplete   uint64 // 400: the body ended early
	Overloaded   uint64 // 503: the intake is full or closed, or its disk failed
}

// counters are one platform's counts while they are counted.
type counters struct {
	accepted, ping, unauthorized, unknownShop, tooLarge, incomplete, overloaded atomic.Uint64
}

func (c *counters) snapshot() Counts {
	return Counts{
		Accepted: c.accepted.Load(), Ping: c.ping.Load(), Unauthorized: c.unauthorized.Load(), UnknownShop: c.unknownShop.Load(),
		TooLarge: c.tooLarge.Load(), Incomplete: c.incomplete.Load(), Overloaded: c.overloaded.Load(),
	}
}

// Counts returns what was counted so far, by platform.
func (h *Handler) Counts() map[string]Counts {
	return map[string]Counts{
		h.cfg.Shopify.Platform():     h.shopify.snapshot(),
		h.cfg.WooCommerce.Platform(): h.woocommerce.snapshot(),
	}
}
