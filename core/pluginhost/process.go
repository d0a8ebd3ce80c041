package pluginhost

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/shophand/shophand/sdk/wire"
)

// process is a plugin that was started and answers. What is below the line belongs to its supervisor, under
// the supervisor's lock.
type process struct {
	child       *child
	client      *plugin.Client
	wire        *wire.Client
	health      grpc_health_v1.HealthClient
	description wire.Description
	started     time.Time
	life        context.Context // ends when the process has
	stopping    sync.Once

	calls    int         // in flight
	hung     int         // calls in a row that ended without an answer in time
	checking bool        // a health check is under way
	leaving  bool        // gets no more calls; it ends when its last one has
	idle     *time.Timer // stops it when nobody calls it
}

// scratchPrefix begins the names of working folders. It is short because unix sockets in them have long names.
const scratchPrefix = "shp-"

// maxSocketDir is the longest folder in which go-plugin can make its sockets, by the least of what systems
// allow for a socket's name (104 bytes on macOS).
const maxSocketDir = 60

// start starts a process of p and asks it what it is; ctx and the host's end cut that short. The error, of one
// line, goes on from the plugin's name. Nothing of the process lives on when it failed.
func (h *Host) start(ctx context.Context, p Program) (*process, error) {
	begun := h.config.Now()
	if err := verify(p); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(h.config.ScratchDir, scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("could not be started: making its working folder: %w", err)
	}
	log := h.config.Log.With("plugin", p.Name)
	out := newOutput(log, h.config.Now, h.config.LogLines, h.config.Redact)
	c := newChild(p, h.spawner, dir, out)
	var sockets plugin.UnixSocketConfig
	if len(dir) <= maxSocketDir {
		sockets.TempDir = dir
	}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: wire.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, sockets string) (runner.Runner, error) {
			c.sockets = sockets
			c.env = append(append([]string{}, p.Env...), cmd.Env...) // of two alike the last counts
			return c, nil
		},
		StartTimeout:     2 * h.config.StartTimeout, // the watchdog below comes first
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       out.writer(out.stdoutLine),
		SyncStderr:       out.writer(out.stderrLine),
		UnixSocketConfig: &sockets,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxToHost), grpc.MaxCallSendMsgSize(wire.MaxToPlugin)),
			grpc.WithStatsHandler(attempts{}),
		},
	})
	watchdog := time.AfterFunc(h.config.StartTimeout, func() {
		c.kill(fmt.Sprintf("was not ready within %s", h.config.StartTimeout))
	})
	defer watchdog.Stop()
	for _, ctx := range []context.Context{ctx, h.life} {
		unwatch := context.AfterFunc(ctx, func() { c.kill("was stopped before it was ready") })
		defer unwatch()
	}

	proc := &process{child: c, client: client}
	if err := proc.connect(p.Name, h.config.StartTimeout); err != nil {
		c.kill("")
		client.Kill()
		if c.pid() != 0 {
			<-c.exited
		}
		c.removeFolders()
		return nil, errors.New(c.startFailure(err))
	}
	var ended context.CancelFunc
	proc.life, ended = context.WithCancel(context.Background())
	go func() {
		<-c.dead
		ended()
	}()
	proc.started = h.config.Now()
	log.Info("plugin started", "version", proc.description.Version, "pid", c.pid(), "took", proc.started.Sub(begun))
	return proc, nil
}

// connect starts the process, opens the connection and has the plugin describe itself.
func (p *process) connect(name string, timeout time.Duration) error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	conn, ok := protocol.(*plugin.GRPCClient)
	if !ok {
		return fmt.Errorf("it speaks %T", protocol)
	}
	raw, err := protocol.Dispense(wire.PluginKey)
	if err != nil {
		return err
	}
	if p.wire, ok = raw.(*wire.Client); !ok {
		return fmt.Errorf("its service is a %T", raw)
	}
	p.health = grpc_health_v1.NewHealthClient(conn.Conn)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if p.description, err = p.wire.Describe(ctx); err != nil {
		return fmt.Errorf("asking what it is: %w", err)
	}
	return checkDescription(name, p.description)
}

// verify checks the executable against its checksum.
func verify(p Program) error {
	if p.SHA256 == nil {
		return nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return fmt.Errorf("could not be checked: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("could not be checked: %w", err)
	}
	if got := sum.Sum(nil); subtle.ConstantTimeCompare(got, p.SHA256) != 1 {
		return fmt.Errorf("is not the program that was installed: %s has the SHA-256 %x, not %x; install it again if you trust it", p.Path, got, p.SHA256)
	}
	return nil
}

// ping asks for the plugin's health and gives it d for the answer.
func (p *process) ping(d time.Duration) error {
	ctx, cancel := context.WithTimeout(p.life, d)
	defer cancel()
	_, err := p.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	return err
}

// stop asks the process to end, kills it after the grace, and removes what it leaves. It returns when all is
// gone; it is safe to call again, also for a process that has ended.
func (p *process) stop(grace time.Duration) {
	p.stopping.Do(func() {
		// go-plugin asks without a deadline, so a process that hangs must be killed beside it.
		timer := time.AfterFunc(grace, func() { p.child.kill("") })
		p.client.Kill()
		timer.Stop()
		p.child.kill("")
		<-p.child.exited
		p.child.removeFolders()
	})
}

// removeScratch removes the working folders that an earlier host left in dir.
func removeScratch(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, scratchPrefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range left {
		errs = append(errs, os.RemoveAll(d))
	}
	return errors.Join(errs...)
}
