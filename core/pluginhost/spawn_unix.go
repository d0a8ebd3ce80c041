//go:build unix && !linux

package pluginhost

import (
	"os"
	"os/exec"
	"syscall"
)

// spawner starts processes.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

// start starts cmd as the leader of a process group of its own.
func (*spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

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

// reap kills what is left of the group of a process that has ended.
func reap(cmd *exec.Cmd) { killGroup(cmd.Process) }

// killGroup kills the process and its group.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
