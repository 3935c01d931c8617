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

	"github.com/spf13/pflag"
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

type commands struct {
	Config string `help:"Read settings from this YAML file; flags and environment win over it." placeholder:"FILE" type:"path" env:"SECONDSTEP_CONFIG"`

	Serve   serveCommand   `cmd:"" help:"Start the server."`
	User    userCommand    `cmd:"" help:"Add, list and help people from the console."`
	Keys    keysCommand    `cmd:"" help:"List, change and retire the keys that stored secrets are encrypted with."`
	Demo    demoCommand    `cmd:"" help:"Try it with made-up people: a throw-away installation."`
	Openapi openapiCommand `cmd:"" help:"Print the OpenAPI document of all HTTP calls."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// Main runs the command line and answers the exit status.
func Main(args []string, dist fs.FS, version string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return run(program{ctx: ctx, dist: dist, version: version, in: os.Stdin, out: os.Stdout, errors: os.Stderr}, args)
}

func run(p program, args []string) int {
	var all commands
	root := commandOf("", "Sign-in and 2-step verification for a small company's own software.", &all)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	found, err := root.find(args)
	if errors.Is(err, pflag.ErrHelp) {
		found.explain(p.out, root.options)
		return done
	}
	if err == nil {
		err = root.settle(&all, found)
	}
	if err != nil {
		return p.fail(misuse, fmt.Errorf("%w (see %s --help)", err, strings.TrimSpace("secondstep "+found.path)))
	}
	if err := found.run.Run(p); err != nil {
		var bad misused
		if errors.As(err, &bad) {
			return p.fail(misuse, err)
		}
		return p.fail(failed, err)
	}
	return done
}

// settle gives the flags of a command that are not on the command line their values.
func (c *command) settle(all *commands, found *command) error {
	for _, one := range c.options {
		if err := one.resolve(nil); err != nil {
			return err
		}
	}
	var file settings
	if all.Config != "" {
		known := map[string]bool{}
		c.each(func(of *command) {
			for _, one := range of.options {
				known[one.name] = known[one.name] || one.isSetting()
			}
		})
		var err error
		if file, err = settingsOf(all.Config, known); err != nil {
			return err
		}
	}
	var missing []string
	for _, one := range found.options {
		if err := one.resolve(file); err != nil {
			return err
		}
		if one.required && !one.given {
			missing = append(missing, "--"+one.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	return nil
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
