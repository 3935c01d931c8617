package database

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"runtime"
)

// state marks everything that is committed at a moment: while it stays the same, whatever was read after it is still what
// reading would find. The zero state is no state.
type state struct {
	index    [walIndexHeader]byte // SQLite
	snapshot string               // PostgreSQL
}

// states tells the state of now.
type states interface {
	// now answers the zero state where it can't be told.
	now(ctx context.Context) (state, error)
	// atOnce reports whether now costs no more than a call of the system, so that nobody need share an answer.
	atOnce() bool
	close() error
}

// sqliteStates reads the head of the WAL's index, which SQLite writes anew before a commit returns, by whichever process:
// it counts the transactions, and has the salts and checksums of the last one. It lies there twice, and is whole where the
// two are alike (https://sqlite.org/walformat.html#walidxfmt, section 2.2).
//
// The file is SQLite's, which maps it into memory. It is open here for reading as long as the database is, and closed
// after it: POSIX ends all of a process's locks on a file when any of its descriptors is closed.
type sqliteStates struct{ index *os.File } // nil where the state can't be told

const (
	walIndexHeader  = 48
	walIndexVersion = 3007000
)

// openSQLiteStates opens the index of a database that a connection is open to. Where reading a file need not show what
// was written into its memory, no state is told.
func openSQLiteStates(database string) (sqliteStates, error) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return sqliteStates{}, nil
	}
	index, err := os.Open(database + "-shm")
	return sqliteStates{index}, err
}

func (s sqliteStates) now(context.Context) (found state, err error) {
	if s.index == nil {
		return found, nil
	}
	var heads [2 * walIndexHeader]byte
	if _, err := s.index.ReadAt(heads[:], 0); err != nil {
		return found, err
	}
	first, second := heads[:walIndexHeader], heads[walIndexHeader:]
	if !bytes.Equal(first, second) || binary.NativeEndian.Uint32(first) != walIndexVersion {
		return found, nil // somebody is writing it, or it is of another SQLite
	}
	copy(found.index[:], first)
	return found, nil
}

func (sqliteStates) atOnce() bool { return true }

func (s sqliteStates) close() error {
	if s.index == nil {
		return nil
	}
	return s.index.Close()
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

func (postgresStates) atOnce() bool { return false }

func (postgresStates) close() error { return nil }
