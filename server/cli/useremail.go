package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
)

type userSetEmailCommand struct {
	storage

	Email, To string
}

func newUserSetEmail(p program) *cobra.Command {
	var c userSetEmailCommand
	cmd := &cobra.Command{
		Use: "set-email", Short: "Give a person another e-mail address.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Give a person another e-mail address, an administrator too, and sign them out everywhere.\n" +
			"Nobody proves the new address: make sure first that it is theirs. Where mail leaves, the address of before is told,\n" +
			"and can stop it for 7 days.",
	}
	c.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.Email, "email", "", "The person's e-mail `address`; required.")
	cmd.Flags().StringVar(&c.To, "to", "", "The e-mail `address` that they are to have; required.")
	_ = cmd.MarkFlagRequired("email")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// Run changes the address.
func (c *userSetEmailCommand) Run(p program) error {
	to := strings.TrimSpace(c.To)
	if !account.ValidEmail(to) {
		return misusedf("--to is not an e-mail address")
	}
	return c.existing(p, func(installation *server.Server) error {
		user, err := byEmail(p, installation, c.Email)
		if err != nil {
			return err
		}
		if err := installation.SetEmail(p.ctx, user.ID, to); err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s signs in as %s from now on, and is signed out everywhere.\n", user.Name, to)
		return nil
	})
}
