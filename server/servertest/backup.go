package servertest

import (
	"context"
	"path/filepath"

	"github.com/secondstep/secondstep/server"
)

// Backup makes a backup of the installation as it is now and answers what Restored makes an installation of.
func (in *Installation) Backup() string {
	in.t.Helper()
	if in.Postgres {
		return in.URL // what pg_dump and pg_restore bring back is the same database
	}
	path := filepath.Join(in.t.TempDir(), "backup.zip")
	if _, err := in.First().Backup(context.Background(), path, true); err != nil {
		in.t.Fatal(err)
	}
	return path
}

// Restored is an installation that a backup was restored to: on SQLite in another folder, on PostgreSQL the database
// itself, whose instances are stopped.
func (in *Installation) Restored(backup string) *Installation {
	in.t.Helper()
	other := &Installation{Clock: in.Clock, Postgres: in.Postgres, Folder: in.Folder, URL: in.URL, t: in.t, options: in.options}
	var err error
	if in.Postgres {
		for _, instance := range in.Instances {
			instance.Stop()
		}
		_, err = server.RestoreLoaded(context.Background(), other.config(&Log{}))
	} else {
		other.Folder = in.t.TempDir()
		_, err = server.Restore(context.Background(), other.config(&Log{}), backup)
	}
	if err != nil {
		in.t.Fatal(err)
	}
	other.Another()
	return other
}
