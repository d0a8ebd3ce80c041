package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// pluginProcess is the command by which the host starts this binary as one of its plugins.
const pluginProcess = "plugin-process"

func newPluginProcessCommand() *cobra.Command {
	return &cobra.Command{
		Use: pluginProcess + " NAME", Hidden: true, Args: cobra.ExactArgs(1),
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil }, // it has no settings
		RunE: func(_ *cobra.Command, args []string) error {
			for _, b := range builtins() {
				if b.Description().Name == args[0] {
					b.Serve()
					return nil
				}
			}
			return fmt.Errorf("there is no built-in plugin %q", args[0])
		},
	}
}
