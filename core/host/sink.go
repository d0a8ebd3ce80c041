package host

import (
	"context"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/ingest"
)

// sink hands what the intake's pump draws to the engine.
type sink struct{ engine engine.Engine }

var _ ingest.Sink = sink{}

// Positions implements ingest.Sink.
func (s sink) Positions(ctx context.Context) (map[string]uint64, error) {
	return s.engine.Positions(ctx)
}

// Consume implements ingest.Sink.
func (s sink) Consume(ctx context.Context, batch []ingest.Consumed) error {
	arrivals := make([]engine.Arrival, len(batch))
	for i, c := range batch {
		arrivals[i] = engine.Arrival{Shop: c.Entry.Shop, Seq: c.Entry.Seq, Delivery: c.Entry.Delivery, Events: c.Events, Rejected: c.Rejected}
	}
	return s.engine.Accept(ctx, arrivals)
}
