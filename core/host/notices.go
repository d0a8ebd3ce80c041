package host

import (
	"log/slog"
	"sync"
	"time"
)

// noticeEvery is how often one kind of trouble of one shop is logged: strangers can cause some of them.
const noticeEvery = time.Minute

// notices logs what befalls shops, each kind and shop once in a while, with how often it happened since.
type notices struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]*notice
}

type notice struct {
	logged time.Time
	since  int
}

func newNotices(l *slog.Logger, now func() time.Time) *notices {
	return &notices{logger: l, now: now, seen: map[string]*notice{}}
}

// warn tells of trouble of a known shop.
func (n *notices) warn(shop, message, reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := shop + "\x00" + message
	known := n.seen[key]
	if known == nil {
		known = &notice{}
		n.seen[key] = known
	}
	known.since++
	if now := n.now(); now.Sub(known.logged) >= noticeEvery {
		n.logger.Warn(message, "shop", shop, "reason", reason, "times", known.since)
		known.logged, known.since = now, 0
	}
}
