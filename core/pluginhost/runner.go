package pluginhost

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// child is one plugin process as the operating system has it. It stands between the process and go-plugin:
// go-plugin gets to see the handshake line and nothing else that the process prints, because its own reader
// stops at a long line and panics at an unexpected one.
type child struct {
	program Program
	spawner *spawner
	dir     string // working folder
	sockets string // folder of its sockets, set before the start
	env     []string
	output  *output

	handshake *io.PipeReader
	answer    *io.PipeWriter // its other end

	// dead is closed when the process has ended, exited when all that it printed was read too.
	dead, exited chan struct{}

	mu     sync.Mutex
	cmd    *exec.Cmd // set once it was started
	reaped bool
	why    string // why the host killed it; empty where it did not
	killed bool
	first  string // the first line on standard output
}

var _ runner.Runner = (*child)(nil)

func newChild(p Program, s *spawner, dir string, o *output) *child {
	c := &child{program: p, spawner: s, dir: dir, output: o, dead: make(chan struct{}), exited: make(chan struct{})}
	c.handshake, c.answer = io.Pipe()
	return c
}

// handshakeLine is how the line starts in which a plugin says where it listens: version of the handshake,
// version of the contract.
const handshakeLine = `^[0-9]+\|([0-9]+)\|`

// Start starts the process.
func (c *child) Start(context.Context) (err error) {
	path := c.program.Path
	name := filepath.Base(path)
	if path == "" {
		if path, err = selfPath(); err != nil {
			return fmt.Errorf("finding the running program: %w", err)
		}
		name = os.Args[0]
	}
	var mine, theirs []io.Closer
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(mine)
		}
	}()
	stdin, stdinWriter, alarm, err := stdinPipe()
	if err != nil {
		return err
	}
	mine, theirs = append(mine, alarm, stdinWriter), append(theirs, stdin)
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	mine, theirs = append(mine, stdout), append(theirs, stdoutWriter)
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	mine, theirs = append(mine, stderr), append(theirs, stderrWriter)

	cmd := &exec.Cmd{
		Path: path, Args: append([]string{name}, c.program.Args...), Env: c.env, Dir: c.dir,
		Stdin: stdin, Stdout: stdoutWriter, Stderr: stderrWriter,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return errors.New("stopped before it was started")
	}
	if err := c.spawner.start(cmd); err != nil {
		return err
	}
	c.cmd = cmd
	if err := killGroupWithHost(alarm, cmd.Process.Pid); err != nil {
		c.output.log.Warn("plugin's own children may outlive a killed host", "error", err) // its death signal and its standard input are left
	}
	var reading sync.WaitGroup
	reading.Go(func() { c.readStdout(stdout) })
	reading.Go(func() { c.output.readStderr(stderr) })
	go c.watch([]*os.File{alarm, stdinWriter, stdout, stderr}, &reading)
	return nil
}

// watch waits for the end of the process. Until then the host holds these ends of its pipes.
func (c *child) watch(pipes []*os.File, reading *sync.WaitGroup) {
	awaitExit(c.cmd)
	c.mu.Lock()
	reap(c.cmd)
	c.reaped = true
	c.mu.Unlock()
	close(c.dead)
	// What it printed is still in the pipes. They end at once, but for a process that left the group.
	for _, f := range pipes { // those that are read
		_ = f.SetReadDeadline(time.Now().Add(time.Second))
	}
	reading.Wait()
	for _, f := range pipes { // alarm first: it is not to ring for one that ended by itself
		_ = f.Close()
	}
	c.output.end()
	close(c.exited)
}

func closeAll(files []io.Closer) {
	for _, f := range files {
		_ = f.Close()
	}
}

// readStdout hands the handshake to go-plugin and the rest to the log.
func (c *child) readStdout(r io.Reader) {
	defer func() { _ = c.answer.Close() }()
	lines := bufio.NewReaderSize(r, maxLine)
	first, err := lines.ReadSlice('\n')
	c.mu.Lock()
	c.first = string(bytes.TrimRight(first, "\r\n"))
	line := c.first
	c.mu.Unlock()
	if err != nil || !regexp.MustCompile(handshakeLine).MatchString(line) {
		_ = c.answer.Close() // the start fails now
		if len(line) == 0 && err != nil {
			return
		}
	} else if _, err := io.WriteString(c.answer, line+"\n"); err != nil {
		return
	}
	c.output.readStdout(lines)
}

// kill kills the process and its group for the reason that reads on from the plugin's name; the first reason
// counts. It does not wait.
func (c *child) kill(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return
	}
	if !c.killed {
		c.killed, c.why = true, why
	}
	if c.cmd != nil {
		killGroup(c.cmd.Process)
	}
}

// end says how the process ended, as a sentence that goes on from the plugin's name, with while in it. It is
// for after exited.
func (c *child) end(while string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var how string
	switch {
	case c.why != "":
		how = c.why
	case c.cmd == nil || c.cmd.ProcessState == nil:
		how = "ended"
	case c.cmd.ProcessState.Exited():
		how = fmt.Sprintf("exited with status %d", c.cmd.ProcessState.ExitCode())
	default:
		how = "was ended by " + c.cmd.ProcessState.String() // "signal: killed"
	}
	how += while
	if words := c.output.lastWords(c.cmd != nil && c.cmd.ProcessState.ExitCode() == 2); words != "" {
		how += "; last words: " + words
	}
	return how
}

// startFailure says why the process did not become a plugin, as end does; err is what go-plugin made of it. It is
// for after exited, where there was a process.
func (c *child) startFailure(err error) string {
	c.mu.Lock()
	first, started, why := c.first, c.cmd != nil, c.why
	itself := c.cmd != nil && c.cmd.ProcessState != nil && (c.cmd.ProcessState.Exited() || !c.killed)
	c.mu.Unlock()
	version := regexp.MustCompile(handshakeLine).FindStringSubmatch(first)
	switch {
	case !started:
		return "could not be started: " + err.Error()
	case first != "" && version == nil:
		return fmt.Sprintf("printed %s on standard output before the handshake; a plugin prints nothing there (log with the SDK or to standard error)",
			cut(strconv.Quote(cut(c.output.redact(first), 200)), 240))
	case why != "":
		return c.end("")
	case version != nil && strings.Contains(err.Error(), "incompatible API version"):
		return fmt.Sprintf("speaks version %s of the plugin contract, which this host does not: build it with this host's SDK, or upgrade the host", version[1])
	case itself:
		return c.end(" before it was ready")
	}
	return "could not be used: " + cut(err.Error(), maxMessage)
}

// removeFolders removes what the process leaves on disk. go-plugin forgets its folder where a start failed.
func (c *child) removeFolders() {
	for _, dir := range []string{c.dir, c.sockets} {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
}

// Wait returns when the process has ended.
func (c *child) Wait(context.Context) error {
	<-c.exited
	return nil
}

// Kill kills the process.
func (c *child) Kill(context.Context) error {
	c.kill("")
	return nil
}

// Stdout is the handshake line, and the end of the process.
func (c *child) Stdout() io.ReadCloser { return c.handshake }

// Stderr is nothing: the host reads it itself.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the plugin's name.
func (c *child) Name() string { return c.program.Name }

// Diagnose has nothing to add.
func (c *child) Diagnose(context.Context) string { return "" }

// ID is the process id; empty before the start.
func (c *child) ID() string {
	if pid := c.pid(); pid != 0 {
		return strconv.Itoa(pid)
	}
	return ""
}

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return 0
	}
	return c.cmd.Process.Pid
}

// PluginToHost lets a plugin name nothing but this machine as the place where it listens.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	if network == "unix" {
		return network, address, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("it listens on %q, which is no address", address)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", "", fmt.Errorf("it listens on %q; only a loopback address or a unix socket is used", address)
	}
	return network, address, nil
}

// HostToPlugin changes nothing.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
