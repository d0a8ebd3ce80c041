package ingest

import "time"

const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 10 * time.Second
)

// trouble remembers the shops of which something failed. They rest together, longer each time, up to
// backoffMost, until none fails any more.
type trouble struct {
	after   func(time.Duration) <-chan time.Time
	failed  map[string]int  // how often in a row, by shop
	resting map[string]bool // are passed over until over fires
	over    <-chan time.Time
	wait    time.Duration
}

func newTrouble(after func(time.Duration) <-chan time.Time) trouble {
	return trouble{after: after, failed: map[string]int{}, resting: map[string]bool{}, wait: backoffFirst}
}

// rest lets a shop rest and returns how often in a row it failed.
func (t *trouble) rest(shop string) int {
	if t.over == nil {
		t.over = t.after(t.wait)
		t.wait = min(2*t.wait, backoffMost)
	}
	t.resting[shop] = true
	t.failed[shop]++
	return t.failed[shop]
}

func (t *trouble) recovered(shop string) {
	delete(t.failed, shop)
	if len(t.failed) == 0 {
		t.wait = backoffFirst
	}
}

// poll ends the rest if its time is over.
func (t *trouble) poll() {
	select {
	case <-t.over:
		t.end()
	default:
	}
}

func (t *trouble) end() {
	t.over = nil
	clear(t.resting)
}
