package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/shophand/shophand/core/host"
)

// hostProcess is `shophand serve` as a process of its own, on a data folder of its own, with an environment in
// which nothing is configured but what the demo needs. It can be killed and started again.
type hostProcess struct {
	executable string
	data       string
	logFile    string
	url        string // "" before the first start; the same after each
	token      string

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
}

// startTimeout and stopTimeout are how long a host may take on a very slow machine.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 30 * time.Second
)

func newHostProcess(executable, folder string) *hostProcess {
	ended := make(chan struct{})
	close(ended)
	return &hostProcess{
		executable: executable, data: filepath.Join(folder, "data"), logFile: filepath.Join(folder, "host.log"), exited: ended,
	}
}

// environment is ours without any setting of Shophand, and with those of the demo.
func (h *hostProcess) environment() []string {
	listen := "127.0.0.1:0"
	if u, err := url.Parse(h.url); err == nil && u.Host != "" {
		listen = u.Host
	}
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SHOPHAND_") && !strings.HasPrefix(pair, "SHOPIFY_") {
			env = append(env, pair)
		}
	}
	return append(env, "SHOPHAND_DATA="+h.data, "SHOPHAND_LISTEN="+listen, "SHOPHAND_ALLOW_PRIVATE_HTTP=1", "SHOPIFY_API_SECRET="+shopifySecret)
}

// start starts the host and returns when it takes webhooks.
func (h *hostProcess) start(ctx context.Context) error {
	log, err := os.OpenFile(h.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the host's log: %w", err)
	}
	cmd := exec.Command(h.executable, "serve")
	cmd.Args[0] = "shophand"
	cmd.Env, cmd.Stderr = h.environment(), log
	cmd.SysProcAttr = processAttributes()
	begun, exited := make(chan error, 1), make(chan struct{})
	go func() {
		// Where the kernel ends the host together with the demo, it is by the thread that started it.
		runtime.LockOSThread()
		err := cmd.Start()
		begun <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is told by who ended it, or by its log
			close(exited)
		}
	}()
	err = <-begun
	_ = log.Close() // the host has its own
	if err != nil {
		return fmt.Errorf("starting the host: %w", err)
	}
	h.cmd, h.exited = cmd, exited
	return h.ready(ctx)
}

// ready waits until the host takes webhooks.
func (h *hostProcess) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		running, err := host.Find(h.data)
		if err == nil && running != nil && running.PID == h.pid() {
			h.url, h.token = running.URL, running.Token.Reveal()
			if status, _, err := get(ctx, h.url+"/readyz"); err == nil && status == http.StatusOK {
				return nil
			}
		}
		select {
		case <-h.exited:
			return errors.New("the host ended before it took webhooks")
		case <-ctx.Done():
			return fmt.Errorf("the host did not take webhooks in time: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *hostProcess) pid() int {
	if h.cmd == nil || h.cmd.Process == nil {
		return 0
	}
	return h.cmd.Process.Pid
}

func (h *hostProcess) running() bool {
	select {
	case <-h.exited:
		return false
	default:
		return true
	}
}

// kill ends the host as kill -9 does, and returns when it is gone.
func (h *hostProcess) kill() error {
	if err := h.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing the host: %w", err)
	}
	<-h.exited
	return nil
}

// stop asks the host to end and waits for it. One that does not is killed, which is an error.
func (h *hostProcess) stop() error {
	if !h.running() {
		return nil
	}
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the host: %w", err)
	}
	select {
	case <-h.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("the host did not stop within %s and was killed", stopTimeout), h.kill())
	}
}

// run runs another command of this binary on the host's data folder, and returns what it printed.
func (h *hostProcess) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.executable, args...)
	cmd.Args[0] = "shophand"
	cmd.Env = h.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("shophand %s: %w: %s", strings.Join(args[:min(len(args), 3)], " "), err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// log returns all that the host has logged.
func (h *hostProcess) log() string {
	raw, err := os.ReadFile(h.logFile)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// tail returns the last lines of the host's log.
func (h *hostProcess) tail(n int) string {
	lines := bytes.Split(bytes.TrimSpace([]byte(h.log())), []byte("\n"))
	lines = lines[max(len(lines)-n, 0):]
	return "     " + string(bytes.Join(lines, []byte("\n     ")))
}

// alive tells whether a process still does anything: one that has ended and waits for its parent does not.
func alive(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil { // no /proc
		return true
	}
	_, after, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')'):], []byte(" "))
	return !bytes.HasPrefix(after, []byte("Z")) && !bytes.HasPrefix(after, []byte("X"))
}
