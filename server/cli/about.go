package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
)

func newOpenapi(p program) *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI document of all HTTP calls.", Args: cobra.ExactArgs(0),
		RunE: p.does(printOpenAPI),
	}
}

// printOpenAPI prints the document that GET /api/openapi.json answers.
func printOpenAPI(p program) error {
	document, err := server.OpenAPI(p.version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s\n", document)
	return err
}

func newVersion(p program) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version.", Args: cobra.ExactArgs(0), RunE: p.does(printVersion)}
}

func printVersion(p program) error {
	_, err := fmt.Fprintln(p.out, "secondstep", p.version)
	return err
}
