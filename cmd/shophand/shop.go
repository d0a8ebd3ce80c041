package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func newShopCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "shop", Short: "Add, list and remove shops"}
	cmd.AddCommand(newShopAddCommand(a), newShopListCommand(a), newShopShowCommand(a), newShopRemoveCommand(a))
	return cmd
}

func newShopAddCommand(a *app) *cobra.Command {
	add := &cobra.Command{Use: "add", Short: "Add a shop"}
	var in struct {
		Platform      string `json:"platform"`
		Name          string `json:"name"`
		URL           string `json:"url,omitempty"`
		APIURL        string `json:"api_url,omitempty"`
		Token         string `json:"token,omitempty"`
		Key           string `json:"key,omitempty"`
		Secret        string `json:"secret,omitempty"`
		WebhookSecret string `json:"webhook_secret,omitempty"`
		Currency      string `json:"currency,omitempty"`
		Timezone      string `json:"timezone,omitempty"`
	}
	send := func(cmd *cobra.Command, platform, name string) error {
		in.Platform, in.Name = platform, name
		return a.call(cmd.Context(), func(c *client) error {
			var out struct {
				Name       string `json:"name"`
				WebhookURL string `json:"webhook_url"`
			}
			if err := c.do(cmd.Context(), http.MethodPost, "/shops", nil, in, &out); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "added %s; its webhooks go to %s\n", out.Name, out.WebhookURL)
			return nil
		})
	}
	woo := &cobra.Command{
		Use: "woocommerce NAME", Short: "Add a WooCommerce shop under a name of your choice", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return send(cmd, "woocommerce", args[0]) },
	}
	woo.Flags().StringVar(&in.URL, "url", "", "address of the shop, https://…")
	woo.Flags().StringVar(&in.Key, "key", "", "consumer key of the REST API, ck_…")
	woo.Flags().StringVar(&in.Secret, "secret", "", "consumer secret of the REST API, cs_…")
	woo.Flags().StringVar(&in.WebhookSecret, "webhook-secret", "", "secret that its webhooks are signed with")
	shopify := &cobra.Command{
		Use: "shopify NAME.myshopify.com", Short: "Add a Shopify shop", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return send(cmd, "shopify", args[0]) },
	}
	shopify.Flags().StringVar(&in.Token, "token", "", "access token of the Admin API")
	shopify.Flags().StringVar(&in.WebhookSecret, "api-secret", "", "secret that its webhooks are signed with; SHOPIFY_API_SECRET where absent")
	shopify.Flags().StringVar(&in.APIURL, "api-url", "", "address of a stand-in for the Admin API")
	for _, cmd := range []*cobra.Command{woo, shopify} {
		cmd.Flags().StringVar(&in.Currency, "currency", "", "the shop's currency, such as EUR")
		cmd.Flags().StringVar(&in.Timezone, "timezone", "", "the shop's IANA time zone, such as Europe/Berlin")
	}
	add.AddCommand(woo, shopify)
	return add
}

// shopAnswer is a shop as the API shows it.
type shopAnswer struct {
	Name       string    `json:"name"`
	Platform   string    `json:"platform"`
	URL        string    `json:"url"`
	APIURL     string    `json:"api_url"`
	Currency   string    `json:"currency"`
	Timezone   string    `json:"timezone"`
	WebhookURL string    `json:"webhook_url"`
	AddedAt    time.Time `json:"added_at"`
}

func newShopListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the shops", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/shops", nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(shops []shopAnswer) error {
					var rows [][]string
					for _, s := range shops {
						rows = append(rows, []string{s.Name, s.Platform, dash(s.URL), clock(s.AddedAt)})
					}
					return table(a.stdout, []string{"NAME", "PLATFORM", "URL", "ADDED"}, rows)
				})
			})
		},
	}
}

func newShopShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a shop, with the address for its webhooks", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				var raw json.RawMessage
				if err := c.do(cmd.Context(), http.MethodGet, "/shops/"+url.PathEscape(args[0]), nil, nil, &raw); err != nil {
					return err
				}
				return show(a, raw, func(s shopAnswer) error {
					return table(a.stdout, []string{"NAME", s.Name}, [][]string{
						{"PLATFORM", s.Platform}, {"URL", dash(s.URL)}, {"WEBHOOKS", s.WebhookURL},
						{"CURRENCY", dash(s.Currency)}, {"TIMEZONE", dash(s.Timezone)}, {"ADDED", clock(s.AddedAt)},
					})
				})
			})
		},
	}
}

func newShopRemoveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a shop with its connections", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.call(cmd.Context(), func(c *client) error {
				if err := c.do(cmd.Context(), http.MethodDelete, "/shops/"+url.PathEscape(args[0]), nil, nil, nil); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "removed %s\n", args[0])
				return nil
			})
		},
	}
}
