package database

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/secondstep/secondstep/server/problem"
)

var (
	// ErrBusy (503 with Retry-After) is returned when the database stayed busy, or kept
	// refusing a transaction as conflicting, through all tries. Nothing was written.
	ErrBusy = problem.New(503, "busy", "The server is busy right now. Try again in a moment.").After(time.Second)
	// ErrClosed is returned by a Write after Close.
	ErrClosed = errors.New("the database is closed")
)

// SchemaTooNew is Open's error when a newer Secondstep has migrated the database.
type SchemaTooNew struct {
	Found int64 // the database's version
	Known int64 // the newest this binary knows
}

func (e *SchemaTooNew) Error() string {
	return fmt.Sprintf("the database is at version %d, this Secondstep knows %d: start the newer Secondstep, or restore a backup from before the upgrade", e.Found, e.Known)
}

// Touched is the number of rows that a conditional write changed.
func Touched(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Unique says whether err is the violation of a unique index or a primary key. On
// PostgreSQL the transaction is lost after it: let the function return the error, and
// judge what Write returns. An insert that may meet its like says ON CONFLICT instead.
func Unique(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return postgresCode(err) == "23505"
}

// transient says whether the same function may succeed when it is run again.
func transient(err error) bool {
	if code, ok := sqliteCode(err); ok {
		primary := code & 0xff // the extended codes carry it in the low byte
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	switch postgresCode(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

func sqliteCode(err error) (int, bool) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}

// postgresCode is the SQLSTATE, "" when err is none of PostgreSQL's.
func postgresCode(err error) string {
	var e pgdriver.Error
	if errors.As(err, &e) {
		return e.Field('C')
	}
	return ""
}
