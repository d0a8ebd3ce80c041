package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme carries out every command of the README in its order, on a host that runs as the README says, and
// holds what it shows against what there is.
func TestReadme(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	env := append(os.Environ(), "SHOPHAND_TEST_MAIN=1", "SHOPHAND_DATA="+filepath.Join(t.TempDir(), "data"), "SHOPHAND_LISTEN=127.0.0.1:0")
	command := func(args ...string) (string, error) {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env, cmd.Dir = env, "../.."
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	serving := false
	for _, line := range indented(text) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "export "):
			env = append(env, words[1])
		case line == "./shophand serve":
			if !serving {
				serving = true
				startServe(t, env)
			}
		case words[0] == "./shophand":
			if out, err := command(words[1:]...); err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		case line == "go run ./cmd/shophand demo": // carried out by the demo's own test
		case line == "go test ./...": // this is it
		case line == "go build -o shophand ./cmd/shophand": // the test binary stands in for it
		default:
			t.Errorf("the README has a command that no test carries out: %s", line)
		}
	}
	if !serving {
		t.Fatal("the README does not start a host")
	}

	flow := filepath.Join(t.TempDir(), "flow.yaml")
	write(t, flow, fence(t, text, "yaml"))
	if out, err := command("flow", "validate", flow); err != nil {
		t.Errorf("the README's flow is refused: %s", out)
	}

	write(t, flow, "flow: x\non: order.payed\nif: order.totl > 100\nsteps:\n  - do: loyalty/awrd\n    with: {customer: \"${customer.id}\"}\n")
	out, err := command("flow", "validate", flow)
	if err == nil {
		t.Error("the flow with three mistakes is taken")
	}
	for _, finding := range strings.Split(out, "\n") {
		if i := strings.Index(finding, "flow.yaml:"); i >= 0 && !strings.Contains(text, finding[i:]) {
			t.Errorf("the README does not show the finding as it is: %s", finding[i:])
		}
	}

	plugin := filepath.Join(t.TempDir(), "main.go")
	write(t, plugin, fence(t, text, "go"))
	vet := exec.Command("go", "vet", plugin)
	vet.Dir = "../.."
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("the README's plugin: %v\n%s", err, out)
	}
}

// indented returns the lines of the README's indented blocks, which hold its commands.
func indented(text string) (lines []string) {
	fenced := false
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		line := scanner.Text()
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if command, ok := strings.CutPrefix(line, "    "); ok && !fenced {
			lines = append(lines, command)
		}
	}
	return lines
}

// fence returns the first block of a language.
func fence(t *testing.T, text, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "```"+language+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the README has no block of %s", language)
	}
	return block
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startServe starts a host and returns when it says that it listens. It ends with the test.
func startServe(t *testing.T, env []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "serve")
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = env, &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve: %v\n%s", err, stderr.String())
		}
	})
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		if strings.Contains(scanner.Text(), "listens on") {
			go func() { // what it prints later must not fill the pipe
				for scanner.Scan() {
				}
			}()
			return
		}
	}
	t.Fatalf("serve ended at once: %s", stderr.String())
}
