// Command cluster runs a command beside one throw-away PostgreSQL, whose URL the
// command finds in SECONDSTEP_TEST_POSTGRES. So all test processes of a run share a
// cluster, instead of each starting its own. It exits as the command did.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/secondstep/secondstep/server/database/databasetest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: cluster COMMAND…")
		os.Exit(2)
	}
	status, err := beside(os.Args[1], os.Args[2:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// beside runs the command between the start and the stop of a cluster.
func beside(name string, args ...string) (status int, err error) {
	url, stop, err := databasetest.Start()
	if err != nil {
		return 0, err
	}
	defer stop()

	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), databasetest.Environment+"="+url)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr

	// A signal ends the command, and then, in order, the cluster. Ctrl-C reaches the
	// command by itself: the terminal sends it to both.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := command.Start(); err != nil {
		return 0, err
	}
	go func() {
		for received := range signals {
			if received != syscall.SIGINT {
				_ = command.Process.Signal(received)
			}
		}
	}()
	err = command.Wait()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		if ended.Exited() {
			return ended.ExitCode(), nil
		}
		return 130, nil // by a signal
	}
	return 0, err
}
