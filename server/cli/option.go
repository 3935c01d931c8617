package cli

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// option is a flag or an argument: a field of a command and what its tags say.
type option struct {
	name        string
	help        string
	placeholder string
	env         string
	standard    string // the value that it has by itself
	preset      bool   // it has one
	enum        []string
	required    bool
	hidden      bool
	path        bool
	given       bool // on the command line
	into        reflect.Value
}

func optionOf(field reflect.StructField, into reflect.Value) *option {
	tag := field.Tag
	o := &option{
		name: tag.Get("name"), help: tag.Get("help"), placeholder: tag.Get("placeholder"), env: tag.Get("env"),
		path: tag.Get("type") == "path", into: into,
	}
	if o.name == "" {
		o.name = dashed(field.Name)
	}
	o.standard, o.preset = tag.Lookup("default")
	_, o.required = tag.Lookup("required")
	_, o.hidden = tag.Lookup("hidden")
	if enum := tag.Get("enum"); enum != "" {
		o.enum = strings.Split(enum, ",")
	}
	return o
}

// dashed makes database-url of DatabaseURL.
func dashed(name string) string {
	letters := []rune(name)
	var b strings.Builder
	for n, letter := range letters {
		begins := unicode.IsUpper(letter) && n > 0 &&
			(unicode.IsLower(letters[n-1]) || n+1 < len(letters) && unicode.IsLower(letters[n+1]))
		if begins {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(letter))
	}
	return b.String()
}

// Set takes a value as it is written; a list takes one or several more.
func (o *option) Set(text string) error {
	if len(o.enum) > 0 && !slices.Contains(o.enum, text) {
		return fmt.Errorf("must be one of %s", strings.Join(o.enum, ", "))
	}
	switch into := o.into.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return into.UnmarshalText([]byte(text))
	case *string:
		if o.path && text != "" {
			return o.setPath(into, text)
		}
		*into = text
		return nil
	case *[]string:
		if text != "" {
			*into = append(*into, strings.Split(text, ",")...)
		}
		return nil
	case *bool:
		return number(into, text, "must be true or false", strconv.ParseBool)
	case *time.Duration:
		return number(into, text, "must be a time such as 90s, 30m or 12h", time.ParseDuration)
	case *int:
		return number(into, text, "must be a whole number", strconv.Atoi)
	case *uint32:
		return number(into, text, "must be a whole number that is not negative", unsigned[uint32](32))
	case *uint8:
		return number(into, text, "must be a whole number of 0 to 255", unsigned[uint8](8))
	}
	panic("no way to set --" + o.name) // only a slip in a command's struct gets here
}

// number sets what a function reads, and says what was expected where it can't.
func number[T any](into *T, text, expected string, read func(string) (T, error)) error {
	value, err := read(text)
	if err != nil {
		return errors.New(expected)
	}
	*into = value
	return nil
}

func unsigned[T uint8 | uint32](bits int) func(string) (T, error) {
	return func(text string) (T, error) {
		value, err := strconv.ParseUint(text, 10, bits)
		return T(value), err
	}
}

// setPath takes a path as a shell would: ~ is the home folder, and what it is relative to is here.
func (o *option) setPath(into *string, text string) error {
	if rest, found := strings.CutPrefix(text, "~"); found && (rest == "" || os.IsPathSeparator(rest[0])) {
		if home, err := os.UserHomeDir(); err == nil {
			text = home + rest
		}
	}
	absolute, err := filepath.Abs(text)
	*into = absolute
	return err
}

// String and Type make it a value of pflag's.
func (o *option) String() string { return o.standard }

// Type is how a value is called where nothing better is known.
func (o *option) Type() string { return strings.ToUpper(o.into.Kind().String()) }

// isSetting tells whether the environment has it too: those are what a --config file may hold.
func (o *option) isSetting() bool { return o.env != "" && o.name != "config" }

// resolve gives an option that is not on the command line its value: from the environment, from the file, or its own.
func (o *option) resolve(file settings) error {
	if o.given {
		return nil
	}
	if o.env != "" {
		if text, set := os.LookupEnv(o.env); set {
			if err := o.Set(text); err != nil {
				return fmt.Errorf("--%s (by $%s) %w", o.name, o.env, err)
			}
			return nil
		}
	}
	if texts, found := file[o.name]; found && o.isSetting() {
		for _, text := range texts {
			if err := o.Set(text); err != nil {
				return fmt.Errorf("--%s (in the file of --config) %w", o.name, err)
			}
		}
		return nil
	}
	if o.preset {
		return o.Set(o.standard)
	}
	return nil
}
