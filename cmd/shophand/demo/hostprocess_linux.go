package demo

import "syscall"

// processAttributes keep Ctrl-C from the host, so that the demo stops it in order, and have the kernel stop it
// where the demo itself is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
