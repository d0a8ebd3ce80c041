package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/shophand/shophand/cmd/shophand/demo"
)

func newDemoCommand(a *app) *cobra.Command {
	var exit bool
	cmd := &cobra.Command{
		Use: "demo", Short: "See it at work: two simulated shops, their vendors and a host that is killed, on this machine alone", Args: cobra.NoArgs,
		Long: `Starts a host in a temporary data folder and simulators of Shopify, WooCommerce, Klaviyo and EasyPost on loopback,
installs a shop on each platform, applies flows, delivers webhooks, and shows what happens. It delivers duplicates
and forgeries, kills a plugin in the middle of an action, kills and restarts the host while runs wait, and then
compares what everybody has with what it did. It stays up to be explored until Ctrl-C.

No settings are read, nothing outside of the temporary folder is written, and nothing leaves this machine.`,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil }, // it has no settings
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("data") {
				return errors.New("the demo makes a data folder of its own, and removes it: leave --data out")
			}
			executable, err := ownExecutable()
			if err != nil {
				return err
			}
			return demo.Run(cmd.Context(), demo.Config{
				Executable: executable, Command: os.Args[0], Out: a.stdout, Colour: colourful(a.stdout), Exit: exit,
				Dial: func(url, token string) demo.API {
					return demoAPI{&client{base: url, token: token, http: &http.Client{}}}
				},
			})
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the books are checked, non-zero if anything is not as it should be")
	return cmd
}

// ownExecutable is the file that this process runs, also where another one has its name by now.
func ownExecutable() (string, error) {
	if runtime.GOOS == "linux" {
		if _, err := os.Readlink("/proc/self/exe"); err == nil {
			return "/proc/self/exe", nil
		}
	}
	return os.Executable()
}

// colourful tells whether text goes to a terminal whose owner has nothing against colours (https://no-color.org).
func colourful(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// demoAPI is the client of the commands as the demo takes it.
type demoAPI struct{ client *client }

// Do implements demo.API.
func (d demoAPI) Do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	return d.client.do(ctx, method, path, query, in, out)
}
