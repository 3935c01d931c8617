package cli

import (
	"bufio"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
)

type userExportCommand struct{ storage }

func newUserExport(p program) *cobra.Command {
	c := userExportCommand{storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "export", Short: "Print everybody as CSV.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Print everybody as CSV. A cell that begins like a formula, with one of = + - @, has an apostrophe before it.",
	}
	c.bind(cmd.Flags())
	return cmd
}

// Run prints everybody, page by page.
func (c *userExportCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		all, err := account.Count(p.ctx, installation.Database.Read())
		if err != nil {
			return err
		}
		progress, done := p.progress("Exporting"), 0
		table := bufio.NewWriter(p.out)
		fmt.Fprint(table, audit.Line("name", "email", "role", "requirement", "deadline", "2-step verification", "backup codes left", "account", "last sign-in"))
		query := account.Query{Sort: "name", Limit: 100}
		for {
			page, err := account.List(p.ctx, installation.Database.Read(), database.At(installation.Now()), query)
			if err != nil {
				return err
			}
			for n := range page.People {
				fmt.Fprint(table, audit.Line(exported(&page.People[n])...))
			}
			if err := table.Flush(); err != nil {
				return err
			}
			done += len(page.People)
			progress(done, max(all, done))
			if query.Cursor = page.Next; query.Cursor == "" {
				return nil
			}
		}
	})
}

// exported are the cells of a person; the front end makes the same: frontend/src/screens/import/export.ts.
func exported(person *account.Listed) []string {
	state, codes, deadline, is := "off", "", "", "active"
	switch {
	case person.MFA():
		state, codes = "on", fmt.Sprint(person.BackupCodesRemaining)
	case person.Enrolling:
		state = "enrolling"
	}
	if person.Requirement == account.RequirementRequired {
		deadline = instant(person.Deadline)
	}
	switch {
	case !person.DisabledAt.IsZero():
		is = "disabled"
	case person.Invited():
		is = "invited"
	}
	return []string{
		person.Name, person.Email, person.Role, person.Requirement, deadline, state, codes, is,
		instant(person.LastSignInAt),
	}
}

func instant(at database.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Time().UTC().Format(time.RFC3339)
}
