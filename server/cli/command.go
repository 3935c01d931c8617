package cli

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// The commands are structs, read by their fields' tags:
//
//	cmd:""               a command; default:"withargs" makes it what its group does by itself
//	arg:""               an argument, which must be given
//	anything else        a flag: help, name, placeholder, default, env, enum, required, hidden, type:"path"
//
// An embedded struct's fields are those of the struct around it. Nothing here looks methods up by their names: a program
// that does must keep every method of every type, which made this one half as large again.

// runs is what a command does once its flags and arguments are set.
type runs interface{ Run(p program) error }

// command is a command or a group of them.
type command struct {
	path     string // "user add"; empty for the program
	help     string
	run      runs // nil for a group
	options  []*option
	args     []*option
	children []*command
	byItself *command // what a group does where none of its commands is named
}

// commandOf reads a struct; into must be a pointer to it.
func commandOf(path, help string, into any) *command {
	c := &command{path: path, help: help}
	c.run, _ = into.(runs)
	c.read(reflect.ValueOf(into).Elem())
	return c
}

func (c *command) read(fields reflect.Value) {
	for n := range fields.NumField() {
		field, tag := fields.Type().Field(n), fields.Type().Field(n).Tag
		if field.Anonymous {
			c.read(fields.Field(n))
			continue
		}
		if _, is := tag.Lookup("cmd"); is {
			child := commandOf(strings.TrimSpace(c.path+" "+dashed(field.Name)), tag.Get("help"), fields.Field(n).Addr().Interface())
			if c.children = append(c.children, child); tag.Get("default") == "withargs" {
				c.byItself = child
			}
			continue
		}
		one := optionOf(field, fields.Field(n))
		if _, is := tag.Lookup("arg"); is {
			c.args = append(c.args, one)
		} else {
			c.options = append(c.options, one)
		}
	}
}

// name is the last word of the path.
func (c *command) name() string { return c.path[strings.LastIndexByte(c.path, ' ')+1:] }

// each visits the command and all that are in it.
func (c *command) each(visit func(*command)) {
	visit(c)
	for _, child := range c.children {
		child.each(visit)
	}
}

// find walks down to the command that the arguments name and sets its flags and arguments: from the command line, or else
// from the environment, the file of --config, or what stands in the tags. It answers that command even with an error, and
// pflag.ErrHelp where help is asked for.
func (c *command) find(args []string) (*command, error) {
	everywhere := c.options
	for c.run == nil {
		if c.byItself != nil && !(len(args) > 0 && (c.child(args[0]) != nil || args[0] == "-h" || args[0] == "--help")) {
			c = c.byItself
			continue
		}
		rest, err := parse(everywhere, false, args)
		if err != nil {
			return c, err
		}
		if len(rest) == 0 {
			return c, fmt.Errorf("expected one of %s", c.listed())
		}
		child := c.child(rest[0])
		if child == nil {
			return c, fmt.Errorf("unexpected argument %s", rest[0])
		}
		c, args = child, rest[1:]
	}
	rest, err := parse(slices.Concat(everywhere, c.options), true, args)
	if err != nil {
		return c, err
	}
	for n, one := range c.args {
		if n >= len(rest) {
			return c, fmt.Errorf(`expected "<%s>"`, one.name)
		}
		if err := one.Set(rest[n]); err != nil {
			return c, fmt.Errorf("<%s>: %w", one.name, err)
		}
	}
	if len(rest) > len(c.args) {
		return c, fmt.Errorf("unexpected argument %s", rest[len(c.args)])
	}
	return c, nil
}

func (c *command) child(name string) *command {
	for _, child := range c.children {
		if child.name() == name {
			return child
		}
	}
	return nil
}

func (c *command) listed() string {
	var names []string
	for _, child := range c.children {
		names = append(names, `"`+child.name()+`"`)
	}
	return strings.Join(names, ", ")
}

// parse sets options from a command line, up to its first argument unless those may stand between them, and answers what
// is left.
func parse(options []*option, between bool, args []string) ([]string, error) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SetInterspersed(between)
	flags.Usage = func() {}
	for _, one := range options {
		flag := flags.VarPF(one, one.name, "", "")
		if one.into.Kind() == reflect.Bool {
			flag.NoOptDefVal = "true"
		}
	}
	err := flags.Parse(args)
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		err = fmt.Errorf("unknown flag -%s", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		err = fmt.Errorf("unknown flag --%s", unknown.GetSpecifiedName())
	case errors.As(err, &bare):
		err = fmt.Errorf("--%s needs a value", bare.GetSpecifiedName())
	case errors.As(err, &invalid):
		// Without the value that pflag repeats: a slip may hold what is nobody's business.
		err = fmt.Errorf("--%s %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	flags.Visit(func(flag *pflag.Flag) { flag.Value.(*option).given = true })
	return flags.Args(), err
}
