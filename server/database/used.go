package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Used reports whether a Secondstep has ever opened the database that the options name. It changes nothing, where Open
// would bring the schema up to date.
func Used(ctx context.Context, options Options) (used bool, err error) {
	if options.URL == "" {
		_, err := os.Stat(filepath.Join(options.Folder, SQLiteFile))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	connector, err := postgresConnector(options.URL, map[string]any{"default_transaction_read_only": "on"})
	if err != nil {
		return false, errors.New("the database URL cannot be read: it must look like postgres://user:password@host:5432/name?sslmode=verify-full")
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT to_regclass('schema_versions') IS NOT NULL").Scan(&used); err != nil {
		return false, fmt.Errorf("PostgreSQL: %w", err)
	}
	return used, nil
}
