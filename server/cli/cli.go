// Package cli is the command line: one file a command.
//
// Whoever misuses it gets exit status 2, whatever fails gets 1, and both get one line on standard error that says what
// to do. Passwords come from a prompt or from standard input, never from an argument, where other users of the machine
// could read them.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	done   = 0
	failed = 1
	misuse = 2
)

// program is what a command works with.
type program struct {
	ctx     context.Context
	dist    fs.FS
	version string
	in      *os.File
	out     io.Writer
	errors  io.Writer
}

// Main runs the command line and answers the exit status.
func Main(args []string, dist fs.FS, version string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return run(program{ctx: ctx, dist: dist, version: version, in: os.Stdin, out: os.Stdout, errors: os.Stderr}, args)
}

func run(p program, args []string) int {
	root := group(&cobra.Command{
		Use: "secondstep", Short: "Sign-in and 2-step verification for a small company's own software.",
		SilenceErrors: true, SilenceUsage: true, PersistentPreRunE: settle,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}, newServe(p), newUser(p), newKeys(p), newAudit(p), newBackup(p), newRestore(p), newMail(p), newDemo(p), newOpenapi(p), newVersion(p))
	// In place of the library's `help`, which does not refuse what there is not: every command has --help.
	root.SetHelpCommand(&cobra.Command{Use: "-", Hidden: true})
	pathVar(root.PersistentFlags(), new(string), "config", "", "Read settings from this YAML `file`; flags and environment win over it.")
	settings(root.PersistentFlags())
	root.SetFlagErrorFunc(misread)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.errors)

	found, err := root.ExecuteC()
	var (
		own outcome
		bad misused
	)
	switch {
	case err == nil:
		return done
	case !errors.As(err, &own):
		return p.fail(misuse, fmt.Errorf("%w (see %s --help)", err, found.CommandPath()))
	case errors.As(err, &bad):
		return p.fail(misuse, err)
	}
	return p.fail(failed, err)
}

// group puts commands into one. Where it does nothing by itself that is misuse, which the library would take for a wish
// for help.
func group(of *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	of.AddCommand(commands...)
	of.SuggestionsMinimumDistance = 2
	of.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		meant := ""
		if near := of.SuggestionsFor(args[0]); len(near) > 0 {
			meant = ": did you mean " + strings.Join(near, " or ") + "?"
		}
		return fmt.Errorf("unknown command %q%s", args[0], meant)
	}
	if of.RunE == nil {
		of.RunE = func(*cobra.Command, []string) error { return errors.New("a command is missing") }
	}
	return of
}

// outcome is what a command ended with; any other error is about how it was called.
type outcome struct{ error }

func (o outcome) Unwrap() error { return o.error }

func ended(err error) error {
	if err == nil {
		return nil
	}
	return outcome{err}
}

// does makes of a command's Run what the library runs.
func (p program) does(run func(program) error) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error { return ended(run(p)) }
}

// fail writes the error as one line.
func (p program) fail(status int, err error) int {
	line := strings.Join(strings.Fields(err.Error()), " ")
	fmt.Fprintln(p.errors, "secondstep: "+line)
	return status
}

// misused marks an error as the caller's: a setting that can't be, an argument that is missing.
type misused struct{ error }

func (m misused) Unwrap() error { return m.error }

func misusedf(format string, args ...any) error { return misused{fmt.Errorf(format, args...)} }
