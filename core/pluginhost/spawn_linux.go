package pluginhost

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts processes from one thread that lives as long as the spawner: the kernel sends a process its
// death signal when the thread that started it ends, and Go ends threads as it likes.
type spawner struct{ requests chan spawnRequest }

type spawnRequest struct {
	cmd  *exec.Cmd
	done chan error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest)}
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends with this goroutine
		for r := range s.requests {
			r.done <- r.cmd.Start()
		}
	}()
	return s
}

// start starts cmd as the leader of a process group of its own. It must not be called after close.
func (s *spawner) start(cmd *exec.Cmd) error {
	// Go marks all its files close-on-exec; those that this process was itself started with are not.
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) // kernels before 5.11 don't know it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := spawnRequest{cmd: cmd, done: make(chan error, 1)}
	s.requests <- r
	return <-r.done
}

// close ends the thread, and so kills what still lives.
func (s *spawner) close() { close(s.requests) }

// selfPath is the file that this process runs, also when another one has its name by now. It is resolved in
// the child, of which it is the executable until it starts another. /proc/PID/exe would not do: where the
// binary has capabilities, as for a port below 1024, the kernel keeps it from the child.
func selfPath() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Readlink(self); err != nil { // no /proc
		return os.Executable()
	}
	return self, nil
}

// stdinPipe returns a pipe and, opened once more, its reading end for killGroupWithHost.
func stdinPipe() (r, w, alarm *os.File, err error) {
	r, first, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = first.Close() }()
	again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(int(r.Fd())), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("opening the pipe again: %w", err), r.Close())
	}
	last, err := unix.FcntlInt(first.Fd(), unix.F_DUPFD_CLOEXEC, again+1)
	if err != nil {
		return nil, nil, nil, errors.Join(err, r.Close(), unix.Close(again))
	}
	return r, os.NewFile(uintptr(last), "|1"), os.NewFile(uintptr(again), "|0"), nil
}

// killGroupWithHost has the kernel kill the process group of pid when the writing end of the pipe closes, as it
// does when this process ends in any way. The death signal reaches only the process that we started; this
// reaches its children too, also where it is dead or has closed its standard input.
//
// The signal belongs to an open file, so that must outlive the writing end. Of the files of a process that
// ends, the kernel closes the one with the highest number first, so the writing end has a higher one than
// alarm; and alarm is a file that the plugin does not share, because a plugin that ends at the same moment
// could otherwise be the one that closes it, too early.
func killGroupWithHost(alarm *os.File, pid int) error {
	conn, err := alarm.SyscallConn()
	if err != nil {
		return err
	}
	failed := conn.Control(func(fd uintptr) {
		if _, err = unix.FcntlInt(fd, unix.F_SETOWN, -pid); err != nil {
			return
		}
		if _, err = unix.FcntlInt(fd, unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
			return
		}
		var flags int
		if flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0); err != nil {
			return
		}
		_, err = unix.FcntlInt(fd, unix.F_SETFL, flags|unix.O_ASYNC)
	})
	if failed != nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("tying the process group to the host: %w", err)
	}
	return nil
}

// awaitExit returns when the process has ended; its id stays taken until reap.
func awaitExit(cmd *exec.Cmd) {
	for {
		if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return
		}
	}
}

// reap kills what is left of the group of a process that has ended, and takes its exit status.
func reap(cmd *exec.Cmd) {
	killGroup(cmd.Process)
	_ = cmd.Wait()
}

// killGroup kills the process and its group. It must not be called after reap: the id may be another's then.
func killGroup(p *os.Process) { _ = unix.Kill(-p.Pid, unix.SIGKILL) }
