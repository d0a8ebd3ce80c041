package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

// stopTimeout bounds a shutdown: actions at work get so long to end. What does not is taken up again at the
// next start.
const stopTimeout = 8 * time.Second

func newServeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the host: take webhooks in and carry flows out", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.newHost(hostOptions{logger: slog.New(slog.NewJSONHandler(a.stderr, nil))})
			if err != nil {
				return err
			}
			if path := h.NewAdminTokenFile(); path != "" {
				fmt.Fprintf(a.stdout, "admin token: %s (kept in %s)\n", h.AdminToken().Reveal(), path)
			}
			fmt.Fprintf(a.stdout, "shophand %s listens on %s, data in %s\n", version, h.URL(), a.settings.Data)
			err = h.Run(cmd.Context())
			ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			return errors.Join(err, h.Close(ctx))
		},
	}
	cmd.Flags().StringVar(&a.settings.Listen, "listen", "", "address to listen on (default 127.0.0.1:8080)")
	return cmd
}
