package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// settings are those of a --config file: the names of flags, whichever command has them, so that one file serves all
// commands of an installation. A command takes those that it has; a name that no command has is a slip, and refused.
// A setting is a flag that the environment has too: the flags of `demo`, which takes nothing of a real installation, are none.
type settings map[string]any

// readSettings reads a file of the form "name: value".
func readSettings(file io.Reader) (kong.Resolver, error) {
	read := settings{}
	if err := yaml.NewDecoder(file).Decode(&read); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the file of --config must be YAML with a line such as `listen: 127.0.0.1:8080` for each setting")
	}
	return read, nil
}

// Validate refuses names that are no setting.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	collect(app.Node, known)
	for name := range s {
		if !known[name] {
			return fmt.Errorf("the file of --config has a setting %q that there is not: they are named like the flags", name)
		}
	}
	return nil
}

func collect(node *kong.Node, known map[string]bool) {
	for _, flag := range node.Flags {
		known[flag.Name] = known[flag.Name] || isSetting(flag)
	}
	for _, child := range node.Children {
		collect(child, known)
	}
}

func isSetting(flag *kong.Flag) bool { return len(flag.Envs) > 0 && flag.Name != "config" }

// Resolve answers the file's value of a flag, or nothing where the environment has one: that wins.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return s[flag.Name], nil
}
