package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/shophand/shophand/core/bolt"
	"github.com/shophand/shophand/core/engine"
)

// format is the version of the file's layout.
const format = 1

// Config of an engine. All but Logger, Now and PerPlugin are needed.
type Config struct {
	Path    string
	Flows   engine.Flows
	Shops   engine.Shops
	Invoker engine.Invoker
	Logger  *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Passive: nothing is carried out; runs that are started go on when the engine is opened again.
	Passive bool
	// PerPlugin bounds the attempts at work at one plugin; 96 where 0. Most of an attempt is waiting for a vendor.
	PerPlugin int

	committed func() // see writer
}

// Engine implements engine.Engine.
type Engine struct {
	config Config
	db     *bbolt.DB
	writer *writer
	lanes  *lanes
	timers *timers

	work   context.Context // of everything that runs in the background
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	active map[string]*activeRun

	byHand atomic.Uint64 // counts starts by hand and replays, so that two in one instant differ
}

var _ engine.Engine = (*Engine)(nil)

// Open opens the file, or makes it, and takes up the work that is in it.
func Open(c Config) (*Engine, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.PerPlugin == 0 {
		c.PerPlugin = 96
	}
	db, err := bolt.File{Path: c.Path, Kind: "engine", What: "the engine's file", Format: format, Buckets: buckets(), Reserve: 1 << 30}.Open()
	if err != nil {
		return nil, err
	}
	e := &Engine{config: c, db: db, active: map[string]*activeRun{}}
	e.work, e.cancel = context.WithCancel(context.Background())
	e.writer = newWriter(db, c.committed)
	e.lanes = newLanes(c.PerPlugin, e.carryOut)
	e.timers = newTimers(e)
	if c.Passive {
		e.lanes.close(e.work) // takes nothing
		return e, nil
	}
	interrupted, err := e.interrupted()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading what the engine was at work on: %w", err), e.Close(e.work))
	}
	e.group.Go(e.timers.run)
	e.group.Go(func() { e.resumeAll(interrupted) })
	return e, nil
}

// now is the time as it is stored: without the monotonic reading, so that comparing two times has the same
// outcome in memory and after a restart.
func (e *Engine) now() time.Time { return e.config.Now().UTC().Round(0) }

// view reads the file.
func (e *Engine) view(read func(tx *bbolt.Tx) error) error {
	err := e.db.View(read)
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return engine.ErrClosed
	}
	return err
}

// Close implements engine.Engine.
func (e *Engine) Close(ctx context.Context) error {
	e.lanes.close(ctx)
	e.cancel()
	e.group.Wait()
	e.writer.close()
	return e.db.Close()
}

// logError logs an error, unless it only says that the engine is closing.
func (e *Engine) logError(what string, err error, args ...any) {
	if err == nil || errors.Is(err, engine.ErrClosed) || errors.Is(err, context.Canceled) {
		return
	}
	e.config.Logger.Error(what, append(args, "error", err)...)
}
