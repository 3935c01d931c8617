package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/backup"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/rollout"
	"github.com/secondstep/secondstep/server/settings"
)

// keysFile is the key ring's name in the data folder.
const keysFile = "keyring.json"

// Backup writes what the installation is at this moment into a new file, while servers run on it: one consistent copy of
// the SQLite database and, where withKeys asks for it, the key ring, without which the stored secrets can't be read. It
// fails with fs.ErrExist where there is a file of that name.
func (s *Server) Backup(ctx context.Context, path string, withKeys bool) (about backup.Manifest, err error) {
	// A key that is retired between the copy and the reading of the ring would be missing from the ring.
	release, err := s.ring.Lock()
	if err != nil {
		return about, err
	}
	defer func() { err = errors.Join(err, release()) }()
	// Beside the file, where there has to be room for it anyway.
	folder, err := os.MkdirTemp(filepath.Dir(path), ".secondstep-backup-")
	if err != nil {
		return about, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, "snapshot.db")
	if err := s.Database.Snapshot(ctx, copied); err != nil {
		return about, err
	}
	about = backup.Manifest{Version: s.config.Version, MadeAt: s.config.Now().UTC(), Keys: s.ring.IDs()}
	if about.People, err = s.people(ctx); err != nil {
		return about, err
	}
	var keys []byte
	if withKeys {
		if keys, err = s.ring.Text(); err != nil {
			return about, err
		}
	}
	if err := backup.Write(path, about, copied, keys); err != nil || !withKeys {
		return about, err
	}
	return about, s.noteKept(ctx)
}

// noteKept notes that the key of now is in a backup, so that nobody is warned that there is no copy of it.
func (s *Server) noteKept(ctx context.Context) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		return settings.NoteKept(ctx, tx, audit.FromConsole(), s.ring.PrimaryID())
	})
}

func (s *Server) people(ctx context.Context) (int, error) {
	people, err := s.Database.Read().NewSelect().TableExpr("users").Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the people: %w", err)
	}
	return int(people), nil
}

// Restore makes an installation of a backup in the data folder, which must hold none. Everything is checked and made
// ready in a folder beside, and takes its place by one link at the end: where it is broken off, even by kill -9, there
// is no installation, and it can be run again.
func Restore(ctx context.Context, config Config, file string) (_ *Restoration, err error) {
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder can't be made: %w", err)
	}
	alone := flock.New(config.Data, flock.SetFlag(os.O_RDONLY)) // the folder: no file is left behind
	if held, err := alone.TryLock(); err != nil || !held {
		return nil, errors.Join(errors.New("another restore runs on that folder: let it end"), err)
	}
	defer func() { err = errors.Join(err, alone.Unlock()) }()
	used, err := database.Used(ctx, database.Options{Folder: config.Data})
	if err != nil {
		return nil, err
	}
	if used {
		return nil, fmt.Errorf("there is an installation in %s already: name an empty folder with --data", config.Data)
	}
	if err := leftBehind(config.Data); err != nil {
		return nil, err
	}
	from, err := backup.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()

	staging := config
	staging.Data = filepath.Join(config.Data, "restoring")
	if err := os.RemoveAll(staging.Data); err != nil { // of one that was broken off
		return nil, err
	}
	if err := os.Mkdir(staging.Data, 0o700); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging.Data)) }()
	if err := stageKeys(from, config, staging.Data); err != nil {
		return nil, err
	}
	if err := from.Database(filepath.Join(staging.Data, database.SQLiteFile)); err != nil {
		return nil, err
	}
	if err := database.Intact(ctx, staging.Data); err != nil {
		return nil, err
	}
	restored, err := revive(ctx, staging, from.Manifest)
	if err != nil {
		return nil, err
	}
	return restored, takePlace(staging.Data, config.Data)
}

// RestoreLoaded does what Restore does for a PostgreSQL database that pg_restore has been run on.
func RestoreLoaded(ctx context.Context, config Config) (*Restoration, error) {
	return revive(ctx, config, backup.Manifest{})
}

// leftBehind refuses a folder with what belongs to a database that is gone: SQLite would take it for the restored one's, and
// play what had happened since into it (https://sqlite.org/howtocorrupt.html, section 1.4).
func leftBehind(data string) error {
	for _, of := range []string{"-wal", "-shm", "-journal"} {
		path := filepath.Join(data, database.SQLiteFile+of)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s is left of an installation of before: name an empty folder with --data, or move it away", path), err)
		}
	}
	return nil
}

// stageKeys puts the key ring where the restored database is opened: the one that the folder has, or that of the backup.
// One from the environment is nowhere.
func stageKeys(from *backup.Backup, config Config, staging string) error {
	if config.Keyring != "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(config.Data, keysFile))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = from.KeyRing()
	}
	switch {
	case err != nil:
		return err
	case len(text) > 0:
		return keyring.Place(filepath.Join(staging, keysFile), text)
	case len(from.Keys) > 0:
		return fmt.Errorf("the backup holds no keys: put the key ring that belongs to it at %s (chmod 600), then restore again",
			filepath.Join(config.Data, keysFile))
	}
	return nil
}

// Restoration is what became of it.
type Restoration struct {
	People int // who are in it
	Bereft int // of them, who have lost their backup codes to it
}

// revive opens what was restored, which brings its schema up to date and finds out whether the keys fit, and ends all
// that must not live again.
func revive(ctx context.Context, config Config, of backup.Manifest) (_ *Restoration, err error) {
	s, err := Open(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	result := &Restoration{}
	if result.People, err = s.people(ctx); err != nil {
		return nil, err
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := s.sessions.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.SignIn.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.People.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.emails.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.recovery.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.stops.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.Forgotten.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := s.Tickets.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := mail.AfterRestore(ctx, tx); err != nil {
			return err
		}
		if err := rollout.AfterRestore(ctx, tx); err != nil {
			return err
		}
		bereft, err := s.factors.AfterRestore(ctx, tx)
		if err != nil {
			return err
		}
		result.Bereft = len(bereft)
		done := audit.FromConsole().Is(audit.Restored, audit.OK)
		if !of.MadeAt.IsZero() {
			done.Data = map[string]any{"made_at": of.MadeAt, "version": of.Version}
		}
		events := []audit.Event{done}
		for _, user := range bereft {
			events = append(events, audit.FromConsole().About(user).Is(audit.BackupCodesVoided, audit.OK))
		}
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		return nil, err
	}
	if _, err := s.Seals.All(ctx); err != nil {
		// What was backed up does not verify, or the key that signed it is gone: the record has to be looked at, and the
		// people have to get in all the same.
		s.config.Logger.WarnContext(ctx, "the events are restored, and not sealed", "cause", err)
	}
	return result, nil
}

// takePlace moves what is ready into the data folder, the database last: with it, the installation is there.
func takePlace(staging, data string) error {
	if _, err := os.Stat(filepath.Join(staging, database.SQLiteFile+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errors.New("the restored database was not closed as a whole"), err)
	}
	ready := filepath.Join(staging, keysFile)
	err := os.Link(ready, filepath.Join(data, keysFile))
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) { // it was there, or it is in the environment
		return err
	}
	if err := leftBehind(data); err != nil {
		return err
	}
	// A link and no rename: it fails where somebody has begun an installation in the folder meanwhile.
	if err := os.Link(filepath.Join(staging, database.SQLiteFile), filepath.Join(data, database.SQLiteFile)); err != nil {
		return err
	}
	folder, err := os.Open(data)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
