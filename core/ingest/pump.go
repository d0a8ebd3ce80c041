package ingest

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/shophand/shophand/sdk/event"
)

// Consumed is an entry with what its connector made of it.
type Consumed struct {
	Entry  Entry
	Events []event.Event
	// Rejected says why the delivery can't be used; "" means that it was understood. The sink keeps rejected
	// deliveries too, so that they can be replayed when they can be understood.
	Rejected string
}

// Sink takes what the pump draws.
type Sink interface {
	// Positions returns by shop the Seq of the last entry that was consumed.
	Positions(ctx context.Context) (map[string]uint64, error)
	// Consume records all that follows from a batch and the new positions in one transaction, or nothing. The
	// entries of a shop come in their order and without omission. After an error the same entries are given
	// again, and again, first each shop's by themselves, so that one shop's trouble holds up no other.
	Consume(ctx context.Context, batch []Consumed) error
}

// PumpConfig says what a pump connects. What may be absent says so.
type PumpConfig struct {
	Log        Log
	Sink       Sink
	Shops      Shops
	Connectors map[string]Connector // by the platform that deliveries name
	// After is the clock; nil means time.After.
	After func(time.Duration) <-chan time.Time
	// MaxEntries and MaxBytes bound what one shop may have in a batch; 0 means 128 entries and 2 MiB.
	MaxEntries, MaxBytes int
	// MaxBatch bounds the entries of a batch; 0 means 512.
	MaxBatch int
	// Logger is told of trouble; nil means none.
	Logger *slog.Logger
}

// Pump carries entries from the log to the sink, in turn by shop, each at least once.
type Pump struct {
	cfg       PumpConfig
	trimmer   *trimmer
	positions map[string]uint64 // last consumed, by shop
	turn      string            // the shop that the last batch ended with
	trouble   trouble
}

// NewPump returns a pump.
func NewPump(cfg PumpConfig) *Pump {
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = 128
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 2 << 20
	}
	if cfg.MaxBatch <= 0 {
		cfg.MaxBatch = 512
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pump{cfg: cfg, trimmer: newTrimmer(cfg.Log, cfg.After, cfg.Logger), trouble: newTrouble(cfg.After)}
}

// Run pumps until ctx ends or the log is closed, and returns the error of either. Nothing else ends it: what
// fails is tried again. It is called once.
func (p *Pump) Run(ctx context.Context) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { p.trimmer.run(ctx) })
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.trouble.poll()
		entries, err := p.draw()
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			p.carry(ctx, p.translate(entries))
			continue
		}
		select {
		case <-ctx.Done():
		case <-p.cfg.Log.Arrived():
		case <-p.trouble.over:
			p.trouble.end()
		}
	}
}

// begin asks how far the sink got, and has the log trimmed up to there.
func (p *Pump) begin(ctx context.Context) error {
	wait := backoffFirst
	for {
		positions, err := p.cfg.Sink.Positions(ctx)
		if err == nil {
			p.positions = map[string]uint64{}
			maps.Copy(p.positions, positions)
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.cfg.Logger.Error("the position in the intake is not known, nothing is processed", "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.cfg.After(wait):
		}
		wait = min(2*wait, backoffMost)
	}
	for _, b := range p.cfg.Log.Shops() {
		if at := p.positions[b.Shop]; at >= b.First {
			p.trimmer.add(b.Shop, at)
		}
	}
	return nil
}

// carry hands a batch to the sink. Where the sink does not take it, each shop's part is tried by itself, and
// those that fail rest for a while.
func (p *Pump) carry(ctx context.Context, batch []Consumed) {
	if err := p.consume(ctx, batch); err == nil || ctx.Err() != nil {
		return
	}
	for len(batch) > 0 {
		shop, n := batch[0].Entry.Shop, 1
		for n < len(batch) && batch[n].Entry.Shop == shop {
			n++
		}
		part := batch[:n]
		batch = batch[n:]
		err := p.consume(ctx, part)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			times := p.trouble.rest(shop)
			p.cfg.Logger.Error("webhooks can't be processed and are tried again", "shop", shop, "first", part[0].Entry.Seq,
				"entries", n, "attempt", times, "error", err)
		}
	}
}

func (p *Pump) consume(ctx context.Context, batch []Consumed) error {
	if err := p.cfg.Sink.Consume(ctx, batch); err != nil {
		return err
	}
	last := map[string]uint64{}
	for _, c := range batch {
		last[c.Entry.Shop] = c.Entry.Seq
	}
	for shop, seq := range last {
		p.positions[shop] = seq
		p.trouble.recovered(shop)
		p.trimmer.add(shop, seq)
	}
	return nil
}
