// Command bench measures what the product costs, each row of its table against a reference that is measured in the
// same run on the same machine, turn about: a ratio says the same everywhere, a number does not.
//
//	make bench                       every row, on SQLite and PostgreSQL
//	make bench BENCH='session|start' some of them
//
// It needs bin/secondstep (make build) and PostgreSQL. A run of every row lands in docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/secondstep/secondstep/server/database/databasetest"
)

// row is a row of the table, or several that are measured together.
type row struct {
	name string // what BENCH picks by
	run  func(*bench) error
}

var rows = []row{
	{"second-step", secondSteps},
	{"session", sessionChecks},
	{"sign-in", signIns},
	{"backup-code", backupCodes},
	{"confirm", confirms},
	{"flood", flood},
	{"sealing", sealing},
	{"import", imports},
	{"size", manyPeople},
	{"start", starts},
	{"idle", idle},
	{"binary", binary},
	{"assets", assets},
}

// bench is a run.
type bench struct {
	ctx      context.Context
	temp     string // on a real disk: a commit waits for it
	program  string
	postgres string // the server's URL
	people   int    // how many the large installation has
	rounds   int
	kinds    []string // of databases
	table    table
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	b := &bench{}
	only := flag.String("only", "", "a regular expression of row names")
	file := flag.String("file", "", "where the table of a whole run is kept")
	flag.StringVar(&b.program, "program", "bin/secondstep", "the built program")
	flag.IntVar(&b.people, "people", 100_000, "people of the large installation; ten times as many events")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds of each measurement, of which the median counts")
	kind := flag.String("on", "", "SQLite or PostgreSQL alone")
	profile := flag.String("profile", "", "write a CPU profile of the run here")
	flag.Parse()
	if b.kinds = []string{onSQLite, onPostgres}; *kind != "" {
		b.kinds = []string{*kind}
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	b.ctx = ctx
	if b.temp, err = os.MkdirTemp("", "secondstep-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.temp)) }()
	server, stopServer, err := databasetest.StartDurable()
	if err != nil {
		return err
	}
	defer stopServer()
	b.postgres = server

	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	began := time.Now()
	for _, one := range rows {
		if !wanted.MatchString(one.name) {
			continue
		}
		before := time.Now()
		if err := one.run(b); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", one.name, time.Since(before).Seconds())
	}
	text := b.table.text()
	fmt.Fprintf(os.Stdout, "%s\n%s\n", text, machine(began))
	if *file == "" || *only != "" || *kind != "" {
		return nil
	}
	return os.WriteFile(*file, []byte(document(text, began)), 0o644) //nolint:gosec // documentation, for all to read
}
