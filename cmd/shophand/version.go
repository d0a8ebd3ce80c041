package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				_, err := fmt.Fprintf(a.stdout, "{\"version\": %q, \"go\": %q}\n", version, runtime.Version())
				return err
			}
			_, err := fmt.Fprintf(a.stdout, "shophand %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
