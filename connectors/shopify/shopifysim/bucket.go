package shopifysim

import "time"

// bucket is the rate limit: points that calls take out and that flow back with time.
type bucket struct {
	size, rate, level float64
	at                time.Time // of level
}

// take takes points out at a time; false where there are not enough, and then none is taken.
func (b *bucket) take(points float64, now time.Time) bool {
	if d := now.Sub(b.at); d > 0 {
		b.level = min(b.size, b.level+d.Seconds()*b.rate)
		b.at = now
	}
	if b.level < points {
		return false
	}
	b.level -= points
	return true
}
