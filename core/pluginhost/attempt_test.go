package pluginhost

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// TestAttempt: only a request that surely stayed here counts as not sent.
func TestAttempt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ask := func(name string) *attempt {
		conn, err := grpc.NewClient("unix:"+filepath.Join(dir, name), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(attempts{}))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		a := &attempt{}
		_, _ = grpc_health_v1.NewHealthClient(conn).Check(withAttempt(t.Context(), a), &grpc_health_v1.HealthCheckRequest{})
		return a
	}
	listen := func(name string, options ...grpc.ServerOption) *grpc.Server {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer(options...)
		grpc_health_v1.RegisterHealthServer(s, health.NewServer())
		go func() { _ = s.Serve(l) }()
		t.Cleanup(s.Stop)
		return s
	}
	if a := ask("nobody"); a.sent.Load() || a.answered.Load() {
		t.Error("nobody listens, and the request counts as sent")
	}
	listen("answers")
	if a := ask("answers"); !a.sent.Load() || !a.answered.Load() {
		t.Error("an answer came, and the request does not count as sent and answered")
	}
	var s *grpc.Server
	s = listen("breaks", grpc.UnaryInterceptor(func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		go s.Stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	if a := ask("breaks"); !a.sent.Load() || a.answered.Load() {
		t.Error("the connection broke under way, and the request does not count as sent")
	}
}
