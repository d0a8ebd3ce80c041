package pluginhost

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// attempt notes how far one call came on the wire. A call that failed before its request was handed to the
// connection cannot have taken effect, which gRPC's status codes do not tell.
type attempt struct {
	sent     atomic.Bool // the request's header went out; its payload may have
	answered atomic.Bool // an answer began to come
}

type attemptKey struct{}

func withAttempt(ctx context.Context, a *attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// attempts fills in the attempt of a call's context, if it has one.
type attempts struct{}

var _ stats.Handler = attempts{}

func (attempts) HandleRPC(ctx context.Context, s stats.RPCStats) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return
	}
	switch s.(type) {
	case *stats.OutHeader:
		a.sent.Store(true)
	case *stats.InHeader: // absent where the answer is nothing but a status
		a.answered.Store(true)
	}
}

func (attempts) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (attempts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (attempts) HandleConn(context.Context, stats.ConnStats)                       {}
