package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/audit/seal"
)

func newAudit(p program) *cobra.Command {
	return group(&cobra.Command{Use: "audit", Short: "List, verify, sign and export the audit log."},
		newAuditList(p), newAuditVerify(p), newAuditCheckpoint(p), newAuditExport(p))
}

// auditFilters are the flags that narrow the audit log.
type auditFilters struct {
	Person, Actor, Kind, Result, Address, From, To string
}

func (f *auditFilters) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.Person, "person", "", "Only what this person did or what is about them: an e-mail `address`, or an id.")
	flags.StringVar(&f.Actor, "actor", "", "Only what this person did: an e-mail `address`, or an id.")
	flags.StringVar(&f.Kind, "kind", "", "Only this `kind` of event, such as sign_in.completed.")
	flags.StringVar(&f.Result, "result", "", "Only what ended so: ok, refused or fault.")
	flags.StringVar(&f.Address, "address", "", "Only what came from this `address`.")
	flags.StringVar(&f.From, "from", "", "Only what happened from this `time` on: 2026-03-12, or 2026-03-12T09:41:00Z.")
	flags.StringVar(&f.To, "to", "", "Only what happened until this `time`; a day counts as a whole.")
}

// search makes a search of the flags.
func (f *auditFilters) search(p program, people audit.People) (search audit.Search, err error) {
	search = audit.Search{Kind: f.Kind, Result: f.Result, Address: f.Address}
	switch f.Result {
	case "", audit.OK, audit.Refused, audit.Fault:
	default:
		return search, misusedf("--result must be ok, refused or fault")
	}
	if search.From, err = moment("from", f.From, 0); err != nil {
		return search, err
	}
	if search.To, err = moment("to", f.To, 24*time.Hour); err != nil {
		return search, err
	}
	if search.Person, err = people.Identify(p.ctx, f.Person); err != nil {
		return search, err
	}
	search.Actor, err = people.Identify(p.ctx, f.Actor)
	return search, err
}

// moment reads a time, or a day of UTC, of which it gives the beginning or, with its length, the end.
func moment(flag, text string, day time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at.Add(day), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, misusedf("--%s must be a day such as 2026-03-12, or a time such as 2026-03-12T09:41:00Z", flag)
	}
	return at, nil
}

type auditListCommand struct {
	storage
	auditFilters

	Limit int
}

func newAuditList(p program) *cobra.Command {
	c := auditListCommand{storage: storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "list", Short: "List what happened on the account, a line an event, the newest first.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
	}
	c.storage.bind(cmd.Flags())
	c.auditFilters.bind(cmd.Flags())
	cmd.Flags().IntVar(&c.Limit, "limit", 100, "At most so many; 0 for all.")
	return cmd
}

// errEnough ends a list.
var errEnough = errors.New("enough")

// Run lists the events.
func (c *auditListCommand) Run(p program) error {
	if c.Limit < 0 {
		return misusedf("--limit must not be negative")
	}
	return c.existing(p, func(installation *server.Server) error {
		people := account.Known{Database: installation.Database}
		search, err := c.search(p, people)
		if err != nil {
			return err
		}
		listed := 0
		err = search.Each(p.ctx, installation.Database.Read(), people, func(entry *audit.Entry) error {
			if listed++; c.Limit > 0 && listed > c.Limit {
				return errEnough
			}
			_, err := fmt.Fprintln(p.out, line(entry))
			return err
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
}

// line is an event in a line: when, what and how it ended, then what there is to know, by name.
func line(e *audit.Entry) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s %s %s", e.At.Format("2006-01-02T15:04:05.000Z07:00"), e.ID, e.Kind, e.Result)
	add := func(key, value string) {
		if strings.ContainsAny(value, ` "`) {
			value = fmt.Sprintf("%q", value)
		}
		if value != "" {
			fmt.Fprintf(&text, " %s=%s", key, value)
		}
	}
	add("about", nameOr(e.SubjectName, e.SubjectID))
	if e.By == "other" {
		add("by", nameOr(e.ActorName, e.ActorID))
	} else {
		add("by", e.By)
	}
	add("method", e.Method)
	add("reason", e.Reason)
	add("address", e.Address)
	if e.By != "console" {
		add("browser", e.Browser)
	}
	return text.String()
}

func nameOr(name *string, id string) string {
	if name != nil {
		return *name
	}
	return id
}

type auditVerifyCommand struct {
	storage

	Checkpoint string
}

func newAuditVerify(p program) *cobra.Command {
	c := auditVerifyCommand{storage: storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "verify", Short: "Verify that no event was changed, removed, added or moved.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Verify that no event was changed, removed, added or moved since it was sealed, while servers run.\nWith a checkpoint that was saved before, verify too that everything of then is still there.",
	}
	c.bind(cmd.Flags())
	pathVar(cmd.Flags(), &c.Checkpoint, "checkpoint", "", "The `file` of a checkpoint: of audit checkpoint, or of the page Audit log.")
	return cmd
}

// Run verifies the log.
func (c *auditVerifyCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		var checkpoint *seal.Checkpoint
		if c.Checkpoint != "" {
			text, err := readLimited(c.Checkpoint)
			if err != nil {
				return err
			}
			if checkpoint, err = installation.Seals.ReadCheckpoint(text); err != nil {
				return fmt.Errorf("--checkpoint %s: %w", c.Checkpoint, err)
			}
		}
		shown := p.progress("Verifying")
		report, err := installation.Seals.Verify(p.ctx, checkpoint, func(done, total int) {
			if total > 10_000 { // anything less is done before it can be read
				shown(done, total)
			}
		})
		if err != nil {
			return err
		}
		if len(report.Findings) > 0 {
			said := strings.Join(report.Findings, "; ")
			if report.More > 0 {
				said += fmt.Sprintf("; and %d more", report.More)
			}
			return fmt.Errorf("the audit log does not verify: %s", said)
		}
		fmt.Fprintf(p.out, "The audit log is whole: %s, %s.\n", events(report.Events), report.Root)
		if report.Waiting > 0 {
			fmt.Fprintf(p.out, "Not sealed yet, of the last seconds: %d.\n", report.Waiting)
		}
		if checkpoint != nil {
			fmt.Fprintf(p.out, "The checkpoint of %s is its beginning.\n", events(checkpoint.Size))
		}
		return nil
	})
}

// events is a number of them in words.
func events(count int64) string {
	if count == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", count)
}

// readLimited reads a small file.
func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--checkpoint: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("--checkpoint: %w", err)
	}
	return text, nil
}

type auditCheckpointCommand struct{ storage }

func newAuditCheckpoint(p program) *cobra.Command {
	c := auditCheckpointCommand{storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Print a signed checkpoint of the audit log, to be kept elsewhere.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
	}
	c.bind(cmd.Flags())
	return cmd
}

// Run prints the checkpoint.
func (c *auditCheckpointCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		saved, err := installation.Seals.Checkpoint(p.ctx)
		if err == nil {
			_, err = io.WriteString(p.out, saved.Checkpoint)
		}
		return err
	})
}

type auditExportCommand struct {
	storage
	auditFilters

	Format string
}

func newAuditExport(p program) *cobra.Command {
	c := auditExportCommand{storage: storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "export", Short: "Write events to standard output, with all their fields.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Write events to standard output, with all their fields, the newest first: as JSON Lines, or as CSV,\nin which a cell that a spreadsheet would compute begins with an apostrophe.",
	}
	c.storage.bind(cmd.Flags())
	c.auditFilters.bind(cmd.Flags())
	cmd.Flags().Var(oneOf(&c.Format, "jsonl", "csv"), "format", "The form.")
	return cmd
}

// Run writes the events.
func (c *auditExportCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		people := account.Known{Database: installation.Database}
		search, err := c.search(p, people)
		if err != nil {
			return err
		}
		export := audit.JSONLines(p.out)
		if c.Format == "csv" {
			if export, err = audit.CSV(p.out); err != nil {
				return err
			}
		}
		total, err := search.Count(p.ctx, installation.Database.Read())
		if err != nil {
			return err
		}
		show, written := p.progress("Exporting"), 0
		err = search.Each(p.ctx, installation.Database.Read(), people, func(entry *audit.Entry) error {
			written++
			if written%100 == 0 || written == total {
				show(min(written, total), total)
			}
			return export.Write(entry)
		})
		return errors.Join(err, export.Flush())
	})
}
