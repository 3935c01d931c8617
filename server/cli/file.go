package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// variable is a flag's annotation with the name that the environment has for it. A flag that has one is a setting: the
// flags of `demo`, which takes nothing of a real installation, have none.
const variable = "variable"

// settings makes every flag that a set has so far a setting.
func settings(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Annotations[variable] == nil {
			name := "SECONDSTEP_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			flag.Annotations = map[string][]string{variable: {name}}
			flag.Usage += "\n$" + name
		}
	})
}

// settle gives the settings of a command that are not on the command line their values: from the environment, or else
// from the file of --config.
func settle(cmd *cobra.Command, _ []string) error {
	var err error
	take := func(flag *pflag.Flag, from string, texts ...string) {
		for _, text := range texts {
			if refusal := flag.Value.Set(text); refusal != nil && err == nil {
				err = refused(flag, from, refusal)
			}
		}
	}
	open := map[string]*pflag.Flag{} // to the file
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		for _, name := range flag.Annotations[variable] {
			if flag.Changed {
				continue
			}
			if text, set := os.LookupEnv(name); set {
				take(flag, " (by $"+name+")", text)
			} else {
				open[flag.Name] = flag
			}
		}
	})
	path := cmd.Flag("config").Value.String()
	if err != nil || path == "" {
		return err
	}
	file, err := read(path)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if !isSetting(cmd.Root(), name) {
			return fmt.Errorf("the file of --config has a setting %q that there is not: they are named like the flags", name)
		}
		if flag := open[name]; flag != nil {
			take(flag, " (in the file of --config)", file[name]...)
		}
	}
	return err
}

// isSetting tells whether a command, or one in it, has such a setting: one file serves all commands of an installation.
func isSetting(cmd *cobra.Command, name string) bool {
	if flag := cmd.LocalNonPersistentFlags().Lookup(name); flag != nil && flag.Annotations[variable] != nil {
		return true
	}
	for _, child := range cmd.Commands() {
		if isSetting(child, name) {
			return true
		}
	}
	return false
}

// values are a setting's, as they are written: one, or a list of them.
type values []string

func (v *values) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*v = values{node.Value}
		return nil
	}
	return node.Decode((*[]string)(v))
}

// read reads a file of the form "name: value".
func read(path string) (map[string]values, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines map[string]values
	if err := yaml.NewDecoder(file).Decode(&lines); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the file of --config must be YAML with a line such as `listen: 127.0.0.1:8080` for each setting")
	}
	return lines, nil
}
