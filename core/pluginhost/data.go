package pluginhost

import (
	"context"
	"fmt"

	"github.com/shophand/shophand/sdk/wire"
)

// Limits of what a plugin reads at once.
const (
	maxList = 1000
	// A reply above gRPC's limit would end the stream on which the plugin asks, and with it all its reads.
	maxReply = wire.MaxToPlugin - 64<<10
)

// boundedData answers a plugin's reads within the limits that the contract names.
type boundedData struct{ wire.Data }

// bounded returns data with its limits; nil stays nil.
func bounded(data wire.Data) wire.Data {
	if data == nil {
		return nil
	}
	return boundedData{data}
}

// List asks for 1 to 1000 entries and refuses a reply that would be too large, instead of one cut short that
// the plugin would take for all there is.
func (d boundedData) List(ctx context.Context, prefix, after string, limit int) ([]wire.Item, error) {
	items, err := d.Data.List(ctx, prefix, after, min(max(limit, 1), maxList))
	if err != nil {
		return nil, err
	}
	total := 0
	for _, i := range items {
		total += len(i.Key) + len(i.Value) + 32 // the version and the framing
	}
	if total > maxReply {
		return nil, fmt.Errorf("the %d entries have %s together, and one reply may have %s: ask with a smaller limit", len(items), size(total), size(maxReply))
	}
	return items, nil
}
