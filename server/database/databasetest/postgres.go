// Package databasetest gives tests a real PostgreSQL. One throw-away cluster is started a
// test process, when a test first asks, and is gone when the process is, however it ends.
package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"
)

// Environment names the variable with the URL of a running server (its user may create
// databases). Set, no cluster is started: one serves the tests of all packages.
const Environment = "SECONDSTEP_TEST_POSTGRES"

// Postgres returns the URL of a fresh, empty database, which is dropped when the test
// ends. Without PostgreSQL the test fails and says what to install.
func Postgres(tb testing.TB) string {
	tb.Helper()
	return fresh(tb, serverOf(tb), "template1")
}

// Like is Postgres with what prepare makes of an empty database already in it. It is made
// once a process and copied from then on: the statements of all migrations take longer
// than a test. On a server that keeps what it has, and the copied one with it, it is made
// for each test.
func Like(tb testing.TB, prepare func(address string) error) string {
	tb.Helper()
	server := serverOf(tb)
	one := modelOn(server, prepare)
	if one.err != nil {
		tb.Fatalf("a database to copy on %s: %v", server, one.err)
	}
	if one.name != "" {
		return fresh(tb, server, one.name)
	}
	address := fresh(tb, server, "template1")
	if err := prepare(address); err != nil {
		tb.Fatal(err)
	}
	return address
}

// copied is the database that others are copied from; without a name there is none.
type copied struct {
	name string
	err  error
}

var (
	models      = map[string]copied{} // by server
	modelsMutex sync.Mutex
)

// modelOn makes the database that others are copied from, where the server is a careless one, which goes with all it has.
func modelOn(server string, prepare func(address string) error) copied {
	modelsMutex.Lock()
	defer modelsMutex.Unlock()
	model, done := models[server]
	if done {
		return model
	}
	var durable string
	model.err = connected(server).QueryRowContext(context.Background(), "SHOW fsync").Scan(&durable)
	if model.err == nil && durable == "off" {
		var one *made
		if one, model.err = create(server, "template1"); model.err == nil {
			model.name, model.err = one.name, prepare(one.address)
		}
	}
	models[server] = model
	return model
}

func serverOf(tb testing.TB) string {
	tb.Helper()
	if server := os.Getenv(Environment); server != "" {
		return server
	}
	own := cluster()
	if own.err != nil {
		tb.Fatal(own.err)
	}
	return own.server
}

// fresh makes a database for one test, as a copy of another one.
func fresh(tb testing.TB, server, like string) string {
	tb.Helper()
	one, err := create(server, like)
	if err != nil {
		tb.Fatalf("a database on %s: %v", server, err)
	}
	tb.Cleanup(func() {
		if err := one.drop(); err != nil {
			tb.Errorf("dropping the test's database: %v", err)
		}
	})
	return one.address
}

var (
	servers      = map[string]*sql.DB{}
	serversMutex sync.Mutex
)

// connected is the process's pool on a server. It stays: to connect costs a server half of what a copied database does.
func connected(server string) *sql.DB {
	serversMutex.Lock()
	defer serversMutex.Unlock()
	if servers[server] == nil {
		servers[server] = sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(server), pgdriver.WithReadTimeout(time.Minute)))
	}
	return servers[server]
}

// made is a database that is there, and what removes it.
type made struct {
	name, address string
	drop          func() error
}

// create makes a database with a name of its own, as a copy of another one.
func create(server, like string) (*made, error) {
	address, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	name := "secondstep_" + strings.ToLower(rand.Text())
	run := func(statement string) error {
		_, err := connected(server).ExecContext(context.Background(), statement)
		return err
	}
	if err := run("CREATE DATABASE " + name + " TEMPLATE " + like + " STRATEGY FILE_COPY"); err != nil {
		return nil, err
	}
	address.Path = "/" + name
	return &made{name, address.String(), func() error { return run("DROP DATABASE " + name + " WITH (FORCE)") }}, nil
}

// cluster is the process's own cluster. It keeps stop, and with it the pipe whose end
// stops the server: the garbage collector closes what nobody holds.
var cluster = sync.OnceValue(func() (own struct {
	server string
	stop   func()
	err    error
}) {
	own.server, own.stop, own.err = Start()
	return own
})

// Start starts a cluster on a free port of 127.0.0.1 and returns the URL of its server.
// It stops and is removed at stop, or when this process has ended; hold on to stop as
// long as the server is needed. Tests use Postgres; Start is for a command that runs the
// tests of many packages against one cluster.
func Start() (server string, stop func(), err error) { return start(careless) }

// StartDurable is Start with the settings that a real server has: a commit waits for the
// disk. It is for benchmarks, which would measure nothing else.
func StartDurable() (server string, stop func(), err error) { return start("") }

// careless keeps nothing, so it need not wait for the disk.
const careless = " -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off"

func start(settings string) (server string, stop func(), err error) {
	programs, err := find()
	if err != nil {
		return "", nil, err
	}
	folder, err := os.MkdirTemp("", "secondstep-postgres-")
	if err != nil {
		return "", nil, err
	}
	as, err := runAs(folder)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	stop, err = watch(as, programs, folder)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	port, err := launch(as, programs, folder, settings)
	if err != nil {
		stop()
		return "", nil, err
	}
	return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable", stop, nil
}

// find looks for PostgreSQL's programs in PATH and where Debian puts them.
func find() (folder string, err error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			return filepath.Dir(initdb), nil
		}
	}
	versions, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	newest, best := 0, ""
	for _, initdb := range versions {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
		if err == nil && version > newest {
			newest, best = version, filepath.Dir(initdb)
		}
	}
	if best == "" {
		return "", errors.New("these tests need PostgreSQL: install it (Debian: apt-get install postgresql), or set " + Environment + " to the URL of a server whose user may create databases")
	}
	return best, nil
}

// runAs is how to begin a command: PostgreSQL refuses to run as root, so root becomes
// the user that its package made, who then owns the folder.
func runAs(folder string) (prefix []string, err error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and its user is missing: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(folder, uid, -1); err != nil {
		return nil, err
	}
	return []string{"runuser", "-u", "postgres", "--"}, nil
}

// watch starts a shell that waits for the end of its standard input, which comes when
// this process closes it or has ended (even killed), and then stops the cluster and
// removes its folder. So no test needs a TestMain, and nothing is left behind.
func watch(as []string, programs, folder string) (stop func(), err error) {
	const script = `trap '' INT TERM HUP
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -w stop
rm -rf "$2"`
	watcher := command(as, folder, "sh", "-c", script, "sh", programs, folder)
	input, err := watcher.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := watcher.Start(); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = input.Close()
		_ = watcher.Wait()
	}), nil
}

// launch makes the cluster and starts its server. Another process may take the free
// port in between, so it tries more than once.
func launch(as []string, programs, folder, more string) (port string, err error) {
	data := filepath.Join(folder, "data")
	if err := run(command(as, folder, filepath.Join(programs, "initdb"),
		"--pgdata", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")); err != nil {
		return "", err
	}
	for range 5 {
		if port, err = freePort(); err != nil {
			return "", err
		}
		settings := "-c listen_addresses=127.0.0.1 -c port=" + port + " -c unix_socket_directories=''" +
			" -c max_connections=300 -c shared_buffers=64MB" + more
		if err = run(command(as, folder, filepath.Join(programs, "pg_ctl"),
			"--pgdata", data, "--log", filepath.Join(folder, "log"), "--options", settings, "--wait", "start")); err == nil {
			return port, nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(folder, "log"))
	return "", fmt.Errorf("%w\n%s", err, log)
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

func command(as []string, folder, name string, args ...string) *exec.Cmd {
	words := append(append([]string{}, as...), append([]string{name}, args...)...)
	c := exec.Command(words[0], words[1:]...)
	c.Dir = folder // the user postgres may not be able to enter where the tests run
	return c
}

// run runs a command and puts what it printed into the error. The output goes through a
// file, for the server that pg_ctl leaves running would hold a pipe open.
func run(c *exec.Cmd) error {
	output, err := os.CreateTemp("", "secondstep-postgres-output-")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(output.Close(), os.Remove(output.Name())) }()
	c.Stdout, c.Stderr = output, output
	if err := c.Run(); err != nil {
		_, _ = output.Seek(0, io.SeekStart)
		printed, _ := io.ReadAll(output)
		return fmt.Errorf("%s: %w\n%s", c, err, printed)
	}
	return nil
}
