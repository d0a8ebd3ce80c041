package sdk

import (
	"context"
	"io"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/shophand/shophand/sdk/wire"
)

// Serve speaks with the host until the host ends it. It returns only when the host is gone; a program that
// was started by hand prints what it is and exits with status 1.
func (p *Plugin[C]) Serve() { Serve(p) }

// Serve is Plugin.Serve for any handler.
func Serve(h wire.Handler) {
	if os.Getenv(wire.Handshake().MagicCookieKey) == wire.Handshake().MagicCookieValue {
		go exitWithHost(os.Stdin)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: wire.Plugins(h),
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(wire.MaxToPlugin), grpc.MaxSendMsgSize(wire.MaxToHost),
				grpc.ChainUnaryInterceptor(recoverPanic))...)
		},
	})
}

// exitWithHost ends the process when its standard input ends: the host holds the other end of that pipe and
// never writes, so the end means that the host is gone, however it went.
func exitWithHost(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin)
	os.Exit(0)
}

// recoverPanic turns a panic outside of an action (Describe, Configure) into an error of that call.
func recoverPanic(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = status.Errorf(codes.Internal, "the plugin panicked: %v", cause)
		}
	}()
	return next(ctx, req)
}
