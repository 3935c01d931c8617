package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var embedded embed.FS

// versions is the table of the migrations applied.
const versions = "schema_versions"

// lockNumber is the key of PostgreSQL's advisory lock; any number nobody else takes.
const lockNumber = 0x5ec0_d57e

// locker keeps other processes from migrating the same database meanwhile.
type locker interface {
	// known is a query that says whether there is a table of the versions, without a complaint in the server's log.
	known() string
	// remote says that the lock costs a connection of its own, so that it is worth looking first.
	remote() bool
	lock(ctx context.Context, db *sql.DB) (unlock func() error, err error)
	dialect() goose.Dialect
}

// migrate applies the pending migrations, each in one transaction with its version row
// (goose's Provider does that), so a process killed midway leaves the version before or
// the version after. The lock is ours and around all of it: goose looks for pending
// migrations, and makes its table, before it would take one, and is content with a
// database that is ahead of its files.
func migrate(ctx context.Context, db *sql.DB, locker locker, logger *slog.Logger) error {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	return migrateTo(ctx, db, files, locker, logger)
}

func migrateTo(ctx context.Context, db *sql.DB, files fs.FS, locker locker, logger *slog.Logger) (err error) {
	if locker.remote() {
		if done, err := upToDate(ctx, db, files, locker); err != nil || done {
			return err
		}
	}
	unlock, err := locker.lock(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if done, err := upToDate(ctx, db, files, locker); err != nil || done {
		return err
	}

	provider, err := goose.NewProvider(locker.dialect(), db, files,
		goose.WithTableName(versions),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(logger),
	)
	if err != nil {
		return err
	}
	found, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if found > known {
		return &SchemaTooNew{Found: found, Known: known}
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return err
	}
	for _, result := range results {
		logger.InfoContext(ctx, "migration applied", "version", result.Source.Version, "milliseconds", result.Duration.Milliseconds())
	}
	return nil
}

// upToDate looks whether exactly the migrations of the files are applied, as they are at nearly every start. It needs no
// lock: a migration is seen as a whole or not at all. Anything else is for goose to judge.
func upToDate(ctx context.Context, db *sql.DB, files fs.FS, locker locker) (bool, error) {
	var known bool
	if err := db.QueryRowContext(ctx, locker.known()).Scan(&known); err != nil || !known {
		return false, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return false, err
	}
	var here, there []int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return false, err
		}
		here = append(here, version)
	}
	rows, err := db.QueryContext(ctx, "SELECT version_id FROM "+versions+" WHERE is_applied AND version_id > 0 ORDER BY version_id")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return false, err
		}
		there = append(there, version)
	}
	slices.Sort(here)
	return slices.Equal(here, there), rows.Err()
}

// patience is how long a start waits for another process to migrate.
const patience = 5 * time.Minute

// advisoryLock is PostgreSQL's lock of a session, which ends with its connection.
type advisoryLock struct{}

func (advisoryLock) known() string {
	return "SELECT to_regclass('" + versions + "') IS NOT NULL"
}

func (advisoryLock) remote() bool { return true }

func (advisoryLock) dialect() goose.Dialect { return goose.DialectPostgres }

func (advisoryLock) lock(ctx context.Context, db *sql.DB) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Asked for again and again, since a blocking call would run into the driver's
	// time-out and lose the connection.
	for {
		var held bool
		if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT pg_try_advisory_lock(%d)", lockNumber)).Scan(&held); err != nil {
			return nil, errors.Join(fmt.Errorf("the migration lock: %w", err), conn.Close())
		}
		if held {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the migration lock: another process holds it: %w", ctx.Err()), conn.Close())
		}
	}
	return func() error {
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("SELECT pg_advisory_unlock(%d)", lockNumber))
		return errors.Join(err, conn.Close())
	}, nil
}

// fileLock is the lock for SQLite, which has none that outlasts a transaction. The
// system lets it go when the process ends, however it ends.
type fileLock struct{ folder string }

func (fileLock) known() string {
	return "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = '" + versions + "'"
}

func (fileLock) remote() bool { return false }

func (fileLock) dialect() goose.Dialect { return goose.DialectSQLite3 }

func (l fileLock) lock(ctx context.Context, _ *sql.DB) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	file := flock.New(filepath.Join(l.folder, "secondstep.migrating.lock"), flock.SetPermissions(0o600))
	if _, err := file.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("the migration lock: %w", err)
	}
	return file.Unlock, nil
}
