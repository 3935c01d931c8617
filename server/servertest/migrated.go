package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/secondstep/secondstep/server/database"
)

// The statements of all migrations take longer than a test: they run once a process, and installations begin with copies.

// migratedPostgres migrates an empty database of PostgreSQL.
func migratedPostgres(address string) error { return migrated(database.Options{URL: address}) }

// likeMigratedFile puts the embedded database into a folder, as a first start leaves it.
func likeMigratedFile(folder string) error {
	content, err := migratedFile()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, database.SQLiteFile), content, 0o600)
}

var migratedFile = sync.OnceValues(func() (content []byte, err error) {
	folder, err := os.MkdirTemp("", "secondstep-migrated-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := migrated(database.Options{Folder: folder}); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, database.SQLiteFile))
})

func migrated(options database.Options) error {
	options.Now, options.Random, options.Logger = time.Now, rand.Reader, slog.New(slog.DiscardHandler)
	db, err := database.Open(context.Background(), options)
	if err != nil {
		return err
	}
	return db.Close()
}
