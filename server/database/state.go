package database

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"io"
	"os"
	"sync/atomic"
)

// state marks everything that is committed at a moment: while it stays the same, whatever was read after it is still what
// reading would find. The zero state is no state.
type state struct {
	index    walIndexHead // SQLite
	snapshot string       // PostgreSQL
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
type sqliteStates struct {
	index  *os.File // nil where there is none
	opened walIndexHead
	// seen: a commit of our own has changed it. Before that no state is told, for it may be an index that was left
	// behind, or one of a file system on which reading shows nothing of what others have mapped.
	seen atomic.Bool
}

// walIndexHead is one of the two, in the order of bytes of the machine. The zero head is none.
type walIndexHead [48]byte

const walIndexVersion = 3007000

// openSQLiteStates opens the index of a database that the connections are open to.
func openSQLiteStates(ctx context.Context, db *sql.DB) (*sqliteStates, error) {
	var number int
	var name, file string // the file as SQLite calls it: the index lies beside what a symbolic link leads to
	if err := db.QueryRowContext(ctx, "PRAGMA database_list").Scan(&number, &name, &file); err != nil {
		return nil, err
	}
	s := &sqliteStates{}
	index, err := os.Open(file + "-shm")
	if err != nil {
		return s, nil //nolint:nilerr // then no state is told, and everything is read
	}
	s.index, s.opened = index, headOf(index)
	return s, nil
}

// headOf is none while somebody writes it, and where it is of another SQLite.
func headOf(index io.ReaderAt) (head walIndexHead) {
	var heads [2 * len(head)]byte
	if _, err := index.ReadAt(heads[:], 0); err != nil {
		return head
	}
	first, second := heads[:len(head)], heads[len(head):]
	if bytes.Equal(first, second) && binary.NativeEndian.Uint32(first) == walIndexVersion {
		copy(head[:], first)
	}
	return head
}

func (s *sqliteStates) now(context.Context) (found state, err error) {
	if s.seen.Load() {
		found.index = headOf(s.index)
	}
	return found, nil
}

// committed is told of each commit of our own.
func (s *sqliteStates) committed() {
	if s.index == nil || s.seen.Load() {
		return
	}
	if head := headOf(s.index); head != (walIndexHead{}) && head != s.opened {
		s.seen.Store(true)
	}
}

func (s *sqliteStates) atOnce() bool { return true }

func (s *sqliteStates) close() error {
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
