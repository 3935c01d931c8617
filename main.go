// Command secondstep is the whole product: the server, its embedded front end
// and the tools of the one who runs it.
package main

import (
	"os"

	"github.com/secondstep/secondstep/server/cli"
)

// version is set by the linker (see the Makefile).
var version = "development"

func main() {
	os.Exit(cli.Main(os.Args[1:], dist(), version))
}
