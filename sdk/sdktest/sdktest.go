// Package sdktest runs a plugin under test in the test's own process, over real gRPC: every call crosses
// protobuf and the plugin's schemas, as with a host.
package sdktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/shophand/shophand/sdk/event"
	"github.com/shophand/shophand/sdk/wire"
)

// Harness is a plugin under test. Invoke is safe for concurrent use.
type Harness struct {
	t      testing.TB
	client *wire.Client
	data   *Data
	config json.RawMessage
	shop   wire.Shop
}

// New serves h until the test ends. Its plugin data starts empty and lives in memory.
func New(t testing.TB, h wire.Handler) *Harness {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(wire.MaxToPlugin))
	wire.Register(server, h)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxToHost)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	client, err := wire.NewClient(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return &Harness{
		t: t, client: client, data: newData(), config: json.RawMessage("{}"),
		shop: wire.Shop{Name: "test.myshopify.com", Platform: "shopify", Currency: "EUR", Timezone: "Europe/Berlin"},
	}
}

// Configure sets the connection's configuration, a value that encodes to it in JSON or a json.RawMessage (secrets
// print as ***: give those as a map), and returns what the plugin says of it.
func (h *Harness) Configure(config any) error {
	h.t.Helper()
	raw, err := json.Marshal(config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.config = raw
	return h.client.Configure(h.t.Context(), raw, h.shop)
}

// SetShop sets the shop that invocations are for.
func (h *Harness) SetShop(s wire.Shop) { h.shop = s }

// Data is the plugin's data as the host keeps it.
func (h *Harness) Data() *Data { return h.data }

// Describe returns what the plugin says of itself.
func (h *Harness) Describe() wire.Description {
	h.t.Helper()
	d, err := h.client.Describe(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// Call is one invocation; the zero values of all but Action and Input are filled in.
type Call struct {
	Action  string
	Input   any    // encoded as JSON; a json.RawMessage goes as it is
	Key     string // idempotency key; the test's name where empty
	Attempt int
	Timeout time.Duration
	Event   *event.Event
}

// Invoke carries out one attempt as the host does: a key whose effect is committed already returns the stored
// output without a call, and a conflict of writes is tried again. The error is a *wire.Failure where the
// action failed.
func (h *Harness) Invoke(c Call) (json.RawMessage, error) {
	raw, err := json.Marshal(c.Input)
	if err != nil {
		return nil, fmt.Errorf("encoding the input: %w", err)
	}
	inv := wire.Invocation{
		Action: c.Action, Input: raw, Config: h.config, IdempotencyKey: c.Key, Attempt: max(c.Attempt, 1),
		Shop: h.shop, Flow: "test", Run: "run-1", Step: "step",
	}
	if inv.IdempotencyKey == "" {
		inv.IdempotencyKey = h.t.Name()
	}
	if c.Event != nil {
		if inv.Event, err = json.Marshal(c.Event); err != nil {
			return nil, fmt.Errorf("encoding the event: %w", err)
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), c.Timeout)
	defer cancel()
	if output, ok := h.data.applied(inv.IdempotencyKey); ok {
		return output, nil
	}
	for {
		r, err := h.client.Invoke(ctx, inv, h.data)
		switch {
		case err != nil:
			return nil, err
		case r.Failure != nil:
			return nil, r.Failure
		}
		if output, ok := h.data.apply(inv.IdempotencyKey, r.Writes, r.Output); ok {
			return output, nil
		}
	}
}

// Invoke is Harness.Invoke with the output decoded.
func Invoke[Out any](h *Harness, action string, input any) (Out, error) {
	return Decode[Out](h.Invoke(Call{Action: action, Input: input}))
}

// Decode decodes the output of Harness.Invoke.
func Decode[Out any](raw json.RawMessage, err error) (Out, error) {
	var out Out
	if err != nil {
		return out, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return out, d.Decode(&out)
}
