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
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var embedded embed.FS

// versions is the table of the migrations applied.
const versions = "schema_versions"

// lockNumber is the key of PostgreSQL's advisory lock; any number nobody else takes.
const lockNumber = 0x5ec0_d57e

// migrate applies the pending migrations, each in one transaction with its version row
// (goose's runIndividually), so a process killed midway leaves the version before or
// the version after. The lock covers looking at the version as well as migrating: goose
// takes it before it looks.
func migrate(ctx context.Context, db *sql.DB, lock lock.SessionLocker, logger *slog.Logger) error {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	return migrateTo(ctx, db, files, lock, logger)
}

func migrateTo(ctx context.Context, db *sql.DB, files fs.FS, locker lock.SessionLocker, logger *slog.Logger) error {
	dialect := goose.DialectSQLite3
	if _, ok := locker.(advisoryLock); ok {
		dialect = goose.DialectPostgres
	}
	guard := &guard{SessionLocker: locker, dialect: dialect}
	provider, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName(versions),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSessionLocker(guard),
		goose.WithSlog(logger),
	)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	guard.known = sources[len(sources)-1].Version
	results, err := provider.Up(ctx)
	if err != nil {
		var tooNew *SchemaTooNew
		if errors.As(err, &tooNew) {
			return tooNew // one line, without goose's wrapping
		}
		return err
	}
	for _, result := range results {
		logger.InfoContext(ctx, "migration applied", "version", result.Source.Version, "milliseconds", result.Duration.Milliseconds())
	}
	return nil
}

// guard refuses a schema newer than the binary, under the same lock that migrates: goose
// itself is content when the database is ahead of its files.
type guard struct {
	lock.SessionLocker
	dialect goose.Dialect
	known   int64
}

func (g *guard) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := g.SessionLocker.SessionLock(ctx, conn); err != nil {
		return err
	}
	if err := g.check(ctx, conn); err != nil {
		return errors.Join(err, g.SessionLocker.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return nil
}

func (g *guard) check(ctx context.Context, conn *sql.Conn) error {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '" + versions + "'"
	if g.dialect == goose.DialectPostgres {
		exists = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = '" + versions + "'"
	}
	var tables int
	if err := conn.QueryRowContext(ctx, exists).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	var found int64
	if err := conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versions).Scan(&found); err != nil {
		return err
	}
	if found > g.known {
		return &SchemaTooNew{Found: found, Known: g.known}
	}
	return nil
}

// advisoryLock is PostgreSQL's lock of the session, which ends with its connection.
type advisoryLock struct{}

// patience is how long a start waits for another process to migrate.
const patience = 5 * time.Minute

func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Asked for again and again, since a blocking call would run into the driver's
	// time-out and lose the connection.
	for {
		var held bool
		if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT pg_try_advisory_lock(%d)", lockNumber)).Scan(&held); err != nil {
			return fmt.Errorf("the migration lock: %w", err)
		}
		if held {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("another process has been migrating for too long: %w", ctx.Err())
		}
	}
}

func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_unlock(%d)", lockNumber))
	return err
}

// fileLock is the lock for SQLite, which has none that outlasts a transaction. The
// system lets it go when the process ends, however it ends.
type fileLock struct {
	folder string
	file   *flock.Flock
}

func (l *fileLock) SessionLock(ctx context.Context, _ *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l.file = flock.New(filepath.Join(l.folder, "secondstep.migrating.lock"), flock.SetPermissions(0o600))
	held, err := l.file.TryLockContext(ctx, 20*time.Millisecond)
	if err != nil || !held {
		return errors.Join(fmt.Errorf("the migration lock of %s", l.folder), err)
	}
	return nil
}

func (l *fileLock) SessionUnlock(context.Context, *sql.Conn) error { return l.file.Unlock() }
