package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/web"
)

type userResetCommand struct {
	storage
	site

	Email string
}

func newUserReset(p program) *cobra.Command {
	var c userResetCommand
	cmd := &cobra.Command{
		Use: "reset-mfa", Short: "Reset a person who has lost every second step.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Reset a person who has lost every second step, an administrator too, and print their enrolment link.\n" +
			"They are signed out everywhere, and what they had proves nothing any more. With the link, good once and for 72 hours,\n" +
			"and their password they set up 2-step verification anew. Run it again for a new link; it voids the one of before.\n" +
			"Make sure first that it is them, and hand the link to nobody else.",
	}
	c.storage.bind(cmd.Flags())
	c.site.bind(cmd.Flags())
	settings(cmd.Flags())
	cmd.Flags().StringVar(&c.Email, "email", "", "The person's e-mail `address`; required.")
	_ = cmd.MarkFlagRequired("email")
	return cmd
}

// Run resets the person. The link is the one line on standard output, so that a script can take it from there.
func (c *userResetCommand) Run(p program) error {
	public, err := c.elsewhere()
	if err != nil {
		return err
	}
	return c.existing(p, func(installation *server.Server) error {
		site, err := c.links(p, installation, public)
		if err != nil {
			return err
		}
		user, err := byEmail(p, installation, c.Email)
		if err != nil {
			return err
		}
		token, until, err := installation.ResetMFA(p.ctx, user.ID)
		if err != nil {
			return plain(err)
		}
		fmt.Fprintln(p.out, web.EnrolmentLink(site, token))
		fmt.Fprintf(p.errors, "%s is signed out everywhere. Hand over the link: it is good once, with their password, until %s.\n",
			user.Email, until.Local().Format(time.RFC1123))
		return nil
	})
}
