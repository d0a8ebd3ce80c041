package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/shophand/shophand/core/engine"
)

// filters are the flags that lists of runs and events share.
type filters struct {
	shop, flow, status, typ, since string
	limit                          int
}

func (f *filters) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.shop, "shop", "", "only those of this shop")
	cmd.Flags().StringVar(&f.flow, "flow", "", "only those of this flow")
	cmd.Flags().StringVar(&f.status, "status", "", "only those with this status (of events: this outcome)")
	cmd.Flags().StringVar(&f.typ, "type", "", "only those of this type of event")
	cmd.Flags().StringVar(&f.since, "since", "", "only those since then: a time (2026-11-27T09:00:00Z) or a duration (24h, 7d)")
	cmd.Flags().IntVar(&f.limit, "limit", 50, "at most so many, the newest first")
}

func (f *filters) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"shop": f.shop, "flow": f.flow, "status": f.status, "type": f.typ, "since": f.since} {
		if value != "" {
			q.Set(name, value)
		}
	}
	q.Set("limit", strconv.Itoa(f.limit))
	return q
}

func newRunCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "run", Short: "List and show runs"}
	cmd.AddCommand(newRunListCommand(a), newRunShowCommand(a))
	return cmd
}

func newRunListCommand(a *app) *cobra.Command {
	var f filters
	cmd := &cobra.Command{
		Use: "list", Short: "List runs, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/runs", f.query(), nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(runs []engine.Run) error {
					var rows [][]string
					for _, r := range runs {
						rows = append(rows, []string{r.ID, r.Flow, r.Shop, dash(r.Subject), string(r.Status), clock(r.StartedAt), dash(r.Reason)})
					}
					return table(a.stdout, []string{"ID", "FLOW", "SHOP", "SUBJECT", "STATUS", "STARTED", "REASON"}, rows)
				})
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newRunShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a run with its steps", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/runs/"+url.PathEscape(args[0]), nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, a.printRun)
			})
		},
	}
}

func (a *app) printRun(r engine.Run) error {
	fmt.Fprintf(a.stdout, "run %s of %s (version %s) for %s\n", r.ID, r.Flow, r.Version, r.Shop)
	fmt.Fprintf(a.stdout, "  event %s, subject %s\n", r.EventID, dash(r.Subject))
	fmt.Fprintf(a.stdout, "  %s", r.Status)
	if r.Reason != "" {
		fmt.Fprintf(a.stdout, ": %s", r.Reason)
	}
	fmt.Fprintf(a.stdout, "\n  started %s", clock(r.StartedAt))
	if r.EndedAt != nil {
		fmt.Fprintf(a.stdout, ", ended after %s", r.EndedAt.Sub(r.StartedAt).Round(time.Millisecond))
	}
	fmt.Fprintln(a.stdout)
	for _, s := range r.Steps {
		fmt.Fprintf(a.stdout, "\n%s  %s", s.ID, s.Status)
		if s.Action != "" {
			fmt.Fprintf(a.stdout, "  %s", s.Action)
		}
		if s.Attempts > 1 {
			fmt.Fprintf(a.stdout, "  %d attempts", s.Attempts)
		}
		if s.Until != nil {
			fmt.Fprintf(a.stdout, "  until %s", clock(*s.Until))
		}
		fmt.Fprintln(a.stdout)
		for _, line := range [][2]string{{"input", string(s.Input)}, {"output", string(s.Output)}, {"error", s.Error}} {
			if line[1] != "" && line[1] != "null" {
				fmt.Fprintf(a.stdout, "  %-7s %s\n", line[0], line[1])
			}
		}
	}
	return nil
}
