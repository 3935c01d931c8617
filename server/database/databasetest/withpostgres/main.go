// Command withpostgres runs a command while one throw-away PostgreSQL serves all the
// tests in it, so that each package does not start its own:
//
//	go run ./server/database/databasetest/withpostgres go test ./...
//
// It exits as the command does.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/secondstep/secondstep/server/database/databasetest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres COMMAND [ARGUMENT …]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

func run(words []string) (code int, err error) {
	// A server that is there already is used, so that calls can nest.
	if os.Getenv(databasetest.Environment) == "" {
		server, stop, err := databasetest.Start()
		if err != nil {
			return 1, err
		}
		defer stop()
		if err := os.Setenv(databasetest.Environment, server); err != nil {
			return 1, err
		}
	}
	command := exec.Command(words[0], words[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
