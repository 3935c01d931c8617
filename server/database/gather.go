package database

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"
)

// gather commits on SQLite. One goroutine takes what waits, runs the functions one after
// the other on the one connection that writes, and commits all of them with one fsync.
// Callers are answered after the COMMIT only. A caller who finds nobody else there does
// all this itself, which saves the way to the goroutine and back.
//
// Hardly ever does a function fail, and a savepoint costs a tenth of what it saves: so
// the first attempt has none. When one fails among others, all run again, each in a
// savepoint of its own, so that only its own writes are undone.
//
// No statement inside the transaction may be interrupted, for SQLite rolls the whole
// transaction back then: a caller can withdraw until its function is taken, and the
// context that the function gets does not end.
type gather struct {
	database  *Database
	limits    limits
	pool      *bun.DB
	conn      bun.Conn
	cache     cache
	committed func()

	queue   chan *request
	closing chan struct{} // no more requests
	ended   chan struct{} // the goroutine has gone

	// turn is held by whoever works on the connection, and guards what follows.
	turn  sync.Mutex
	crowd bool // the last commit but those of callers themselves was of several
	apart bool // each function of what is taken has a savepoint
	lost  bool // SQLite has rolled the transaction back, whatever the function made of that
	// taken is what is worked on, kept here for the case that the goroutine is ended
	// from inside a function (runtime.Goexit, which testing's FailNow calls).
	taken   []*request
	running *request
}

// request is one caller's Write.
type request struct {
	ctx    context.Context
	run    func(context.Context, Tx) error
	state  atomic.Int32 // waiting → taken by the writer, or withdrawn by the caller
	tries  int
	err    error
	answer chan error
}

const (
	waiting int32 = iota
	taken
	withdrawn
)

var (
	begin      = Prepare("BEGIN IMMEDIATE")
	commit     = Prepare("COMMIT")
	rollback   = Prepare("ROLLBACK")
	savepoint  = Prepare("SAVEPOINT one")
	release    = Prepare("RELEASE one")
	rollbackTo = Prepare("ROLLBACK TO one")
)

func newGather(ctx context.Context, d *Database, pool *bun.DB, limits limits, committed func()) (*gather, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	g := &gather{
		database: d, limits: limits, pool: pool, conn: conn, committed: committed,
		queue:   make(chan *request, limits.gather),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	if err := conn.Raw(func(driver any) error {
		driver.(sqlite.HookRegisterer).RegisterRollbackHook(func() { g.lost = true })
		return nil
	}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	g.cache.prepare = func(ctx context.Context, text string) (*sql.Stmt, error) {
		return conn.Conn.PrepareContext(ctx, text)
	}
	go g.serve(false)
	return g, nil
}

func (g *gather) write(ctx context.Context, run func(context.Context, Tx) error) error {
	r := &request{ctx: ctx, run: run, answer: make(chan error, 1)}
	if g.turn.TryLock() {
		if !g.crowd && len(g.queue) == 0 {
			return g.alone(r)
		}
		g.turn.Unlock()
	}
	select {
	case <-g.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case g.queue <- r:
	}
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return ctx.Err()
		}
	case <-g.ended:
		// Close came between: nobody will take it any more, or has answered already.
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return ErrClosed
		}
	}
	return <-r.answer
}

// alone commits one request in its caller's own goroutine. The caller holds the turn,
// which is given back.
func (g *gather) alone(r *request) error {
	select {
	case <-g.closing:
		g.turn.Unlock()
		return ErrClosed
	default:
	}
	defer func() { // also where the function ends this goroutine, or a driver panics
		if len(g.taken) > 0 { // settle did not come through
			_ = g.exec(rollback) // where it fails there is nothing left to roll back
		}
		g.running, g.taken = nil, nil
		g.turn.Unlock()
	}()
	g.apart = false
	g.add(r)
	g.settle()
	return <-r.answer
}

func (g *gather) close() error {
	close(g.closing)
	<-g.ended
	g.turn.Lock() // whoever is alone there comes to the end
	defer g.turn.Unlock()
	return errors.Join(g.cache.close(), g.conn.Close(), g.pool.Close())
}

// serve works until the database closes. It may be begun with the turn held, and then
// with what is taken.
func (g *gather) serve(turn bool) {
	orderly := false
	defer func() {
		if orderly {
			close(g.ended)
			return
		}
		// A function ended this goroutine. Its own caller is told so, the others'
		// functions run again on a new one.
		_ = g.exec(rollback) // where it fails there is nothing left to roll back
		if r := g.running; r != nil {
			g.running = nil
			g.taken = without(g.taken, r)
			r.answer <- errors.New("database: the function ended its goroutine (runtime.Goexit, or FailNow of a test)")
		}
		go g.serve(true)
	}()
	for turn || g.take() {
		turn = false
		g.settle()
		g.turn.Unlock()
	}
	orderly = true
}

// take waits for a request and for the turn, and then takes all that wait, up to the
// limit. It answers false, without the turn, when the database closes and nobody waits
// any more.
func (g *gather) take() bool {
	first := g.next()
	if first == nil {
		return false
	}
	g.turn.Lock()
	g.apart = false
	g.add(first)
	// Those answered by the last commit are about to ask again: let them run first, as
	// long as that brings more, rather than give the quickest a commit of its own.
	for more := true; more && len(g.taken) < g.limits.gather; {
		runtime.Gosched()
		more = false
		for len(g.taken) < g.limits.gather {
			select {
			case r := <-g.queue:
				g.add(r)
				more = true
				continue
			default:
			}
			break
		}
	}
	g.crowd = len(g.taken) > 1
	return true
}

// next waits for a request; nil when the database closes and nobody waits any more.
func (g *gather) next() *request {
	select {
	case r := <-g.queue:
		return r
	case <-g.closing:
	}
	select {
	case r := <-g.queue:
		return r
	default:
		return nil
	}
}

func (g *gather) add(r *request) {
	if r.state.CompareAndSwap(waiting, taken) {
		g.taken = append(g.taken, r)
	}
}

// settle runs and commits what is taken, again as often as it must, until every caller
// is answered. Each round answers somebody or uses up a try, so it ends.
func (g *gather) settle() {
	for len(g.taken) > 0 {
		g.round()
	}
}

// round is one transaction.
func (g *gather) round() {
	batch := g.taken
	g.lost = false
	if err := g.exec(begin); err != nil {
		g.failed(batch, err)
		return
	}
	count := 0
	for _, r := range batch {
		if r.err = r.ctx.Err(); r.err != nil {
			continue
		}
		broken := g.one(r)
		if broken != nil {
			// SQLite gave the whole transaction up (disk full, out of memory …). The
			// one in whose savepoint it happened bears it, the others run again.
			_ = g.exec(rollback) // SQLite may have done it already
			g.failed([]*request{r}, errors.Join(r.err, broken))
			return
		}
		if r.err == nil {
			count++
		} else if !g.apart && len(batch) > 1 {
			_ = g.exec(rollback) // what it wrote is not to be told from what the others did
			g.apart = true
			return
		}
	}
	if count == 0 {
		// Nothing to keep: no fsync for refusals to run and faults only.
		_ = g.exec(rollback) // nothing was written, so nothing can stay
	} else if err := g.exec(commit); err != nil {
		_ = g.exec(rollback) // SQLite may have done it already
		g.failed(batch, err)
		return
	}
	if count > 0 {
		g.committed()
		if g.limits.committed != nil {
			g.limits.committed(count)
		}
	}
	g.taken = nil
	for _, r := range batch {
		if r.err != nil && transient(r.err) {
			g.taken = append(g.taken, r)
			g.failed([]*request{r}, r.err)
			continue
		}
		r.answer <- r.err
	}
}

var errLost = errors.New("database: SQLite has rolled the transaction back")

// one runs one function. r.err is the function's own error; the result says that the
// transaction itself is lost.
func (g *gather) one(r *request) (broken error) {
	if g.apart {
		if err := g.exec(savepoint); err != nil {
			return err
		}
	}
	g.running = r
	r.err = call(context.WithoutCancel(r.ctx), g.database.newTx(g.conn, &g.cache), r.run)
	g.running = nil
	if g.lost {
		return errLost
	}
	if !g.apart {
		return nil
	}
	if r.err != nil {
		if err := g.exec(rollbackTo); err != nil {
			return err
		}
	}
	return g.exec(release)
}

// failed counts a try of each and answers those that may not be run again.
func (g *gather) failed(requests []*request, err error) {
	again := transient(err)
	if again && g.limits.retried != nil {
		g.limits.retried(err)
	}
	for _, r := range requests {
		r.tries++
		if again && r.tries < g.limits.tries {
			continue
		}
		g.taken = without(g.taken, r)
		if r.err == nil || again {
			r.err = err
			if again {
				r.err = ErrBusy.Because(err)
			}
		}
		r.answer <- r.err
	}
}

func (g *gather) exec(s *Statement) error {
	stmt, err := g.cache.prepared(context.Background(), s)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(context.Background())
	return err
}

func without(requests []*request, one *request) []*request {
	kept := make([]*request, 0, len(requests))
	for _, r := range requests {
		if r != one {
			kept = append(kept, r)
		}
	}
	return kept
}
