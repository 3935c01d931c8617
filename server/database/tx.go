package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// Tx is the transaction of one function given to [Database.Write], good only while that
// runs. Start no transaction inside it.
type Tx struct {
	bun.IDB
	// Now is the one time of the change: UTC, whole milliseconds.
	Now time.Time

	ids        *ids
	statements preparer
}

// NewID makes a ULID of tx.Now. Within one process the ids of one millisecond ascend in
// the order they were made. It panics when the random source fails: there is no id
// without randomness, and the panic rolls the function back.
func (tx Tx) NewID() string { return tx.ids.make(tx.Now) }

// FirstID is the least id that can be made at that time, for finding rows by the time in
// their ids.
func FirstID(at time.Time) string {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		panic(fmt.Errorf("database: no id has the time %v: %w", at, err))
	}
	return id.String()
}

// TimeOf is the time at which an id was made; false where it is none of ours.
func TimeOf(id string) (time.Time, bool) {
	parsed, err := ulid.ParseStrict(id)
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(parsed.Time()).UTC(), true
}

// Keep runs a SELECT of one number and keeps the rows that it finds from being changed or
// deleted before the transaction ends; others may keep them too. False: there are none.
// It waits for whoever is changing them.
func (tx Tx) Keep(ctx context.Context, query string, args ...any) (bool, error) {
	if tx.Dialect().Name() == dialect.PG { // on SQLite nobody writes while a function runs
		query += " FOR SHARE"
	}
	var found []int64
	if err := tx.NewRaw(query, args...).Scan(ctx, &found); err != nil {
		return false, err
	}
	return len(found) > 0, nil
}

func (tx Tx) prepared(ctx context.Context, s *Statement) (*sql.Stmt, error) {
	return tx.statements.prepared(ctx, s)
}

// ids makes ULIDs; its lock also lets the random source be one that has none.
type ids struct {
	mu      sync.Mutex
	random  io.Reader
	entropy *ulid.MonotonicEntropy
}

func newIDs(random io.Reader) *ids {
	return &ids{random: random, entropy: ulid.Monotonic(random, 0)}
}

func (i *ids) make(now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	id, err := ulid.New(ulid.Timestamp(now), i.entropy)
	if errors.Is(err, ulid.ErrMonotonicOverflow) {
		i.entropy = ulid.Monotonic(i.random, 0)
		id, err = ulid.New(ulid.Timestamp(now), i.entropy)
	}
	if err != nil {
		panic(fmt.Errorf("database: no randomness for an id: %w", err))
	}
	return id.String()
}

// Panic is the error of a Write whose function panicked.
type Panic struct {
	Value any
	Stack []byte
}

// Error tells the value; the stack is for the log.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap gives the value when it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// call runs the function and turns a panic into an error, so that one function's slip
// costs neither its neighbours in the commit nor the writer.
func call(ctx context.Context, tx Tx, run func(context.Context, Tx) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Panic{Value: value, Stack: debug.Stack()}
		}
	}()
	return run(ctx, tx)
}
