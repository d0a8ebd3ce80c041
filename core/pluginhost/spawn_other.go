//go:build !unix

package pluginhost

import (
	"os"
	"os/exec"
)

// spawner starts processes.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

func (*spawner) start(cmd *exec.Cmd) error { return cmd.Start() }

func (*spawner) close() {}

func selfPath() (string, error) { return os.Executable() }

func stdinPipe() (r, w, alarm *os.File, err error) {
	r, w, err = os.Pipe()
	return r, w, nil, err
}

// killGroupWithHost does nothing: here a plugin ends with its host by the end of its standard input.
func killGroupWithHost(*os.File, int) error { return nil }

// awaitExit returns when the process has ended, with its exit status in cmd.
func awaitExit(cmd *exec.Cmd) { _ = cmd.Wait() }

// reap does nothing: there are no groups here.
func reap(*exec.Cmd) {}

// killGroup kills the process; there are no groups here.
func killGroup(p *os.Process) { _ = p.Kill() }
