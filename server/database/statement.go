package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

// Statement is a statement for a hot path. Bun writes arguments into the SQL text, which
// the database then parses anew each time; a Statement is prepared once a connection,
// when first used, and its arguments travel apart from the text. Make it a package-level
// value of the slice's store.
type Statement struct{ question, numbered string }

// Args are a statement's arguments in the order of its question marks. Text must be
// UTF-8 without NUL, else the statement fails. Instants that may be NULL go as
// [Instant.OrNull].
type Args []any

// Prepare makes a statement of SQL that both databases read, with ? for each argument.
func Prepare(text string) *Statement {
	return &Statement{question: text, numbered: numbered(text)}
}

// PrepareHold makes a statement of a SELECT of one table that also keeps the rows it finds
// from being changed or held by others before the Tx ends; it waits for whoever has them.
// On SQLite nobody else writes while a function runs, so there it is the SELECT alone.
func PrepareHold(text string) *Statement {
	return &Statement{question: text, numbered: numbered(text) + " FOR NO KEY UPDATE"}
}

// Exec runs the statement in a Write's Tx.
func (s *Statement) Exec(ctx context.Context, db bun.IDB, args ...any) (sql.Result, error) {
	stmt, err := s.on(ctx, db, args)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// Query runs the statement in a Tx or on [Database.Read]; close the rows.
func (s *Statement) Query(ctx context.Context, db bun.IDB, args ...any) (*sql.Rows, error) {
	stmt, err := s.on(ctx, db, args)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// Scan runs the statement in a Tx or on [Database.Read] and puts the columns of its
// first row into dest; sql.ErrNoRows when there is none.
func (s *Statement) Scan(ctx context.Context, db bun.IDB, args Args, dest ...any) error {
	stmt, err := s.on(ctx, db, args)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

func (s *Statement) on(ctx context.Context, db bun.IDB, args []any) (*sql.Stmt, error) {
	for i, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return nil, fmt.Errorf("database: argument %d is not text without NUL", i+1)
		}
	}
	p, ok := db.(preparer)
	if !ok {
		return nil, errors.New("database: a Statement runs in a Tx or on Read only")
	}
	return p.prepared(ctx, s)
}

// numbered rewrites each ? outside a quoted text to $1, $2 …, as PostgreSQL wants it.
func numbered(text string) string {
	var b strings.Builder
	n, quote := 0, byte(0)
	for i := range len(text) {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// preparer is what a Statement runs on.
type preparer interface {
	prepared(ctx context.Context, s *Statement) (*sql.Stmt, error)
}

// cache keeps the prepared statements of one pool or connection.
type cache struct {
	postgres bool
	prepare  func(ctx context.Context, text string) (*sql.Stmt, error)
	mu       sync.RWMutex
	ready    map[*Statement]*sql.Stmt
}

func (c *cache) prepared(ctx context.Context, s *Statement) (*sql.Stmt, error) {
	c.mu.RLock()
	stmt := c.ready[s]
	c.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if stmt := c.ready[s]; stmt != nil {
		return stmt, nil
	}
	text := s.question
	if c.postgres {
		text = s.numbered
	}
	// It is kept for all, so the end of one caller's context must not spoil it.
	stmt, err := c.prepare(context.WithoutCancel(ctx), text)
	if err != nil {
		return nil, err
	}
	if c.ready == nil {
		c.ready = map[*Statement]*sql.Stmt{}
	}
	c.ready[s] = stmt
	return stmt, nil
}

func (c *cache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, stmt := range c.ready {
		err = errors.Join(err, stmt.Close())
	}
	c.ready = nil
	return err
}

// reads are the readers' connections and what is prepared on them.
type reads struct {
	bun.IDB
	db    *sql.DB
	cache cache
}

func newReads(db *sql.DB, wrapped *bun.DB, postgres bool) *reads {
	return &reads{IDB: wrapped, db: db, cache: cache{postgres: postgres, prepare: db.PrepareContext}}
}

func (r *reads) prepared(ctx context.Context, s *Statement) (*sql.Stmt, error) {
	return r.cache.prepared(ctx, s)
}

func (r *reads) close() error { return errors.Join(r.cache.close(), r.db.Close()) }
