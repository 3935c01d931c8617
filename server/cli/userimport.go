package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/people"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// mostFile is the largest file of people: some 200,000 of them.
const mostFile = 32 << 20

type userImportCommand struct {
	storage
	site

	File    string
	DryRun  bool
	SkipBad bool
}

func newUserImport(p program) *cobra.Command {
	var c userImportCommand
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Invite the people of a CSV file.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c.File = args[0]
			return ended(c.Run(p))
		},
		Long: "Invite the people of a CSV file (- is standard input). Its first line names the columns: name and email, and as wanted\n" +
			"role (member, administrator), requirement (off, allowed, required), deadline (a date such as 2030-12-31) and reason (with off).\n" +
			"Every line is looked at first. With a bad one nobody is invited, unless --skip-bad leaves those out.\n" +
			"Standard output gets name, e-mail address and link of everybody who is invited, as CSV: a link is good for 72 hours,\n" +
			"and whoever has it chooses that person's password.",
	}
	flags := cmd.Flags()
	c.storage.bind(flags)
	c.site.bind(flags)
	settings(flags)
	flags.BoolVar(&c.DryRun, "dry-run", false, "Only look at the lines.")
	flags.BoolVar(&c.SkipBad, "skip-bad", false, "Invite the people of the good lines although there are bad ones.")
	return cmd
}

// Run looks at all lines, and then invites.
func (c *userImportCommand) Run(p program) error {
	public, err := c.elsewhere()
	if err != nil {
		return err
	}
	content, err := c.content(p)
	if err != nil {
		return err
	}
	file, err := people.ReadFile(content)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.existing(p, func(installation *server.Server) error {
		if len(file.Unused) > 0 {
			fmt.Fprintf(p.errors, "Columns that mean nothing here: %q\n", file.Unused)
		}
		good, bad, err := look(p, installation, file)
		if err != nil {
			return err
		}
		tell(p, bad)
		switch n := len(bad); {
		case c.DryRun && n == 0:
			fmt.Fprintf(p.out, "All %d can be imported.\n", len(good))
			return nil
		case c.DryRun:
			return fmt.Errorf("%d can be imported, %d can't", len(good), n)
		case n > 0 && !c.SkipBad:
			return fmt.Errorf("nobody is imported, since %d of %d lines can't be: mend them, or leave them out with --skip-bad", n, n+len(good))
		case len(good) == 0:
			return errors.New("there is nobody to import")
		}
		site, err := c.links(p, installation, public)
		if err != nil {
			return err
		}
		return invite(p, installation, site, good)
	})
}

func (c *userImportCommand) content(p program) ([]byte, error) {
	from := p.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	content, err := io.ReadAll(io.LimitReader(from, mostFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	if len(content) > mostFile {
		return nil, fmt.Errorf("%s has more than %d MiB: divide it", c.File, mostFile>>20)
	}
	return content, nil
}

// look parts the lines into good and bad ones.
func look(p program, installation *server.Server, file people.File) (good []people.Candidate, bad []people.Verdict, err error) {
	progress := p.progress("Checking")
	seen, looked := people.Seen{}, 0
	bad = file.Bad
	for some := range slices.Chunk(file.Candidates, people.LinesACall) {
		verdicts, err := installation.People.Look(p.ctx, some, seen)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range verdicts {
			if len(v.Fields) > 0 {
				bad = append(bad, v)
			} else {
				good = append(good, v.Candidate)
			}
		}
		looked += len(some)
		progress(looked, len(file.Candidates))
	}
	slices.SortFunc(bad, func(a, b people.Verdict) int { return a.Line - b.Line })
	return good, bad, nil
}

// invite makes the people, and prints the links of each call before the next: whatever stops it, none of a call that
// was told is lost.
func invite(p program, installation *server.Server, public string, good []people.Candidate) error {
	progress := p.progress("Importing")
	table := bufio.NewWriter(p.out)
	fmt.Fprint(table, audit.Line("name", "email", "invitation_link"))
	made, late, seen := 0, 0, people.Seen{}
	for some := range slices.Chunk(good, people.LinesACall) {
		verdicts, _, err := installation.People.Import(p.ctx, audit.FromConsole(), some, seen, voidSetupLinks(some))
		if err != nil {
			return fmt.Errorf("%d of %d are imported; the same command with --skip-bad goes on: %w", made, len(good), err)
		}
		for _, v := range verdicts {
			if v.Token == nil {
				tell(p, []people.Verdict{v})
				late++
				continue
			}
			made++
			fmt.Fprint(table, audit.Line(v.Name, v.Email, web.Link(public, people.JoinPage, v.Token)))
		}
		if err := table.Flush(); err != nil {
			return fmt.Errorf("%d of %d are imported, and the links of the last can't be written: %w", made, len(good), err)
		}
		progress(made+late, len(good))
	}
	if late > 0 {
		return fmt.Errorf("%d are imported; somebody has the addresses of %d by now", made, late)
	}
	return nil
}

// voidSetupLinks is what goes with an administrator who is made on the console, here as in user add.
func voidSetupLinks(some []people.Candidate) func(context.Context, database.Tx) error {
	return func(ctx context.Context, tx database.Tx) error {
		if !slices.ContainsFunc(some, people.Candidate.Administrator) {
			return nil
		}
		_, err := account.ClaimFirstAdministrator(ctx, tx)
		return err
	}
}

// tell lists bad lines by their number.
func tell(p program, bad []people.Verdict) {
	for _, v := range bad {
		said := make([]string, len(v.Fields))
		for n, field := range v.Fields {
			said[n] = lineWords(field)
		}
		fmt.Fprintf(p.errors, "line %d: %s\n", v.Line, strings.Join(said, "; "))
	}
}

// wrongLines are the sentences of what is wrong with a line beside those of a name and an address.
var wrongLines = map[string]string{
	"name illegible":                      "the name must be on one line, have letters that can be seen, and none that turn the text around",
	"email email_taken":                   "somebody of this account has that e-mail address already",
	"email mailbox_full":                  "that mailbox has had too many mails within the hour",
	"email twice_in_file":                 "a line before has that e-mail address",
	"role invalid":                        "the role must be member or administrator",
	"requirement invalid":                 "the requirement must be off, allowed or required",
	"requirement administrator_never_off": "2-step verification can't be off for an administrator",
	"deadline invalid":                    "the deadline must be a date such as 2030-12-31",
	"deadline without_required":           "a deadline goes with the requirement required, and with nothing else",
	"reason required":                     "with the requirement off the reason must not be empty",
	"reason too_long":                     "the reason is too long",
	"reason illegible":                    "the reason must have letters that can be seen, and none that turn the text around",
	"line too_many_columns":               "it has more cells than there are columns: put a text with a comma into quotes",
	"line quotes":                         `a quotation mark is open or out of place: write "" for one in a text`,
}

func lineWords(field problem.Field) string {
	if said, ok := wrongLines[field.Name+" "+field.Code]; ok {
		return said
	}
	return sentence([]problem.Field{field}).Error()
}
