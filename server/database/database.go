// Package database holds Secondstep's data: one SQLite file, or PostgreSQL.
//
// Invariants:
//
//   - [Database.Write] is the only way to write. What [Database.Read] gives cannot
//     write: its connections are read-only on both databases.
//   - A Write whose function returned nil is durable before Write returns; one whose
//     function returned an error (a fault) or panicked has left no trace. A refusal is
//     a value that the function hands out while it returns nil, so that it commits.
//   - A function may run more than once (a serialisation failure, a busy file, a
//     neighbour that broke the common transaction), so it has no outside effect and
//     sets what it hands out anew each time.
//   - A busy database is retried and in the end [ErrBusy]; it never counts as success.
//
// On SQLite writes run one after the other, so a function sees no other's changes. On
// PostgreSQL they run at READ COMMITTED, side by side: a one-way change is therefore a
// conditional write whose row count is looked at ([Touched]) or an insert under a
// unique index ([Unique]), never a read followed by a write.
//
// How writes are committed is this room's secret: see gather.go and postgres.go.
package database

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/uptrace/bun"
)

// Options say which database to open. Now and Random must be given.
type Options struct {
	// URL is "" for SQLite, else postgres://user:password@host:port/name?sslmode=…
	URL string
	// Folder is the data folder, made when absent: the SQLite file and its locks.
	Folder string
	// Now is the clock; Random the source of the random part of ids.
	Now    func() time.Time
	Random io.Reader
	// Logger hears of migrations applied and of retries; nil is silence.
	Logger *slog.Logger
}

// Database is one open database. It is safe for concurrent use.
type Database struct {
	options  Options
	postgres bool
	ids      *ids
	reads    *reads
	states   states
	writes   backend
	claim    *flock.Flock
	closing  sync.Once
	closed   error // what Close found
}

// backend is what differs between the two databases.
type backend interface {
	write(ctx context.Context, run func(context.Context, Tx) error) error
	close() error
}

// limits are the room's own settings, apart so that its tests can tighten them.
type limits struct {
	gather      int           // functions in one commit on SQLite, at most
	busyTimeout time.Duration // how long SQLite itself waits for the file
	tries       int           // attempts of one Write, the first included
	connections int           // PostgreSQL: transactions at once, and readers
	retried     func(error)   // told of each retry; nil is allowed
	committed   func(int)     // told how many functions each commit held; nil is allowed
}

var defaults = limits{gather: 128, busyTimeout: 5 * time.Second, tries: 8, connections: 16}

// Open opens the database and brings its schema up to date, under a lock that other
// starting processes respect. It fails with [*SchemaTooNew] when a newer Secondstep has
// migrated it. Errors name the file or the server, never the URL's password.
func Open(ctx context.Context, options Options) (*Database, error) {
	return open(ctx, options, defaults)
}

func open(ctx context.Context, options Options, limits limits) (*Database, error) {
	if options.Now == nil || options.Random == nil {
		return nil, errors.New("database: Now and Random must be given")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Database{options: options, ids: newIDs(options.Random)}
	var err error
	switch {
	case options.URL == "":
		err = d.openSQLite(ctx, limits)
	case strings.HasPrefix(options.URL, "postgres://"), strings.HasPrefix(options.URL, "postgresql://"):
		d.postgres = true
		err = d.openPostgres(ctx, limits)
	default:
		err = errors.New("database: the URL must begin with postgres:// (leave it empty for SQLite)")
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Read gives the readers' connections. Nothing can be written through them.
func (d *Database) Read() bun.IDB { return d.reads }

// Write runs the function in a transaction and returns once what it wrote is durable.
// It returns the function's own error when that failed, [*Panic] when it panicked,
// ctx's error when ctx ended before the function began, and [ErrBusy] when the database
// stayed busy. From the function's first statement on the end of ctx is ignored: the
// context handed to it does not end, so use that one inside.
func (d *Database) Write(ctx context.Context, run func(ctx context.Context, tx Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.writes.write(ctx, run)
}

// Postgres says whether this is PostgreSQL (else SQLite).
func (d *Database) Postgres() bool { return d.postgres }

// Ping asks the database for a sign of life.
func (d *Database) Ping(ctx context.Context) error {
	var one int
	return d.reads.db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// ClaimServe takes the one place to serve from a SQLite data folder, until Close. It
// fails in one line when another process holds it. On PostgreSQL any number may serve.
func (d *Database) ClaimServe() error {
	if d.postgres || d.claim != nil {
		return nil
	}
	path := filepath.Join(d.options.Folder, "secondstep.lock")
	claim := flock.New(path, flock.SetPermissions(0o600))
	held, err := claim.TryLock()
	if err != nil {
		return err
	}
	if !held {
		return errors.New("another serve already runs on " + d.options.Folder + ": stop it first, or use PostgreSQL to run several")
	}
	d.claim = claim
	return nil
}

// Close waits for the writes under way, then closes every connection. Closing again does
// nothing more.
func (d *Database) Close() error {
	d.closing.Do(func() {
		d.closed = errors.Join(d.writes.close(), d.reads.close(), d.states.close())
		if d.claim != nil {
			d.closed = errors.Join(d.closed, d.claim.Unlock())
		}
	})
	return d.closed
}

func (d *Database) newTx(db bun.IDB, statements preparer) Tx {
	return Tx{IDB: db, Now: d.options.Now().UTC().Truncate(time.Millisecond), ids: d.ids, statements: statements}
}
