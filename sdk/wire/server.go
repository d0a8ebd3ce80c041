package wire

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"

	wirev1 "github.com/shophand/shophand/sdk/wire/v1"
)

// server is the plugin's end: it turns messages into calls of a Handler.
type server struct {
	wirev1.UnimplementedPluginServer
	handler Handler

	mu      sync.Mutex
	stream  grpc.BidiStreamingServer[wirev1.HostReply, wirev1.HostCall] // nil until the host opened it
	opened  chan struct{}                                               // closed when it did
	lastID  uint64
	waiting map[uint64]chan *wirev1.HostReply
}

func newServer(h Handler) *server {
	return &server{handler: h, opened: make(chan struct{}), waiting: map[uint64]chan *wirev1.HostReply{}}
}

func (s *server) Describe(ctx context.Context, _ *wirev1.DescribeRequest) (*wirev1.DescribeResponse, error) {
	d, err := s.handler.Describe(ctx)
	if err != nil {
		return nil, err
	}
	return descriptionToProto(d), nil
}

func (s *server) Configure(ctx context.Context, r *wirev1.ConfigureRequest) (*wirev1.ConfigureResponse, error) {
	err := s.handler.Configure(ctx, r.Config, shopFromProto(r.Shop))
	var f *Failure
	switch {
	case err == nil:
		return &wirev1.ConfigureResponse{}, nil
	case errors.As(err, &f):
		return &wirev1.ConfigureResponse{Failure: failureToProto(f)}, nil
	}
	return nil, err
}

func (s *server) Invoke(ctx context.Context, r *wirev1.InvokeRequest) (*wirev1.InvokeResponse, error) {
	result, err := s.handler.Invoke(ctx, Invocation{
		Action: r.Action, Input: r.Input, Config: r.Config, IdempotencyKey: r.IdempotencyKey, Attempt: int(r.Attempt),
		Shop: shopFromProto(r.Shop), Flow: r.Flow, Run: r.Run, Step: r.Step, Event: r.Event,
	}, &hostData{server: s, callID: r.CallId})
	if err != nil {
		return nil, err
	}
	if result.Failure != nil {
		return &wirev1.InvokeResponse{Result: &wirev1.InvokeResponse_Failure{Failure: failureToProto(result.Failure)}}, nil
	}
	return &wirev1.InvokeResponse{Result: &wirev1.InvokeResponse_Output{Output: result.Output}, Writes: writesToProto(result.Writes)}, nil
}

// HostCalls keeps the host's stream and hands its replies to those who wait.
func (s *server) HostCalls(stream grpc.BidiStreamingServer[wirev1.HostReply, wirev1.HostCall]) error {
	s.mu.Lock()
	if s.stream != nil {
		s.mu.Unlock()
		return errors.New("the stream of host calls is open already")
	}
	s.stream = stream
	close(s.opened)
	s.mu.Unlock()
	for {
		reply, err := stream.Recv()
		if err != nil {
			s.hangUp()
			return nil
		}
		s.mu.Lock()
		if ch, ok := s.waiting[reply.Id]; ok {
			delete(s.waiting, reply.Id)
			ch <- reply // buffered
		}
		s.mu.Unlock()
	}
}

// hangUp tells all who wait that no reply will come; the host may open another stream.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream, s.opened = nil, make(chan struct{})
	for id, ch := range s.waiting {
		delete(s.waiting, id)
		ch <- &wirev1.HostReply{Id: id, Error: "the host has ended the stream of host calls"}
	}
}

func (s *server) ask(ctx context.Context, call *wirev1.HostCall) ([]Item, error) {
	s.mu.Lock()
	opened := s.opened
	s.mu.Unlock()
	select {
	case <-opened:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	reply := make(chan *wirev1.HostReply, 1)
	s.mu.Lock()
	if s.stream == nil {
		s.mu.Unlock()
		return nil, errors.New("the host has ended the stream of host calls")
	}
	s.lastID++
	call.Id = s.lastID
	s.waiting[call.Id] = reply
	err := s.stream.Send(call)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-reply:
		if r.Error != "" {
			return nil, errors.New(r.Error)
		}
		return itemsFromProto(r.Items), nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, call.Id)
		s.mu.Unlock()
		return nil, ctx.Err()
	}
}

// hostData reads plugin data through the host, for one invocation.
type hostData struct {
	server *server
	callID string
}

var _ Data = (*hostData)(nil)

func (d *hostData) Get(ctx context.Context, key string) (Item, error) {
	items, err := d.server.ask(ctx, &wirev1.HostCall{CallId: d.callID, Call: &wirev1.HostCall_Get{Get: &wirev1.GetData{Key: key}}})
	if err != nil {
		return Item{}, err
	}
	if len(items) != 1 {
		return Item{}, errors.New("the host gave no answer to a read of data")
	}
	return items[0], nil
}

func (d *hostData) List(ctx context.Context, prefix, after string, limit int) ([]Item, error) {
	return d.server.ask(ctx, &wirev1.HostCall{CallId: d.callID, Call: &wirev1.HostCall_List{
		List: &wirev1.ListData{Prefix: prefix, After: after, Limit: int32(limit)}}})
}
