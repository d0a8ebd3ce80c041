package bolt

import (
	"context"
	"strings"
	"sync"

	"github.com/shophand/shophand/core/run"
)

// job is an attempt to carry out. Its run is nil where so many wait that their runs are not kept in memory: it is
// read again when its turn comes, and so is the attempt's input.
type job struct {
	run    *activeRun
	runID  string
	shop   string
	action run.InvokeAction
}

// lanes hold the attempts that wait for their turn: one lane for each plugin, so that one that hangs holds up
// only its own steps, and in a lane one queue for each shop, served in turn, so that one shop's flood delays
// only itself. No shop has more than half of a lane at work, so that one whose own site hangs leaves room.
type lanes struct {
	width   int // attempts at work in one lane
	perShop int // of them, of one shop
	run     func(job)

	mu      sync.Mutex
	idle    *sync.Cond // signalled when work ends
	lanes   map[string]*lane
	working int
	closed  bool
}

type lane struct {
	shops   map[string]*shopQueue
	turn    []*shopQueue // those with a job that may start, the next one first
	working int
}

// shopQueue holds what waits, and counts what is at work, of one shop in one lane.
type shopQueue struct {
	shop    string
	jobs    []job
	working int
	inTurn  bool
}

func newLanes(width int, run func(job)) *lanes {
	l := &lanes{width: width, perShop: (width + 1) / 2, run: run, lanes: map[string]*lane{}}
	l.idle = sync.NewCond(&l.mu)
	return l
}

// maxWarm is how many waiting jobs of one shop in one lane keep their runs in memory.
const maxWarm = 64

// add queues a job and tells whether its run has to stay in memory for it. After close it takes none: the job is
// taken up again from the file at the next start.
func (l *lanes) add(j job) (keep bool) {
	plugin, _, _ := strings.Cut(j.action.Action, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	ln := l.lanes[plugin]
	if ln == nil {
		ln = &lane{shops: map[string]*shopQueue{}}
		l.lanes[plugin] = ln
	}
	q := ln.shops[j.shop]
	if q == nil {
		q = &shopQueue{shop: j.shop}
		ln.shops[j.shop] = q
	}
	if len(q.jobs) >= maxWarm {
		j.run, j.action.Input = nil, nil
	}
	q.jobs = append(q.jobs, j)
	l.queue(ln, q)
	l.dispatch(ln)
	return j.run != nil
}

// queue gives a shop its turn if it has a job that may start. The lock is held.
func (l *lanes) queue(ln *lane, q *shopQueue) {
	if !q.inTurn && len(q.jobs) > 0 && q.working < l.perShop {
		q.inTurn = true
		ln.turn = append(ln.turn, q)
	}
}

// dispatch starts what there is room for. The lock is held.
func (l *lanes) dispatch(ln *lane) {
	for ln.working < l.width && len(ln.turn) > 0 && !l.closed {
		q := ln.turn[0]
		ln.turn = ln.turn[1:]
		q.inTurn = false
		j := q.jobs[0]
		q.jobs[0] = job{} // lets go of its run
		q.jobs = q.jobs[1:]
		q.working++
		ln.working++
		l.working++
		l.queue(ln, q)
		go func() {
			defer l.ended(ln, q)
			l.run(j)
		}()
	}
}

func (l *lanes) ended(ln *lane, q *shopQueue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.working--
	ln.working--
	l.working--
	if q.working == 0 && len(q.jobs) == 0 {
		delete(ln.shops, q.shop)
	}
	l.queue(ln, q)
	l.dispatch(ln)
	l.idle.Broadcast()
}

// close starts no more jobs and waits for those at work until ctx ends.
func (l *lanes) close(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.idle.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for l.working > 0 && ctx.Err() == nil {
		l.idle.Wait()
	}
}
