package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

// SQLiteFile is the name of the embedded database in its folder.
const SQLiteFile = "secondstep.db"

// openSQLite opens Folder/secondstep.db: one connection that writes, several that read.
func (d *Database) openSQLite(ctx context.Context, limits limits) (err error) {
	folder, err := filepath.Abs(d.options.Folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the data folder: %w", err)
	}
	d.options.Folder = folder
	path := filepath.Join(folder, SQLiteFile)
	// SQLite would make it readable by the group; its -wal and -shm take this file's mode.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the database file: %w", err)
	}
	if err := file.Close(); err != nil {
		return err
	}

	// temp_store keeps what the savepoints need to roll back in memory: written to a
	// temporary file, as by default, it takes more time than the rows themselves. A page
	// that many commits change goes into the database file once for every 16 MB of them.
	writer, err := sql.Open("sqlite", sqliteDSN(path, limits,
		"synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)"))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", path, err), writer.Close())
		}
	}()
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, writer, fileLock{folder}, d.options.Logger); err != nil {
		return err
	}
	states, err := openSQLiteStates(ctx, writer)
	if err != nil {
		return err
	}
	d.states = states
	gather, err := newGather(ctx, d, bun.NewDB(writer, sqlitedialect.New()), limits, states.committed)
	if err != nil {
		return errors.Join(err, states.close())
	}
	readers, err := sql.Open("sqlite", sqliteDSN(path, limits, "query_only(1)"))
	if err != nil {
		return errors.Join(err, gather.close(), states.close())
	}
	connections := max(4, 2*runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(connections)
	readers.SetMaxIdleConns(connections)
	d.reads = newReads(readers, bun.NewDB(readers, sqlitedialect.New()), false)
	d.writes = gather
	return nil
}

// sqliteDSN puts the settings into the name, so that every connection has them.
func sqliteDSN(path string, limits limits, pragmas ...string) string {
	values := url.Values{"_txlock": {"immediate"}}
	values.Add("_pragma", "busy_timeout("+strconv.FormatInt(limits.busyTimeout.Milliseconds(), 10)+")")
	values.Add("_pragma", "journal_mode(WAL)")
	for _, pragma := range pragmas {
		values.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}
