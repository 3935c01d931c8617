package web

import (
	"errors"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// shape is what a JSON value must look like.
type shape struct {
	kind     string // of JSON schema
	nullable bool
	items    *shape         // of an array
	members  map[string]int // of an object: name → index of
	values   []*shape       // … its shape
	required []bool         // … whether it must be there
	foreign  bool           // of an object whose members somebody else defines
}

// mostMembers is the width of the set of keys seen.
const mostMembers = 64

// shapeOf reads a schema. It fails for what can't be read strictly: maps, any, more than one type.
func shapeOf(schemas huma.Registry, s *huma.Schema, known map[*huma.Schema]*shape) (*shape, error) {
	nullable := s.Nullable
	for s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	if sh, ok := known[s]; ok {
		return sh, nil
	}
	sh := &shape{kind: s.Type, nullable: nullable || s.Nullable}
	known[s] = sh
	switch s.Type {
	case huma.TypeString, huma.TypeBoolean, huma.TypeNumber, huma.TypeInteger:
	case huma.TypeArray:
		var err error
		if sh.items, err = shapeOf(schemas, s.Items, known); err != nil {
			return nil, err
		}
	case huma.TypeObject:
		if open, ok := s.AdditionalProperties.(bool); ok && open && len(s.Properties) == 0 { // Foreign's
			sh.foreign = true
			return sh, nil
		}
		if open, ok := s.AdditionalProperties.(bool); !ok || open || len(s.Properties) > mostMembers {
			return nil, errors.New("takes an object of any keys, or of more than 64")
		}
		sh.members = make(map[string]int, len(s.Properties))
		for name, property := range s.Properties {
			value, err := shapeOf(schemas, property, known)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			sh.members[name] = len(sh.values)
			sh.values = append(sh.values, value)
			sh.required = append(sh.required, slices.Contains(s.Required, name))
		}
	default:
		return nil, errors.New("takes a value of any type")
	}
	return sh, nil
}
