package database

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// state marks everything that is committed at a moment: while it stays the same, whatever was read after it is still what
// reading would find.
type state struct {
	commits  int64  // SQLite
	snapshot string // PostgreSQL
}

// states tells the state of now.
type states interface {
	now(ctx context.Context) (state, error)
	close() error
}

// sqliteStates asks one connection, for the number means something there only: it changes with every commit of any other
// connection, those of other processes included (https://sqlite.org/pragma.html#pragma_data_version).
type sqliteStates struct {
	readers *sql.DB

	mu   sync.Mutex
	conn *sql.Conn
	ask  *sql.Stmt
}

func (s *sqliteStates) now(ctx context.Context) (found state, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ask == nil {
		ctx := context.WithoutCancel(ctx) // it is kept for all
		if s.conn, err = s.readers.Conn(ctx); err != nil {
			return found, err
		}
		if s.ask, err = s.conn.PrepareContext(ctx, "PRAGMA data_version"); err != nil {
			return found, errors.Join(err, s.conn.Close())
		}
	}
	return found, s.ask.QueryRowContext(ctx).Scan(&found.commits)
}

func (s *sqliteStates) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ask == nil {
		return nil
	}
	return errors.Join(s.ask.Close(), s.conn.Close())
}

// postgresStates compares snapshots: whoever has written has a number, and is in the snapshot's list or past its end until
// the commit can be seen. Two snapshots alike therefore see the same rows, in whichever session they were taken
// (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT). The start of the server keeps one
// that took over, and gives the same numbers to others, apart.
type postgresStates struct{ reads *reads }

var askState = Prepare("SELECT pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text")

func (s postgresStates) now(ctx context.Context) (found state, err error) {
	return found, askState.Scan(ctx, s.reads, nil, &found.snapshot)
}

func (postgresStates) close() error { return nil }
