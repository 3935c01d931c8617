package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	installation "github.com/secondstep/secondstep/server/settings"
)

// expected is what flags of the library's types take. Those below say it themselves.
var expected = map[string]string{
	"bool":     "true or false",
	"duration": "a time such as 90s, 30m or 12h",
	"int":      "a whole number",
	"uint8":    "a whole number of 0 to 255",
	"uint32":   "a whole number that is not negative",
}

// refused says what a flag takes; not what it was given, which may be nobody's business.
func refused(flag *pflag.Flag, from string, cause error) error {
	if takes := expected[flag.Value.Type()]; takes != "" {
		cause = errors.New("must be " + takes)
	}
	return fmt.Errorf("--%s%s %w", flag.Name, from, cause)
}

// misread is a refusal of the library's without anything that it repeats but a flag's name.
func misread(_ *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		unknown *pflag.NotExistError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &invalid):
		return refused(invalid.GetFlag(), "", invalid.Unwrap())
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("unknown flag: -%s", unknown.GetSpecifiedName())
	case errors.As(err, &syntax):
		return errors.New("a flag is written --name=value")
	}
	return err
}

// path is a file's or folder's, taken as a shell would: ~ is the home folder, and what it is relative to is here.
type path string

// pathVar binds a flag to a path, which by itself is standard.
func pathVar(flags *pflag.FlagSet, into *string, name, standard, usage string) {
	*into = standard
	_ = (*path)(into).Set(standard) // where there is no telling what it is relative to, it stays relative
	flags.Var((*path)(into), name, usage)
	flags.Lookup(name).DefValue = standard
}

func (p *path) Set(text string) error {
	if text == "" {
		*p = ""
		return nil
	}
	if rest, found := strings.CutPrefix(text, "~"); found && (rest == "" || os.IsPathSeparator(rest[0])) {
		if home, err := os.UserHomeDir(); err == nil {
			text = home + rest
		}
	}
	absolute, err := filepath.Abs(text)
	if err == nil {
		*p = path(absolute)
	}
	return err
}

func (p *path) String() string { return string(*p) }
func (p *path) Type() string   { return "path" }

// memory is an amount such as 46MiB, in KiB.
type memory uint32

func (m *memory) Set(text string) error {
	number, found := strings.CutSuffix(text, "MiB")
	mebibytes, err := strconv.ParseUint(strings.TrimSpace(number), 10, 16)
	if !found || err != nil || mebibytes == 0 {
		return errors.New("must be a number of mebibytes, such as 46MiB")
	}
	*m = memory(mebibytes << 10)
	return nil
}

func (m *memory) String() string { return fmt.Sprintf("%dMiB", *m>>10) }
func (m *memory) Type() string   { return "memory" }

// networks are some, such as 127.0.0.1/32,10.0.0.0/8; an address is a network of its own.
type networks []netip.Prefix

func (n *networks) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		if one == "" {
			continue
		}
		network, err := netip.ParsePrefix(one)
		if address, alone := netip.ParseAddr(one); alone == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return errors.New("must be networks such as 127.0.0.1/32")
		}
		*n = append(*n, network.Masked())
	}
	return nil
}

func (n *networks) String() string { return "" } // none by itself
func (n *networks) Type() string   { return "networks" }

// brandName is what an installation calls itself; empty where no flag says.
type brandName string

func (b *brandName) Set(text string) error {
	if len(installation.CheckBrand(text)) > 0 {
		return errors.New("must be a name of 1 to 60 characters")
	}
	*b = brandName(strings.TrimSpace(text))
	return nil
}

func (b *brandName) String() string { return string(*b) }
func (b *brandName) Type() string   { return "name" }

// level is how much is logged.
type level slog.Level

func (l *level) Set(text string) error {
	if (*slog.Level)(l).UnmarshalText([]byte(text)) != nil {
		return errors.New("must be debug, info, warn or error")
	}
	return nil
}

func (l *level) String() string { return strings.ToLower(slog.Level(*l).String()) }
func (l *level) Type() string   { return "level" }

// choice is one word of some.
type choice struct {
	word  *string
	among []string
}

// oneOf is a choice that by itself is the first one.
func oneOf(word *string, among ...string) choice {
	*word = among[0]
	return choice{word, among}
}

func (c choice) Set(text string) error {
	if !slices.Contains(c.among, text) {
		return fmt.Errorf("must be one of %s", strings.Join(c.among, ", "))
	}
	*c.word = text
	return nil
}

func (c choice) String() string { return *c.word }
func (c choice) Type() string   { return strings.Join(c.among, "|") }
