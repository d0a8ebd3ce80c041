package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shophand/shophand/core/engine"
)

func newEventCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "event", Short: "List, show and replay what came in"}
	cmd.AddCommand(newEventListCommand(a), newEventShowCommand(a), newEventReplayCommand(a))
	return cmd
}

func newEventListCommand(a *app) *cobra.Command {
	var f filters
	var rejected bool
	cmd := &cobra.Command{
		Use: "list", Short: "List events, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rejected {
				f.status = string(engine.Rejected)
			}
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/events", f.query(), nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(events []engine.Event) error {
					var rows [][]string
					for _, e := range events {
						rows = append(rows, []string{e.ID, dash(e.Type), e.Shop, dash(e.Subject), string(e.Outcome), clock(e.ReceivedAt), fmt.Sprint(len(e.Runs)), dash(e.Reason)})
					}
					return table(a.stdout, []string{"ID", "TYPE", "SHOP", "SUBJECT", "OUTCOME", "RECEIVED", "RUNS", "REASON"}, rows)
				})
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&rejected, "rejected", false, "only those that could not be used")
	return cmd
}

func newEventShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show an event: which flows it started, and why others did not", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/events/"+url.PathEscape(args[0]), nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, a.printEvent)
			})
		},
	}
}

func (a *app) printEvent(e engine.Event) error {
	fmt.Fprintf(a.stdout, "event %s of %s\n  type %s, subject %s, topic %s\n  received %s\n  %s", e.ID, e.Shop, dash(e.Type), dash(e.Subject), dash(e.Topic), clock(e.ReceivedAt), e.Outcome)
	if e.Reason != "" {
		fmt.Fprintf(a.stdout, ": %s", e.Reason)
	}
	fmt.Fprintln(a.stdout)
	for _, id := range e.Runs {
		fmt.Fprintf(a.stdout, "  started run %s\n", id)
	}
	for _, s := range e.Skipped {
		fmt.Fprintf(a.stdout, "  did not start %s: %s\n", s.Flow, s.Reason)
	}
	switch {
	case e.Content != nil && e.Content.Raw != nil:
		fmt.Fprintf(a.stdout, "\n%s\n", e.Content.Raw)
	case e.Delivery != nil:
		fmt.Fprintf(a.stdout, "\n%s\n", e.Delivery.Body)
	}
	return nil
}

func newEventReplayCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "replay ID", Short: "Start the flows that listen to an event again; a rejected one is read anew", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodPost, "/events/"+url.PathEscape(args[0])+"/replay", nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(out struct {
					Runs []string `json:"runs"`
				}) error {
					if len(out.Runs) == 0 {
						_, err := fmt.Fprintln(a.stdout, "replayed; no flow started")
						return err
					}
					_, err := fmt.Fprintf(a.stdout, "replayed; started %s\n", strings.Join(out.Runs, ", "))
					return err
				})
			})
		},
	}
}
