package database

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database/databasetest"
)

// both runs a test on SQLite and on PostgreSQL, each with an empty database.
func both(t *testing.T, test func(t *testing.T, options Options)) {
	t.Run("SQLite", func(t *testing.T) { test(t, sqliteOptions(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgresOptions(t)) })
}

func sqliteOptions(tb testing.TB) Options {
	return Options{Folder: tb.TempDir(), Now: time.Now, Random: rand.Reader}
}

func postgresOptions(tb testing.TB) Options {
	return Options{URL: databasetest.Postgres(tb), Now: time.Now, Random: rand.Reader}
}

func opened(tb testing.TB, options Options, limits limits) *Database {
	tb.Helper()
	d, err := open(context.Background(), options, limits)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func TestOpenFromEmpty(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO jobs (name, next_at) VALUES (?, ?)", "a", 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM jobs").Scan(&n); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	})
}
