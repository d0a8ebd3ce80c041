//go:build unix

package pluginhost_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/shophand/shophand/core/pluginhost"
	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// secret is in the environment of the tests, and of nothing that they start.
const secret = "SHOPHAND_TEST_SECRET"

// TestMain is also the plugin, the plugin's child and the host that the tests start: the test binary runs
// itself with one of these as its first argument.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "plugin":
			servePlugin(os.Args[2], os.Args[3:])
			return
		case "child":
			blockForAMinute()
			return
		case "host":
			hostPlugins()
			return
		}
	}
	_ = os.Setenv(secret, "hunter2")
	os.Exit(m.Run())
}

// blockForAMinute is for processes that a test ends; should it not, they end themselves.
func blockForAMinute() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	_ = r.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = r.Read(make([]byte, 1))
	_ = w.Close()
}

// servePlugin is the plugin. What is special of it comes as arguments of the form key=value.
func servePlugin(name string, args []string) {
	p := abusive{name: name, version: "1.0.0"}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "version":
			p.version = value
		case "name":
			p.name = value
		case "print":
			fmt.Println(value)
		case "exit":
			fmt.Fprintln(os.Stderr, "no licence found")
			status, _ := strconv.Atoi(value)
			os.Exit(status)
		case "wait": // for a writer of the named pipe
			f, err := os.Open(value)
			if err != nil {
				panic(err)
			}
			_, _ = io.Copy(io.Discard, f)
		case "block":
			blockForAMinute()
		case "foreign": // without the SDK: gRPC's own limits, standard input not watched but closed
			_ = os.Stdin.Close()
			plugin.Serve(&plugin.ServeConfig{
				HandshakeConfig: wire.Handshake(), VersionedPlugins: wire.Plugins(p), GRPCServer: plugin.DefaultGRPCServer,
			})
			return
		case "baddescription":
			p.config = json.RawMessage("{")
		}
	}
	sdk.Serve(p)
}

// abusive is a plugin whose actions do what no plugin should.
type abusive struct {
	name, version string
	config        json.RawMessage
}

func (p abusive) Describe(context.Context) (wire.Description, error) {
	return wire.Description{Name: p.name, Version: p.version, Config: p.config}, nil
}

func (abusive) Configure(_ context.Context, config json.RawMessage, shop wire.Shop) error {
	if string(config) != `{"token":"right"}` {
		return &wire.Failure{Code: wire.Unauthorized, Message: "wrong token for " + shop.Name, Permanent: true}
	}
	return nil
}

func (p abusive) Invoke(ctx context.Context, inv wire.Invocation, data wire.Data) (wire.Result, error) {
	number, _ := strconv.Atoi(string(inv.Input))
	switch inv.Action {
	case "echo":
		return wire.Result{Output: inv.Input}, nil
	case "size":
		return result(len(inv.Input))
	case "pid":
		return result(os.Getpid())
	case "version":
		return result(p.version)
	case "panic":
		panic("boom")
	case "panic_go":
		go panic("boom in a goroutine")
		select {}
	case "exit":
		fmt.Fprintln(rawStderr{}, "bye")
		os.Exit(number)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "freeze":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {}
	case "hang":
		select {}
	case "block": // until the host answers a read
		if _, err := data.Get(context.WithoutCancel(ctx), "gate"); err != nil {
			return wire.Result{}, err
		}
		return result("through")
	case "error":
		return wire.Result{}, errors.New("broken inside")
	case "unavailable":
		return wire.Result{}, status.Error(codes.Unavailable, "come back later")
	case "early": // says that its time is over, though it is not
		return wire.Result{}, status.Error(codes.DeadlineExceeded, "the vendor took too long")
	case "bytes":
		return wire.Result{Output: json.RawMessage(`"` + strings.Repeat("x", number-2) + `"`)}, nil
	case "not_json":
		return wire.Result{Output: json.RawMessage("{oops")}, nil
	case "nothing":
		return wire.Result{}, nil
	case "big_write":
		return wire.Result{Output: json.RawMessage("{}"), Writes: []wire.Write{{Key: "k", Value: json.RawMessage(`"` + strings.Repeat("x", number) + `"`)}}}, nil
	case "long_failure":
		return wire.Result{Failure: &wire.Failure{Code: wire.Internal, Message: strings.Repeat("é", number)}}, nil
	case "stdout":
		fmt.Println("noise on standard output")
		_, _ = syscall.Write(1, []byte("raw noise\n"+strings.Repeat("x", 1<<20)+"\n")) // go-plugin's reader stops at such a line
		return result("printed")
	case "stderr":
		var text string
		_ = json.Unmarshal(inv.Input, &text)
		_, _ = syscall.Write(2, []byte(text))
		return result("printed")
	case "flood":
		w := bufio.NewWriterSize(rawStderr{}, 32<<10)
		for i := 0; i*100 < number; i++ {
			fmt.Fprintf(w, "%099d\n", i)
		}
		_ = w.Flush()
		return result("flooded")
	case "surroundings":
		return surroundings()
	case "grandchild":
		child := exec.Command("/proc/self/exe", "child", "of-"+p.name)
		if err := child.Start(); err != nil {
			return wire.Result{}, err
		}
		return result([]int{os.Getpid(), child.Process.Pid})
	case "read":
		item, err := data.Get(ctx, "key")
		if err != nil {
			return wire.Result{}, err
		}
		items, err := data.List(ctx, "k", "", number)
		if err != nil {
			return result(string(item.Value) + " " + err.Error())
		}
		return result(fmt.Sprintf("%s %d", item.Value, len(items)))
	}
	return wire.Result{Failure: &wire.Failure{Code: wire.NotFound, Message: "no action " + inv.Action}}, nil
}

// rawStderr is the process's standard error; os.Stderr is go-plugin's by then.
type rawStderr struct{}

func (rawStderr) Write(b []byte) (int, error) { return syscall.Write(2, b) }

func result(v any) (wire.Result, error) {
	raw, err := json.Marshal(v)
	return wire.Result{Output: raw}, err
}

// environment is what a plugin inherited.
type environment struct {
	Env   []string
	Files map[string]string // by number
	Dir   string
}

func surroundings() (wire.Result, error) {
	e := environment{Env: os.Environ(), Files: map[string]string{}}
	e.Dir, _ = os.Getwd()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return wire.Result{}, err
	}
	for _, f := range entries {
		e.Files[f.Name()], _ = os.Readlink("/proc/self/fd/" + f.Name())
	}
	return result(e)
}

// hostPlugins is a host in a process of its own: it starts plugins with children, prints all their process ids
// as JSON and goes on until it is killed.
//
// Its arguments are its folder for scratch files and, where it is to go on without it, its own file.
func hostPlugins() {
	if len(os.Args) > 3 {
		if err := os.Remove(os.Args[3]); err != nil {
			panic(err)
		}
		if err := os.WriteFile(os.Args[3], []byte("another program"), 0o700); err != nil {
			panic(err)
		}
	}
	h, err := pluginhost.New(pluginhost.Config{ScratchDir: os.Args[2], Programs: []pluginhost.Program{
		{Name: "one", Args: []string{"plugin", "one"}},
		{Name: "foreign", Args: []string{"plugin", "foreign", "foreign"}},
	}})
	if err != nil {
		panic(err)
	}
	var out struct {
		PIDs         []int
		Surroundings environment
	}
	for _, name := range []string{"one", "foreign"} {
		r, err := h.Invoke(context.Background(), name, wire.Invocation{Action: "grandchild"}, nil)
		if err != nil {
			panic(err)
		}
		var pids []int
		if err := json.Unmarshal(r.Output, &pids); err != nil {
			panic(err)
		}
		out.PIDs = append(out.PIDs, pids...)
	}
	r, err := h.Invoke(context.Background(), "one", wire.Invocation{Action: "surroundings"}, nil)
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(r.Output, &out.Surroundings); err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
	blockForAMinute()
}
