package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
)

type backupCommand struct {
	storage

	File     string
	WithKeys bool
}

func newBackup(p program) *cobra.Command {
	c := backupCommand{storage: storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write the installation into a file, while it serves.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c.File = args[0]
			return ended(c.Run(p))
		},
		Long: "Write the installation into a new file, while it serves: one consistent copy of the embedded database.\n" +
			"The key ring is left out, so that the file alone gives nobody a secret: back it up elsewhere.",
	}
	c.bind(cmd.Flags())
	cmd.Flags().BoolVar(&c.WithKeys, "with-keys", false, "Put the key ring in too: whoever has the file can then read every stored secret.")
	return cmd
}

// Run writes the backup.
func (c *backupCommand) Run(p program) error {
	if c.DatabaseURL != "" {
		return fmt.Errorf("PostgreSQL is backed up by its own program: pg_dump --format=custom --file=%q %q",
			c.File, withoutPassword(c.DatabaseURL))
	}
	c.looksOnly = !c.WithKeys // that there is a copy of the keys is on record
	return c.existing(p, func(installation *server.Server) error {
		about, err := installation.Backup(p.ctx, c.File, c.WithKeys)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("there is a file %s already: name another one", c.File)
		}
		if err != nil {
			return err
		}
		written, err := os.Stat(c.File)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "Backed up to %s (%s). People: %d.\n", c.File, humanize.Bytes(uint64(written.Size())), about.People)
		switch {
		case c.WithKeys:
			fmt.Fprintln(p.errors, "The key ring is in it: whoever has the file can read every stored secret.")
		case c.Keyring != "":
			fmt.Fprintln(p.errors, "The key ring is not in it: keep the text of SECONDSTEP_KEYRING elsewhere. The stored secrets can't be read without it.")
		default:
			fmt.Fprintf(p.errors, "The key ring is not in it: keep a copy of %s elsewhere. The stored secrets can't be read without it.\n",
				filepath.Join(c.Data, "keyring.json"))
		}
		return nil
	})
}

type restoreCommand struct {
	storage

	File   string
	Loaded bool
}

func newRestore(p program) *cobra.Command {
	var c restoreCommand
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Make an installation of a backup.", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.File = args[0]
			}
			return ended(c.Run(p))
		},
		Long: "Make an installation of a backup, in an empty folder. Everybody is signed out, links and sign-ins under way are void,\n" +
			"no code of before is good, and everybody is asked for new backup codes: which were used since, the backup can't know.",
	}
	c.bind(cmd.Flags())
	cmd.Flags().BoolVar(&c.Loaded, "loaded", false, "PostgreSQL: pg_restore has been run on the database; do the rest, without FILE.")
	return cmd
}

// Run restores.
func (c *restoreCommand) Run(p program) error {
	switch {
	case c.Loaded && (c.DatabaseURL == "" || c.File != ""):
		return misusedf("--loaded goes with --database-url, and without FILE")
	case !c.Loaded && c.File == "":
		return misusedf("name the file of the backup")
	case !c.Loaded && c.DatabaseURL != "":
		return fmt.Errorf("PostgreSQL is restored by its own program: pg_restore --no-owner --dbname=%q %q; then run secondstep restore --loaded",
			withoutPassword(c.DatabaseURL), c.File)
	}
	config, err := c.config(p, p.warnings())
	if err != nil {
		return err
	}
	restored, err := c.restore(p, config)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Restored. People: %d. Everybody is signed out, and no code shown until now is good.\n", restored.People)
	if restored.Bereft > 0 {
		fmt.Fprintf(p.out, "Without backup codes now, and asked to make new ones: %d.\n", restored.Bereft)
	}
	return nil
}

func (c *restoreCommand) restore(p program, config server.Config) (*server.Restoration, error) {
	if !c.Loaded {
		return server.Restore(p.ctx, config, c.File)
	}
	if err := inUse(p, config); err != nil {
		return nil, err
	}
	return server.RestoreLoaded(p.ctx, config)
}

// withoutPassword is a database's URL that may be printed.
func withoutPassword(address string) string {
	read, err := url.Parse(address)
	if err != nil || read.User == nil {
		return "postgres://…"
	}
	read.User = url.User(read.User.Username())
	return read.String()
}
