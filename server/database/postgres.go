package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2" //nolint:depguard // for a pause that is no secret, see below
	"net/url"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
)

// postgres commits each function in a transaction of its own.
type postgres struct {
	database *Database
	limits   limits
	pool     *bun.DB
	cache    cache
	// slots are one fewer than the pool's connections: the one left over serves to
	// prepare a statement first used inside a transaction, so that transactions never
	// wait for each other's connections.
	slots  chan struct{}
	closed atomic.Bool
}

func (d *Database) openPostgres(ctx context.Context, limits limits) (err error) {
	address, parseErr := url.Parse(d.options.URL)
	if parseErr != nil {
		// url's error repeats the text, which holds the password.
		return errors.New("the database URL cannot be read: it must look like postgres://user:password@host:5432/name?sslmode=verify-full")
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("PostgreSQL at %s%s: %w", address.Host, address.Path, err)
		}
	}()
	connector, err := postgresConnector(d.options.URL, nil)
	if err != nil {
		return err
	}
	writer := sql.OpenDB(connector)
	defer func() {
		if err != nil {
			err = errors.Join(err, writer.Close())
		}
	}()
	writer.SetMaxOpenConns(limits.connections + 1)
	writer.SetMaxIdleConns(limits.connections + 1)
	writer.SetConnMaxIdleTime(5 * time.Minute)
	connector, err = postgresConnector(d.options.URL, map[string]any{"default_transaction_read_only": "on"})
	if err != nil {
		return err
	}
	readers := sql.OpenDB(connector)
	readers.SetMaxOpenConns(limits.connections)
	readers.SetMaxIdleConns(limits.connections)
	readers.SetConnMaxIdleTime(5 * time.Minute)
	// A connection takes PostgreSQL a while, and both kinds are needed: so one is made beside the other.
	greeted := make(chan struct{})
	go func() { defer close(greeted); _ = readers.PingContext(ctx) }() // who reads first will say what is wrong
	err = migrate(ctx, writer, advisoryLock{}, d.options.Logger)
	<-greeted
	if err != nil {
		return errors.Join(err, readers.Close())
	}
	p := &postgres{
		database: d, limits: limits, pool: bun.NewDB(writer, pgdialect.New()),
		slots: make(chan struct{}, limits.connections),
	}
	p.cache.postgres = true
	p.cache.prepare = writer.PrepareContext

	d.reads = newReads(readers, bun.NewDB(readers, pgdialect.New()), true)
	d.states = postgresStates{d.reads}
	d.writes = p
	return nil
}

// postgresConnector reads the URL. pgdriver panics on one it cannot read, and its own
// time-out of 10 s is too short for a statement that waits behind a migration. Whatever the
// server, the role or the URL has for a default, transactions are READ COMMITTED: who waited
// for somebody to let a row go must then read what that one wrote.
func postgresConnector(address string, params map[string]any) (connector *pgdriver.Connector, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("the URL: %v", value)
		}
	}()
	connector = pgdriver.NewConnector(pgdriver.WithReadTimeout(time.Minute), pgdriver.WithDSN(address))
	config := connector.Config()
	if config.AppName == "" {
		config.AppName = "secondstep"
	}
	if config.ConnParams == nil {
		config.ConnParams = map[string]any{}
	}
	config.ConnParams["default_transaction_isolation"] = "read committed"
	maps.Copy(config.ConnParams, params)
	return connector, nil
}

func (p *postgres) write(ctx context.Context, run func(context.Context, Tx) error) error {
	if p.closed.Load() {
		return ErrClosed
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for try := 1; ; try++ {
		err := p.once(ctx, run)
		if err == nil || !transient(err) {
			return err
		}
		if p.limits.retried != nil {
			p.limits.retried(err)
		}
		if try == p.limits.tries {
			return ErrBusy.Because(err)
		}
		// Two that collided must not collide again in step. The pause is no secret.
		pause := time.Duration(rand.Int64N(int64(time.Millisecond) << min(try, 7))) //nolint:gosec // no secret
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// once is one attempt. A connection is waited for as long as ctx lasts; from BEGIN on
// the end of ctx is ignored, as on SQLite, so that a caller who hangs up midway leaves
// either all or nothing and never a connection in doubt.
func (p *postgres) once(ctx context.Context, run func(context.Context, Tx) error) error {
	conn, err := p.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx = context.WithoutCancel(ctx)
	if err := conn.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return call(ctx, p.database.newTx(tx, pgStatements{&p.cache, tx.Tx}), run)
	}); err != nil {
		return err
	}
	if p.limits.committed != nil {
		p.limits.committed(1)
	}
	return nil
}

func (p *postgres) close() error {
	p.closed.Store(true)
	for range cap(p.slots) { // wait for the transactions under way
		p.slots <- struct{}{}
	}
	return errors.Join(p.cache.close(), p.pool.Close())
}

// pgStatements runs the pool's prepared statements on the transaction's connection.
type pgStatements struct {
	cache *cache
	tx    *sql.Tx
}

func (s pgStatements) prepared(ctx context.Context, statement *Statement) (*sql.Stmt, error) {
	stmt, err := s.cache.prepared(ctx, statement)
	if err != nil {
		return nil, err
	}
	return s.tx.StmtContext(ctx, stmt), nil
}
