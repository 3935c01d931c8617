package database

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"sync"
)

// Lookup reads the rows of one key for many callers at once: whoever asks while its
// queries run waits for the next one, which then asks for all that have gathered. What a
// caller gets was read after it asked, so nothing is ever older than a query of its own
// would have found; alone, a caller has a query of its own. It is safe for concurrent use.
// Callers share what they get and change none of it.
type Lookup[K [32]byte | string, R any] struct {
	db         *Database
	statements []*Statement // by how many keys they ask for
	scan       func(*sql.Rows) (K, R, error)
	memory     *memory[K, R] // nil where nothing is remembered

	mu        sync.Mutex
	running   int  // queries, and who gathers for the next one
	gathering bool // somebody does
	crowd     bool // the last query was for several
	waiting   []*asker[K, R]
}

// asker is a caller that waits: for its rows, or to be the one that asks.
type asker[K [32]byte | string, R any] struct {
	key   K
	rows  []R
	err   error
	ready chan struct{}
	leads bool
}

var errUnanswered = errors.New("database: a lookup broke off")

const (
	// lookupsAtOnce is how many queries of one Lookup run side by side. With more of
	// them each would ask for fewer keys.
	lookupsAtOnce = 2
	// mostKeys is how many keys one query asks for.
	mostKeys = 32
)

// lookupSizes are the numbers of keys that statements are prepared for; a query that has
// fewer repeats its last one.
var lookupSizes = [...]int{1, 4, 16, mostKeys}

// NewLookup makes one of a SELECT that has IN (?) for its keys. Scan reads a row, and of
// which key it is.
func NewLookup[K [32]byte | string, R any](db *Database, text string, scan func(*sql.Rows) (K, R, error)) *Lookup[K, R] {
	if !strings.Contains(text, "IN (?)") {
		panic("database: a Lookup without IN (?)")
	}
	l := &Lookup[K, R]{db: db, scan: scan}
	for _, size := range lookupSizes {
		marks := strings.TrimSuffix(strings.Repeat("?, ", size), ", ")
		l.statements = append(l.statements, Prepare(strings.Replace(text, "IN (?)", "IN ("+marks+")", 1)))
	}
	return l
}

// Remembering has the Lookup give again what it has read, as long as the database says that nothing has been committed
// since, which costs less than to read it. It is for rows that are asked for far more often than anything is written.
func (l *Lookup[K, R]) Remembering() *Lookup[K, R] {
	l.memory = &memory[K, R]{}
	return l
}

// Find answers the key's rows, in the order of the SELECT; none is no error.
func (l *Lookup[K, R]) Find(ctx context.Context, key K) ([]R, error) {
	if rows, known, err := l.remembered(ctx, key); known || err != nil {
		return rows, err
	}
	me := &asker[K, R]{key: key, err: errUnanswered}
	l.mu.Lock()
	if l.running < lookupsAtOnce && !l.gathering {
		l.running++
		l.gathering = true
		l.mu.Unlock()
		l.lead(ctx, me)
		return me.rows, me.err
	}
	me.ready = make(chan struct{})
	l.waiting = append(l.waiting, me)
	l.mu.Unlock()
	select {
	case <-me.ready:
	case <-ctx.Done():
		if l.withdraw(me) {
			return nil, ctx.Err()
		}
		<-me.ready
	}
	if me.leads {
		l.lead(ctx, me)
	}
	return me.rows, me.err
}

// remembered answers from memory where nobody need be asked for it.
func (l *Lookup[K, R]) remembered(ctx context.Context, key K) (rows []R, known bool, err error) {
	if l.memory == nil || !l.db.states.atOnce() {
		return nil, false, nil
	}
	now, err := l.db.states.now(ctx)
	if err != nil {
		return nil, false, err
	}
	rows, known = l.memory.recallOne(now, key)
	return rows, known, nil
}

// withdraw takes back an asker; false where somebody has taken it.
func (l *Lookup[K, R]) withdraw(me *asker[K, R]) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, one := range l.waiting {
		if one == me {
			l.waiting = append(l.waiting[:n], l.waiting[n+1:]...)
			return true
		}
	}
	return false
}

// lead asks for its caller and for those who wait, and then lets the first who has come meanwhile do the same.
func (l *Lookup[K, R]) lead(ctx context.Context, me *asker[K, R]) {
	batch := l.gather(me)
	defer func() { // also where a driver panics
		for _, one := range batch[1:] {
			close(one.ready)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running--
		l.appoint()
	}()
	err := l.answer(context.WithoutCancel(ctx), batch) // the query is not its caller's alone
	for _, one := range batch {
		one.err = err
	}
}

// gather takes those who wait. Those answered by the last query are about to ask again: they are let run first, as long as
// that brings more, rather than asked for in a query of their own each.
func (l *Lookup[K, R]) gather(me *asker[K, R]) []*asker[K, R] {
	l.mu.Lock()
	defer l.mu.Unlock()
	for before := -1; l.crowd && len(l.waiting) > before && len(l.waiting) < mostKeys-1; {
		before = len(l.waiting)
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	others := min(len(l.waiting), mostKeys-1)
	batch := append([]*asker[K, R]{me}, l.waiting[:others]...)
	l.waiting = append(l.waiting[:0], l.waiting[others:]...)
	l.crowd = len(batch) > 1
	l.gathering = false
	l.appoint()
	return batch
}

// appoint has the first who waits gather for the next query, where there is to be one. The caller holds mu.
func (l *Lookup[K, R]) appoint() {
	if len(l.waiting) == 0 || l.gathering || l.running >= lookupsAtOnce {
		return
	}
	next := l.waiting[0]
	l.waiting = append(l.waiting[:0], l.waiting[1:]...)
	next.leads = true
	l.running++
	l.gathering = true
	close(next.ready)
}

// answer puts each asker's rows into it, from memory where that may be.
func (l *Lookup[K, R]) answer(ctx context.Context, batch []*asker[K, R]) error {
	if l.memory == nil || (!l.db.states.atOnce() && l.memory.pauses()) {
		return l.ask(ctx, batch)
	}
	now, err := l.db.states.now(ctx)
	if err != nil || l.memory.recall(now, batch) {
		return err
	}
	if err := l.ask(ctx, batch); err != nil {
		return err
	}
	l.memory.keep(now, batch)
	return nil
}

// ask reads each asker's rows.
func (l *Lookup[K, R]) ask(ctx context.Context, batch []*asker[K, R]) (err error) {
	for _, one := range batch {
		one.rows = nil
	}
	size := 0
	for lookupSizes[size] < len(batch) {
		size++
	}
	args := make([]any, lookupSizes[size])
	for n := range args {
		args[n] = argument(batch[min(n, len(batch)-1)].key)
	}
	rows, err := l.statements[size].Query(ctx, l.db.Read(), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		key, row, err := l.scan(rows)
		if err != nil {
			return err
		}
		for _, one := range batch {
			if one.key == key {
				one.rows = append(one.rows, row)
			}
		}
	}
	return rows.Err()
}

// argument is a key as the drivers take it.
func argument[K [32]byte | string](key K) any {
	if hash, ok := any(key).([32]byte); ok {
		return hash[:]
	}
	return key
}
