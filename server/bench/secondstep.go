package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"
)

// The statements that write the rows of one second step: what the product writes, prepared, and nothing besides.
var secondStepRows = []string{
	"UPDATE totp_apps SET last_step = ?, last_used_at = ? WHERE id = ? AND last_step < ?",
	"INSERT INTO totp_spent_steps (secret_id, step, how, spent_at, browser, browser_id) VALUES (?, ?, 'used', ?, 'Firefox on Linux', ?)",
	closePending,
	"UPDATE users SET last_sign_in_at = ? WHERE id = ?",
	"UPDATE known_browsers SET last_seen_at = ? WHERE user_id = ? AND browser_id = ?",
	"INSERT INTO sessions (id, token_hash, user_id, created_at, last_seen_at, expires_at, signed_in_with, proof_at, proof_with, browser, browser_id, address) VALUES (?, ?, ?, ?, ?, ?, 'password,totp', ?, 'totp', 'Firefox on Linux', ?, '127.0.0.1')",
	"INSERT INTO events (id, at, schema, kind, result, actor_id, subject_id, session_id, method, address, browser, request_id) VALUES (?, ?, 1, 'sign_in.completed', 'ok', ?, ?, ?, 'totp', '127.0.0.1', 'Firefox on Linux', ?)",
	"INSERT INTO events (id, at, schema, kind, result, subject_id, session_id, method, address, browser, request_id) VALUES (?, ?, 1, 'sign_in.second_step', 'ok', ?, ?, 'totp', '127.0.0.1', 'Firefox on Linux', ?)",
}

const (
	openPending  = "INSERT INTO pending_sign_ins (id, token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)"
	closePending = "DELETE FROM pending_sign_ins WHERE id = ?"
)

// reference writes the same rows into a database of the same people.
type reference struct {
	in      *installation
	db      *sql.DB
	step    int64
	written atomic.Int64
}

// reference opens one; its own server is closed, so that nothing else is at the file.
func (b *bench) reference(kind string, people int) (*reference, error) {
	in, err := b.open(kind, people)
	if err != nil {
		return nil, err
	}
	if err := in.protect(); err != nil {
		return nil, err
	}
	r := &reference{in: in, step: 1}
	if kind == onSQLite {
		if err := in.close(); err != nil {
			return nil, err
		}
		pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)"}}
		r.db, err = sql.Open("sqlite", "file:"+filepath.Join(in.config.Data, "secondstep.db")+"?"+pragmas.Encode())
		r.db.SetMaxOpenConns(1)
	} else {
		r.db = sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(in.config.DatabaseURL)))
		r.db.SetMaxOpenConns(16)
		r.db.SetMaxIdleConns(16)
	}
	return r, err
}

// numbered writes $1, $2 … for each question mark.
func numbered(text string) string {
	for n := 1; strings.Contains(text, "?"); n++ {
		text = strings.Replace(text, "?", "$"+strconv.Itoa(n), 1)
	}
	return text
}

// prepare prepares the statements on the connection; numbered is how PostgreSQL wants their arguments.
func prepare(ctx context.Context, conn *sql.Conn, postgres bool) ([]*sql.Stmt, error) {
	list := make([]*sql.Stmt, len(secondStepRows))
	for n, text := range secondStepRows {
		if postgres {
			text = numbered(text)
		}
		var err error
		if list[n], err = conn.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// pendingID is the pending sign-in that the nth second step ends.
func pendingID(n int64) string { return fmt.Sprintf("pending-sign-in-%010d", n) }

// await opens a pending sign-in for each of the next so many second steps, before they are timed.
func (r *reference) await(ctx context.Context, count int, postgres bool) (err error) {
	text := openPending
	if postgres {
		text = numbered(text)
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	statement, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	for n := r.written.Load() + 1; n <= r.written.Load()+int64(count); n++ {
		hash := sha256.Sum256(tokenOf("pending of reference", int(n)))
		if _, err := statement.ExecContext(ctx, pendingID(n), hash[:], r.in.people[int(n)%len(r.in.people)], now, now+5*60*1000); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// write writes the rows of one second step.
func (r *reference) write(ctx context.Context, statements []*sql.Stmt) error {
	n := r.written.Add(1)
	user := r.in.people[int(n)%len(r.in.people)]
	step := r.step + n/int64(len(r.in.people))
	now := time.Now().UnixMilli()
	browser := sha256.Sum256(tokenOf("browser", 0))
	hash := sha256.Sum256(tokenOf("reference", int(n)))
	id := func(what string) string { return fmt.Sprintf("%013d-%s-%010d", now, what, n) }
	for i, args := range [][]any{
		{step, now, "app-" + user, step},
		{"app-" + user, step, now, browser[:]},
		{pendingID(n)},
		{now, user},
		{now, user, browser[:]},
		{id("s"), hash[:], user, now, now, now + 12*3600*1000, now, browser[:]},
		{id("a"), now, user, user, id("s"), id("r")},
		{id("b"), now, user, id("p"), id("r")},
	} {
		if _, err := statements[i].ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// loop writes count second steps on one connection, in transactions of batch.
func (r *reference) loop(ctx context.Context, count, batch int) (time.Duration, error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	statements, err := prepare(ctx, conn, false)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for done := 0; done < count; done += batch {
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return 0, err
		}
		for range batch {
			if err := r.write(ctx, statements); err != nil {
				return 0, err
			}
		}
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// side writes count second steps in a transaction each, on 16 connections of PostgreSQL.
func (r *reference) side(ctx context.Context, count int) (time.Duration, error) {
	var work sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(count))
	failed := make(chan error, 16)
	ready, begin := make(chan struct{}, 16), make(chan struct{})
	for range 16 {
		work.Go(func() {
			failed <- func() error {
				one, err := r.lone(ctx, onPostgres)
				ready <- struct{}{}
				if err != nil {
					return err
				}
				defer one.conn.Close()
				<-begin
				for left.Add(-1) >= 0 {
					if err := one.commit(ctx); err != nil {
						return err
					}
				}
				return nil
			}()
		})
	}
	for range 16 {
		<-ready
	}
	began := time.Now()
	close(begin)
	work.Wait()
	took := time.Since(began)
	close(failed)
	var err error
	for one := range failed {
		err = errors.Join(err, one)
	}
	return took, err
}

func (r *reference) close(kind string) error {
	err := r.db.Close()
	if kind == onPostgres {
		err = errors.Join(err, r.in.close())
	}
	return err
}

// secondSteps measures the app's code as second step.
func secondSteps(b *bench) error {
	for _, kind := range b.kinds {
		if err := secondStepsOn(b, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func secondStepsOn(b *bench, kind string) (err error) {
	people, few := 6400, 2560
	if kind == onPostgres {
		people = 3200
	}
	in, err := b.open(kind, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.protect(); err != nil {
		return err
	}
	r, err := b.reference(kind, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(kind)) }()

	measure := func(connections, count int) (*load, error) {
		next, err := in.pendings(count)
		if err != nil {
			return nil, err
		}
		return crowd(in.address, connections, count, next)
	}
	var ours, theirs []float64
	var one, single []time.Duration
	for round := range b.rounds + 1 { // the first warms up
		got, err := measure(64, people)
		if err == nil {
			err = got.refused()
		}
		if err != nil {
			return err
		}
		if err := r.await(b.ctx, people+few, kind == onPostgres); err != nil {
			return err
		}
		var took time.Duration
		if kind == onSQLite {
			took, err = r.loop(b.ctx, people, 64)
		} else {
			took, err = r.side(b.ctx, people)
		}
		if err != nil {
			return err
		}
		own, bare, err := in.inTurn(r, kind, few)
		if err != nil {
			return err
		}
		if round > 0 {
			ours, theirs = append(ours, got.rate()), append(theirs, float64(people)/took.Seconds())
			one, single = append(one, own), append(single, bare)
		}
	}
	many, err := measure(256, people)
	if err != nil {
		return err
	}
	bar := 0.60
	if kind == onPostgres {
		bar = 0.50
	}
	b.table.atLeast("second steps, 64 connections, "+kind, median(ours), median(theirs), bar,
		condition{"no error at 256", many.refused() == nil})
	b.table.atMost("second step, 1 connection, "+kind, median(one), median(single), 1.5)
	return nil
}

// lone is a connection on which the reference commits one second step at a time.
type lone struct {
	r          *reference
	conn       *sql.Conn
	begin      string
	statements []*sql.Stmt
}

func (r *reference) lone(ctx context.Context, kind string) (*lone, error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	one := &lone{r: r, conn: conn, begin: "BEGIN IMMEDIATE"}
	if kind == onPostgres {
		one.begin = "BEGIN"
	}
	one.statements, err = prepare(ctx, conn, kind == onPostgres)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return one, nil
}

func (l *lone) commit(ctx context.Context) error {
	if _, err := l.conn.ExecContext(ctx, l.begin); err != nil {
		return err
	}
	if err := l.r.write(ctx, l.statements); err != nil {
		return err
	}
	_, err := l.conn.ExecContext(ctx, "COMMIT")
	return err
}

// inTurn times second steps over one connection and lone commits of the reference, one after the other: a disk that has just
// been written to is quicker than one that has rested, and each follows the other so.
func (in *installation) inTurn(r *reference, kind string, count int) (ours, theirs time.Duration, err error) {
	next, err := in.pendings(count)
	if err != nil {
		return 0, 0, err
	}
	reference, err := r.lone(in.ctx, kind)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, reference.conn.Close()) }()
	one, err := dial(in.address)
	if err != nil {
		return 0, 0, err
	}
	defer one.conn.Close()
	for n := range count {
		text := next(n)
		began := time.Now()
		answer, err := one.do(text)
		if err != nil {
			return 0, 0, err
		}
		if answer.StatusCode() != 200 {
			return 0, 0, fmt.Errorf("a second step was answered %d", answer.StatusCode())
		}
		answered := time.Now()
		if err := reference.commit(in.ctx); err != nil {
			return 0, 0, err
		}
		ours, theirs = ours+answered.Sub(began), theirs+time.Since(answered)
	}
	return ours / time.Duration(count), theirs / time.Duration(count), nil
}
