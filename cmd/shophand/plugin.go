package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// pluginAnswer is a plugin as the API shows it.
type pluginAnswer struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Summary  string   `json:"summary"`
	State    string   `json:"state"`
	PID      int      `json:"pid"`
	Restarts int      `json:"restarts"`
	Error    string   `json:"error"`
	Actions  []string `json:"actions"`
}

func newPluginCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "List plugins and what their processes do"}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List plugins", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/plugins", nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(plugins []pluginAnswer) error {
					var rows [][]string
					for _, p := range plugins {
						pid := "-"
						if p.PID > 0 {
							pid = fmt.Sprint(p.PID)
						}
						rows = append(rows, []string{p.Name, p.Version, p.State, pid, fmt.Sprint(p.Restarts), strings.Join(p.Actions, ","), dash(p.Error)})
					}
					return table(a.stdout, []string{"NAME", "VERSION", "STATE", "PID", "RESTARTS", "ACTIONS", "LAST ERROR"}, rows)
				})
			})
		},
	})
	return cmd
}
