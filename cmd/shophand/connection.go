package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// connectionAnswer is a connection as the API shows it: secrets as ***.
type connectionAnswer struct {
	Plugin string          `json:"plugin"`
	Shop   string          `json:"shop"`
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config"`
}

func newConnectionCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "connection", Short: "Set, list and remove a shop's accounts with the vendors of plugins"}
	cmd.AddCommand(newConnectionSetCommand(a), newConnectionListCommand(a), newConnectionRemoveCommand(a))
	return cmd
}

func newConnectionSetCommand(a *app) *cobra.Command {
	var in connectionAnswer
	var stdin bool
	cmd := &cobra.Command{
		Use: "set PLUGIN --shop SHOP [--name default] key=value … | --stdin", Short: "Set a connection; the plugin checks it",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Plugin = args[0]
			var err error
			if in.Config, err = connectionConfig(args[1:], stdin, a.stdin); err != nil {
				return err
			}
			return a.call(cmd.Context(), func(c *client) error {
				if err := c.do(cmd.Context(), http.MethodPut, "/connections", nil, in, nil); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "set connection %s of %s for %s\n", in.Name, in.Plugin, in.Shop)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&in.Shop, "shop", "", "the shop")
	cmd.Flags().StringVar(&in.Name, "name", "default", "the connection's name")
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read the configuration as JSON from standard input, so that secrets are not seen in the list of processes")
	_ = cmd.MarkFlagRequired("shop")
	return cmd
}

// connectionConfig makes JSON of key=value pairs. A dot in a key goes inside ("from.city=Berlin"); a value
// that is JSON by itself (a number, a list, an object) is taken as that.
func connectionConfig(pairs []string, fromStdin bool, stdin io.Reader) (json.RawMessage, error) {
	if fromStdin {
		if len(pairs) > 0 {
			return nil, errors.New("give key=value pairs or --stdin, not both")
		}
		raw, err := io.ReadAll(io.LimitReader(stdin, 1<<20))
		if err != nil {
			return nil, err
		}
		if !json.Valid(raw) {
			return nil, errors.New("standard input holds no JSON")
		}
		return raw, nil
	}
	config := map[string]any{}
	for _, pair := range pairs {
		key, text, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q is not key=value", pair)
		}
		var value any = text
		if text != "" && strings.ContainsRune("[{", rune(text[0])) && json.Valid([]byte(text)) {
			value = json.RawMessage(text)
		}
		at := config
		parts := strings.Split(key, ".")
		for _, part := range parts[:len(parts)-1] {
			inner, ok := at[part].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[part] = inner
			}
			at = inner
		}
		at[parts[len(parts)-1]] = value
	}
	return json.Marshal(config)
}

func newConnectionListCommand(a *app) *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use: "list", Short: "List connections, without their secrets", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				query := url.Values{}
				if shop != "" {
					query.Set("shop", shop)
				}
				if err := c.do(cmd.Context(), http.MethodGet, "/connections", query, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(list []connectionAnswer) error {
					var rows [][]string
					for _, x := range list {
						rows = append(rows, []string{x.Plugin, x.Shop, x.Name, string(x.Config)})
					}
					return table(a.stdout, []string{"PLUGIN", "SHOP", "NAME", "CONFIGURATION"}, rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only those of this shop")
	return cmd
}

func newConnectionRemoveCommand(a *app) *cobra.Command {
	var shop, name string
	cmd := &cobra.Command{
		Use: "remove PLUGIN --shop SHOP [--name default]", Short: "Remove a connection", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				query := url.Values{"plugin": {args[0]}, "shop": {shop}, "name": {name}}
				if err := c.do(cmd.Context(), http.MethodDelete, "/connections", query, nil, nil); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "removed connection %s of %s for %s\n", name, args[0], shop)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop")
	cmd.Flags().StringVar(&name, "name", "default", "the connection's name")
	_ = cmd.MarkFlagRequired("shop")
	return cmd
}
