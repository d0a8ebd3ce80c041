package wire

import (
	"context"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	wirev1 "github.com/shophand/shophand/sdk/wire/v1"
)

// GRPCPlugin joins the contract to go-plugin. The plugin's side sets Handler; the host's side leaves it nil
// and gets a *Client from Dispense.
type GRPCPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	Handler Handler
}

var _ plugin.GRPCPlugin = (*GRPCPlugin)(nil)

// GRPCServer registers the plugin's service.
func (p *GRPCPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	Register(s, p.Handler)
	return nil
}

// GRPCClient returns the host's end, a *Client, which ends with ctx.
func (p *GRPCPlugin) GRPCClient(ctx context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(ctx, conn)
}

// Plugins is the set of versions that one side knows, for go-plugin's negotiation.
func Plugins(h Handler) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version1: {PluginKey: &GRPCPlugin{Handler: h}}}
}

// Register puts a handler's service on a gRPC server.
func Register(s *grpc.Server, h Handler) {
	wirev1.RegisterPluginServer(s, newServer(h))
}
