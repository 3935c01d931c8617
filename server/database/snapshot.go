package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Snapshot writes the SQLite database as it is at this moment, compact, into a new file that its owner alone may read.
// Nobody waits for it: it reads as any reader does (https://sqlite.org/lang_vacuum.html, VACUUM INTO). PostgreSQL has
// tools of its own for that.
func (d *Database) Snapshot(ctx context.Context, path string) (err error) {
	if d.postgres {
		return errors.New("database: a snapshot of PostgreSQL is made by pg_dump")
	}
	// SQLite takes an empty file for none; made by SQLite itself, others could read it.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	// A connection of its own, since those of the readers may write nothing, not even elsewhere.
	db, err := sql.Open("sqlite", sqliteDSN(filepath.Join(d.options.Folder, SQLiteFile), defaults))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}

// Intact reads the whole SQLite database of the folder and fails where anything in it contradicts itself.
func Intact(ctx context.Context, folder string) (err error) {
	db, err := sql.Open("sqlite", sqliteDSN(filepath.Join(folder, SQLiteFile), defaults, "query_only(1)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return errors.New("the database is damaged: " + found)
	}
	var table string
	var row, parent, key any
	err = db.QueryRowContext(ctx, "PRAGMA foreign_key_check").Scan(&table, &row, &parent, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return errors.New("the database is damaged: a row of " + table + " belongs to nothing")
}
