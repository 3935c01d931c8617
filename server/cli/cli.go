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

	"github.com/alecthomas/kong"
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
	Config kong.ConfigFlag `help:"Read settings from this YAML file; flags and environment win over it." placeholder:"FILE" env:"SECONDSTEP_CONFIG"`

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

// exited carries the status that Kong wants to leave with out of its parser.
type exited int

func run(p program, args []string) (status int) {
	defer func() {
		if left := recover(); left != nil {
			code, ok := left.(exited)
			if !ok {
				panic(left)
			}
			status = int(code)
		}
	}()
	var all commands
	parser, err := kong.New(&all, kong.Name("secondstep"),
		kong.Description("Sign-in and 2-step verification for a small company's own software."),
		kong.Configuration(readSettings), kong.Writers(p.out, p.errors), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.ShortUsageOnError(), kong.Vars{"data": "./data"})
	if err != nil {
		return p.fail(failed, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		return p.fail(misuse, fmt.Errorf("%w (see secondstep %s--help)", err, named(command, err)))
	}
	if err := command.Run(p); err != nil {
		var bad misused
		if errors.As(err, &bad) {
			return p.fail(misuse, err)
		}
		return p.fail(failed, err)
	}
	return done
}

// named is the command that an error is about, with a space behind it.
func named(_ *kong.Context, err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Command() != "" {
		return strings.Fields(parse.Context.Command())[0] + " "
	}
	return ""
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
