package flow

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration as flows write it: "90s", "15m", "24h", "2d", "1w", or several together as
// "1d12h". A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	rest, total := strings.TrimSpace(s), time.Duration(0)
	if rest == "" {
		return 0, fmt.Errorf("a duration is missing")
	}
	for rest != "" {
		digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if digits <= 0 {
			return 0, fmt.Errorf("%q is not a duration", s)
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		unit, ok := unitOf(rest[digits])
		if err != nil || !ok {
			return 0, fmt.Errorf("%q is not a duration", s)
		}
		if n > int64(math.MaxInt64-total)/int64(unit) {
			return 0, fmt.Errorf("%q is longer than 290 years", s)
		}
		total += time.Duration(n) * unit
		rest = strings.TrimSpace(rest[digits+1:])
	}
	return total, nil
}

func unitOf(b byte) (time.Duration, bool) {
	switch b {
	case 's':
		return time.Second, true
	case 'm':
		return time.Minute, true
	case 'h':
		return time.Hour, true
	case 'd':
		return 24 * time.Hour, true
	case 'w':
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}
