package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
)

func newKeys(p program) *cobra.Command {
	return group(&cobra.Command{Use: "keys", Short: "List, change and retire the keys that stored secrets are encrypted with."},
		newKeysList(p), newKeysRotate(p), newKeysRetire(p))
}

type keysListCommand struct{ storage }

func newKeysList(p program) *cobra.Command {
	c := keysListCommand{storage{looksOnly: true}}
	cmd := &cobra.Command{
		Use: "list", Short: "List the data keys.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "List the data keys: which one seals, since when, and how many stored secrets each still seals.",
	}
	c.bind(cmd.Flags())
	return cmd
}

// Run lists the keys, the oldest first.
func (c *keysListCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		keys, err := installation.Keys(p.ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "KEY\tSTATE\tUSED SINCE\tSECRETS")
		for _, key := range keys {
			since := "-"
			if !key.Since.IsZero() {
				since = key.Since.Time().Format("2006-01-02 15:04 MST")
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%d\n", key.ID, state(key), since, key.Secrets)
		}
		return table.Flush()
	})
}

func state(key server.Key) string {
	switch {
	case key.Seals:
		return "seals"
	case key.Next:
		return "next"
	case key.Secrets > 0:
		return "opens"
	}
	return "unused"
}

type keysRotateCommand struct{ storage }

func newKeysRotate(p program) *cobra.Command {
	var c keysRotateCommand
	cmd := &cobra.Command{
		Use: "rotate", Short: "Let a new data key seal.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Let a new data key seal, and seal every stored secret anew with it, while servers run.\nRun it again to go on after an interruption.",
	}
	c.bind(cmd.Flags())
	return cmd
}

// Run changes the key, or goes on where an earlier run ended.
func (c *keysRotateCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		rotation, err := installation.RotateKey(p.ctx, p.progress("Sealing anew"))
		switch {
		case err != nil:
			if p.ctx.Err() != nil {
				return fmt.Errorf("interrupted: run secondstep keys rotate again to go on: %w", err)
			}
			return err
		case rotation.Ring != "":
			fmt.Fprintln(p.out, strings.TrimSpace(rotation.Ring))
			what := "in which it is known"
			if rotation.Seals {
				what = "in which it seals"
			}
			fmt.Fprintf(p.errors, "Key %d is new. Standard output has the key ring %s: give it to every instance as SECONDSTEP_KEYRING, start them again, then run keys rotate with it.\n", rotation.Key, what)
			return nil
		}
		fmt.Fprintf(p.out, "Key %d seals. Sealed anew: %d.\n", rotation.Key, rotation.Done)
		if n := len(rotation.Unreadable); n > 0 {
			return fmt.Errorf("secrets that do not open, so that they stay as they are (%d): %s", n, strings.Join(rotation.Unreadable[:min(n, 10)], ", "))
		}
		if c.Keyring == "" {
			fmt.Fprintln(p.errors, "Back up the key ring now: the stored secrets can't be read without the new key. Then see keys list, and keys retire.")
		}
		fmt.Fprintln(p.errors, "Save a new checkpoint of the audit log, with audit checkpoint: the new key signs it, and one of before can't be verified any more once its key is retired.")
		return nil
	})
}

type keysRetireCommand struct {
	storage

	Key uint32
}

func newKeysRetire(p program) *cobra.Command {
	var c keysRetireCommand
	cmd := &cobra.Command{
		Use: "retire KEY", Short: "Take a data key that seals nothing any more out of the key ring.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := strconv.ParseUint(args[0], 10, 32)
			if err != nil {
				return errors.New("KEY must be a key's number, as keys list prints it")
			}
			c.Key = uint32(key)
			return ended(c.Run(p))
		},
	}
	c.bind(cmd.Flags())
	return cmd
}

// Run retires the key.
func (c *keysRetireCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		ring, err := installation.RetireKey(p.ctx, c.Key)
		if err != nil {
			return err
		}
		if ring != "" {
			fmt.Fprintln(p.out, strings.TrimSpace(ring))
			fmt.Fprintf(p.errors, "Key %d is retired. Standard output has the key ring without it: give it to every instance as SECONDSTEP_KEYRING and start them again.\n", c.Key)
			return nil
		}
		fmt.Fprintf(p.out, "Key %d is retired. A backup of the database from before it can only be read with a key ring from then.\n", c.Key)
		return nil
	})
}
