package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// flowAnswer is a flow as the API shows it.
type flowAnswer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Shop      string    `json:"shop"`
	Version   string    `json:"version"`
	Enabled   bool      `json:"enabled"`
	On        []string  `json:"on"`
	AppliedAt time.Time `json:"applied_at"`
	Source    string    `json:"source"`
	Findings  []finding `json:"findings"`
}

func (f flowAnswer) state() string {
	if f.Enabled {
		return "enabled"
	}
	return "disabled"
}

func newFlowCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "flow", Short: "Apply, check, list, run and switch flows"}
	cmd.AddCommand(
		newFlowApplyCommand(a, "apply", "Check flows and put them to work"), newFlowApplyCommand(a, "validate", "Check flows without applying them"),
		newFlowListCommand(a), newFlowShowCommand(a), newFlowRunCommand(a),
		newFlowSwitchCommand(a, "enable", "Have events start a flow"), newFlowSwitchCommand(a, "disable", "Have events start a flow no longer; runs at work go on"),
		newFlowDeleteCommand(a),
	)
	return cmd
}

// newFlowApplyCommand is apply and validate: both check every file and print all findings.
func newFlowApplyCommand(a *app, verb, short string) *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use: verb + " FILE…", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				path := "/flows"
				if verb == "validate" {
					path = "/flows/validate"
				}
				wrong := 0
				for _, file := range files {
					source, err := os.ReadFile(file)
					if err != nil {
						return err
					}
					var out flowAnswer
					err = c.do(cmd.Context(), http.MethodPost, path, nil, map[string]string{"file": file, "source": string(source), "shop": shop}, &out)
					var refused *apiError
					if errors.As(err, &refused) && len(refused.Findings) > 0 {
						out.Findings, wrong = refused.Findings, wrong+1
					} else if err != nil {
						return fmt.Errorf("%s: %w", file, err)
					}
					for _, f := range out.Findings {
						fmt.Fprintln(a.stderr, f.Text)
					}
					if refused == nil && verb == "apply" {
						fmt.Fprintf(a.stdout, "applied %s version %s (%s)\n", out.ID, out.Version, out.state())
					} else if refused == nil {
						fmt.Fprintf(a.stdout, "%s is right\n", file)
					}
				}
				if wrong > 0 {
					return fmt.Errorf("%d of %d flows refused", wrong, len(files))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop that the flow is for; all shops where absent")
	return cmd
}

func newFlowListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the flows", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/flows", nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(flows []flowAnswer) error {
					var rows [][]string
					for _, f := range flows {
						shop := f.Shop
						if shop == "" {
							shop = "(all)"
						}
						rows = append(rows, []string{f.ID, shop, f.state(), strings.Join(f.On, ","), f.Version, f.Name})
					}
					return table(a.stdout, []string{"ID", "SHOP", "STATE", "ON", "VERSION", "NAME"}, rows)
				})
			})
		},
	}
}

func flowPath(id, verb string) string {
	path := "/flows/" + url.PathEscape(id)
	if verb != "" {
		path += "/" + verb
	}
	return path
}

func shopQuery(shop string) url.Values {
	if shop == "" {
		return nil
	}
	return url.Values{"shop": {shop}}
}

func newFlowShowCommand(a *app) *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show a flow as it was applied", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, flowPath(args[0], ""), shopQuery(shop), nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(f flowAnswer) error {
					_, err := fmt.Fprintf(a.stdout, "# version %s, %s, applied %s\n%s", f.Version, f.state(), clock(f.AppliedAt), f.Source)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop that the flow was applied for")
	return cmd
}

func newFlowRunCommand(a *app) *cobra.Command {
	var shop, subject string
	cmd := &cobra.Command{
		Use: "run ID --shop SHOP [--subject ID]", Short: "Start a flow by hand, on a resource that an event has told of", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				in := map[string]string{"shop": shop, "subject": subject}
				if err := c.do(cmd.Context(), http.MethodPost, flowPath(args[0], "run"), nil, in, &raw); err != nil {
					return err
				}
				return show(a, raw, func(out struct {
					Run    string `json:"run"`
					Reason string `json:"reason"`
				}) error {
					if out.Run == "" {
						_, err := fmt.Fprintf(a.stdout, "not started: %s\n", out.Reason)
						return err
					}
					_, err := fmt.Fprintf(a.stdout, "started run %s\n", out.Run)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop")
	cmd.Flags().StringVar(&subject, "subject", "", "the platform's id of the order, customer, product …")
	_ = cmd.MarkFlagRequired("shop")
	return cmd
}

func newFlowSwitchCommand(a *app, verb, short string) *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				if err := c.do(cmd.Context(), http.MethodPost, flowPath(args[0], verb), shopQuery(shop), nil, nil); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "%sd %s\n", verb, args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop that the flow was applied for")
	return cmd
}

func newFlowDeleteCommand(a *app) *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use: "delete ID", Short: "Delete a flow; runs at work go on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				if err := c.do(cmd.Context(), http.MethodDelete, flowPath(args[0], ""), shopQuery(shop), nil, nil); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "deleted %s\n", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop that the flow was applied for")
	return cmd
}
