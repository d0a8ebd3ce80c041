package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// explainUsage has every command say how it is used where it is called in another way: cobra by itself takes an
// unknown subcommand for a call for help, which ends well, and counts arguments without naming them.
func explainUsage(root *cobra.Command) {
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // Go's own words for what cannot be parsed
		return errors.New(text)
	})
	for _, cmd := range root.Commands() {
		explainCommand(cmd)
	}
}

func explainCommand(cmd *cobra.Command) {
	if cmd.HasSubCommands() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
			}
			return cmd.Help()
		}
		for _, sub := range cmd.Commands() {
			explainCommand(sub)
		}
		return
	}
	accepts := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if accepts != nil && accepts(cmd, args) != nil {
			return fmt.Errorf("usage: %s %s", cmd.Parent().CommandPath(), cmd.Use)
		}
		return nil
	}
}

// withHint says where help is, for an error of cobra's that doesn't.
func withHint(err error) error {
	for _, prefix := range []string{"unknown ", "required flag", "invalid argument", "flag needs"} {
		if err != nil && strings.HasPrefix(err.Error(), prefix) {
			return fmt.Errorf("%w; `shophand help` lists the commands and their flags", err)
		}
	}
	return err
}
