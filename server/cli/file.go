package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"gopkg.in/yaml.v3"
)

// settings are those of a --config file: the names of flags, whichever command has them, so that one file serves all
// commands of an installation. A command takes those that it has; a name that no command has is a slip, and refused.
// A setting is a flag that the environment has too: the flags of `demo`, which takes nothing of a real installation, are none.
type settings map[string]values

// values are a setting's, as they are written.
type values []string

// UnmarshalYAML reads one value or a list of them; "name:" alone is nothing.
func (v *values) UnmarshalYAML(node *yaml.Node) error {
	switch {
	case node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			if err := v.UnmarshalYAML(item); err != nil {
				return err
			}
		}
		return nil
	case node.Kind == yaml.AliasNode:
		return v.UnmarshalYAML(node.Alias)
	case node.Kind != yaml.ScalarNode:
		return errors.New("a setting is a value or a list of them")
	}
	if node.Tag != "!!null" {
		*v = append(*v, node.Value)
	}
	return nil
}

// settingsOf reads a file of the form "name: value"; known are the names that there are.
func settingsOf(path string, known map[string]bool) (settings, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	read := settings{}
	if err := yaml.NewDecoder(file).Decode(&read); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the file of --config must be YAML with a line such as `listen: 127.0.0.1:8080` for each setting")
	}
	for name := range read {
		if !known[name] {
			return nil, fmt.Errorf("the file of --config has a setting %q that there is not: they are named like the flags", name)
		}
	}
	return read, nil
}
