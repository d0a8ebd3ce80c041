package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// version of this build; `go build -ldflags "-X main.version=…"` sets another.
var version = "0.1.0"

// app is one call of the command line.
type app struct {
	settings settings
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	json     bool
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "shophand",
		Short:         "Automation for Shopify and WooCommerce shops that never loses an order",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.settings.complete(cmd.Flags())
		},
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.PersistentFlags().StringVar(&a.settings.Data, "data", "./shophand-data", "the data folder")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newServeCommand(a), newDemoCommand(a), newShopCommand(a), newConnectionCommand(a), newFlowCommand(a),
		newRunCommand(a), newEventCommand(a), newPluginCommand(a), newVersionCommand(a), newPluginProcessCommand(),
	)
	explainUsage(root)
	return withHint(root.ExecuteContext(ctx))
}
