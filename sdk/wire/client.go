package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	wirev1 "github.com/shophand/shophand/sdk/wire/v1"
)

// Client is the host's end of a connection to a plugin. It is safe for concurrent use.
type Client struct {
	plugin wirev1.PluginClient
	lastID atomic.Uint64

	mu    sync.Mutex
	calls map[string]dataCall // invocations that may read data now, by call id
}

type dataCall struct {
	ctx  context.Context
	data Data
}

var _ Handler = (*Client)(nil)

// NewClient returns the host's end of conn and serves the plugin's host calls on it until ctx ends or the
// connection breaks.
func NewClient(ctx context.Context, conn grpc.ClientConnInterface) (*Client, error) {
	c := &Client{plugin: wirev1.NewPluginClient(conn), calls: map[string]dataCall{}}
	stream, err := c.plugin.HostCalls(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the stream of host calls: %w", err)
	}
	go c.serveHostCalls(stream)
	return c, nil
}

// Describe asks the plugin what it is.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	d, err := c.plugin.Describe(ctx, &wirev1.DescribeRequest{})
	if err != nil {
		return Description{}, err
	}
	return descriptionFromProto(d), nil
}

// Configure has the plugin check a configuration.
func (c *Client) Configure(ctx context.Context, config json.RawMessage, shop Shop) error {
	r, err := c.plugin.Configure(ctx, &wirev1.ConfigureRequest{Config: config, Shop: shopToProto(shop)})
	if err != nil {
		return err
	}
	if f := failureFromProto(r.Failure); f != nil {
		return f
	}
	return nil
}

// Invoke carries out one attempt; data answers the reads that the plugin makes during it and may be nil.
func (c *Client) Invoke(ctx context.Context, inv Invocation, data Data) (Result, error) {
	id := strconv.FormatUint(c.lastID.Add(1), 10)
	if data != nil {
		c.mu.Lock()
		c.calls[id] = dataCall{ctx, data}
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			delete(c.calls, id)
			c.mu.Unlock()
		}()
	}
	r, err := c.plugin.Invoke(ctx, &wirev1.InvokeRequest{
		CallId: id, Action: inv.Action, Input: inv.Input, Config: inv.Config, IdempotencyKey: inv.IdempotencyKey,
		Attempt: int32(inv.Attempt), Shop: shopToProto(inv.Shop), Flow: inv.Flow, Run: inv.Run, Step: inv.Step, Event: inv.Event,
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Output: r.GetOutput(), Failure: failureFromProto(r.GetFailure()), Writes: writesFromProto(r.Writes)}, nil
}

// maxHostCalls bounds the reads of one plugin that are answered at once.
const maxHostCalls = 64

func (c *Client) serveHostCalls(stream grpc.BidiStreamingClient[wirev1.HostReply, wirev1.HostCall]) {
	var sending sync.Mutex // a stream takes one Send at a time
	slots := make(chan struct{}, maxHostCalls)
	for {
		call, err := stream.Recv()
		if err != nil {
			return // the plugin ended, or never asks
		}
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			reply := c.answer(call)
			sending.Lock()
			defer sending.Unlock()
			_ = stream.Send(reply) // a broken stream shows in Recv
		}()
	}
}

func (c *Client) answer(call *wirev1.HostCall) *wirev1.HostReply {
	reply := &wirev1.HostReply{Id: call.Id}
	c.mu.Lock()
	target, ok := c.calls[call.CallId]
	c.mu.Unlock()
	if !ok {
		reply.Error = "the invocation is over: read data only while it runs"
		return reply
	}
	var items []Item
	var err error
	switch q := call.Call.(type) {
	case *wirev1.HostCall_Get:
		var item Item
		item, err = target.data.Get(target.ctx, q.Get.Key)
		items = []Item{item}
	case *wirev1.HostCall_List:
		items, err = target.data.List(target.ctx, q.List.Prefix, q.List.After, int(q.List.Limit))
	default:
		err = fmt.Errorf("this host does not know the call %T", q)
	}
	if err != nil {
		reply.Error = err.Error()
		return reply
	}
	reply.Items = itemsToProto(items)
	return reply
}
