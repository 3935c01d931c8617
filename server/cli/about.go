package cli

import (
	"fmt"

	"github.com/secondstep/secondstep/server"
)

type openapiCommand struct{}

// Run prints the document that GET /api/openapi.json answers.
func (c *openapiCommand) Run(p program) error {
	document, err := server.OpenAPI(p.version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s\n", document)
	return err
}

type versionCommand struct{}

// Run prints the version.
func (c *versionCommand) Run(p program) error {
	_, err := fmt.Fprintln(p.out, "secondstep", p.version)
	return err
}
