package bolt

import (
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/run"
)

// timers fires what is due. What is stored is the truth; in memory there is only when to look next.
type timers struct {
	engine *Engine
	wake   chan struct{} // a timer was added that comes before the next look

	mu   sync.Mutex
	next time.Time // of the next look; zero: when woken
}

const (
	timerPage    = 256 // timers read at once
	timerWorkers = 32  // fired at once
)

func newTimers(e *Engine) *timers {
	return &timers{engine: e, wake: make(chan struct{}, 1)}
}

// added tells that a timer has been stored.
func (t *timers) added(at time.Time) {
	t.mu.Lock()
	earlier := t.next.IsZero() || at.Before(t.next)
	t.mu.Unlock()
	if earlier {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// longestSleep bounds how late a timer is when the clock is set forward or the machine was suspended.
const longestSleep = time.Minute

func (t *timers) run() {
	for {
		t.mu.Lock()
		t.next = time.Time{} // a timer that is added while the file is read may not be seen there
		t.mu.Unlock()
		next, err := t.fireDue()
		if err != nil {
			t.engine.logError("reading timers", err)
			next = t.engine.now().Add(time.Second)
		}
		t.mu.Lock()
		t.next = next
		t.mu.Unlock()
		if !t.sleep(next) {
			return
		}
	}
}

// sleep returns when it is time to look again, or false when the engine closes.
func (t *timers) sleep(next time.Time) bool {
	var alarm <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(min(max(next.Sub(t.engine.now()), 0), longestSleep))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-t.engine.work.Done():
		return false
	case <-t.wake:
	case <-alarm:
	}
	return true
}

// fireDue fires all that is due, the earliest first, and returns when the next timer is.
func (t *timers) fireDue() (next time.Time, err error) {
	for t.engine.work.Err() == nil {
		now := t.engine.now()
		var due [][]byte
		next = time.Time{}
		err = t.engine.view(func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketTimers).Cursor()
			for k, _ := c.First(); k != nil; k, _ = c.Next() {
				if at, _, _ := splitTimerKey(k); at.After(now) {
					next = at
					return nil
				}
				if len(due) == timerPage {
					return nil
				}
				due = append(due, append([]byte(nil), k...))
			}
			return nil
		})
		if err != nil || len(due) == 0 {
			return next, err
		}
		t.fire(due, now)
	}
	return next, nil
}

func (t *timers) fire(due [][]byte, now time.Time) {
	var group sync.WaitGroup
	slots := make(chan struct{}, timerWorkers)
	for _, key := range due {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			_, runID, timer := splitTimerKey(key)
			remove := func(tx *bbolt.Tx) error { return tx.Bucket(bucketTimers).Delete(key) }
			err := t.engine.feed(t.engine.work, runID, run.TimerFired{At: now, Timer: timer}, remove)
			if err == nil || t.engine.work.Err() != nil {
				return
			}
			// A run that cannot be read must not hold the others up: its timer comes again in a minute.
			t.engine.logError("a timer could not be delivered; trying again in a minute", err, "run", runID, "timer", timer)
			later := timerKey(now.Add(time.Minute), runID, timer)
			err = t.engine.writer.commit(t.engine.work, func(tx *bbolt.Tx) error {
				if err := remove(tx); err != nil {
					return err
				}
				return tx.Bucket(bucketTimers).Put(later, nil)
			})
			t.engine.logError("a timer could not be put off", err, "run", runID)
		})
	}
	group.Wait()
}
