//go:build unix && !linux

package demo

import "syscall"

// processAttributes keep Ctrl-C from the host, so that the demo stops it in order.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
