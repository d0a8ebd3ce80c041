package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the real command: the tests start it again as a process of its own, and it
// starts itself again as its plugins.
func TestMain(m *testing.M) {
	asPlugin := len(os.Args) > 1 && os.Args[1] == pluginProcess // plugins inherit no environment
	if !asPlugin && os.Getenv("SHOPHAND_TEST_MAIN") != "1" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "shophand: "+err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}
