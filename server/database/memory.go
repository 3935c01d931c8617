package database

import "sync"

// memory is what a Lookup has read and may give again, as long as nothing at all has been committed since. There is no
// rule of what makes which row old, so none can be forgotten.
type memory[K [32]byte | string, R any] struct {
	mu    sync.Mutex
	of    state
	rows  map[K][]R
	pause int // so many queries go by without it
}

const (
	// mostRemembered is how many keys are remembered; beyond it all are forgotten.
	mostRemembered = 4096
	// pauseAfterChange is how many queries are made without asking for the state once it has changed, where that is a query
	// itself: while others write all the time there is nothing to remember, and to ask would only cost.
	pauseAfterChange = 16
)

// pauses says whether a query is to be made without the memory.
func (m *memory[K, R]) pauses() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pause == 0 {
		return false
	}
	m.pause--
	return true
}

// recall gives each asker the rows that were read in this state; false where those of one aren't known.
func (m *memory[K, R]) recall(of state, batch []*asker[K, R]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(of) {
		return false
	}
	for _, one := range batch {
		rows, known := m.rows[one.key]
		if !known {
			return false
		}
		one.rows = rows
	}
	return true
}

// recallOne is recall for one key.
func (m *memory[K, R]) recallOne(of state, key K) (rows []R, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at(of) {
		rows, known = m.rows[key]
	}
	return rows, known
}

// at forgets what was read in another state, and reports whether there was none.
func (m *memory[K, R]) at(of state) bool {
	if m.of == of {
		return of != state{}
	}
	if m.rows != nil {
		m.pause = pauseAfterChange
	}
	m.of, m.rows = of, nil
	return false
}

// keep remembers what was read after that state was asked for. Keys of nothing are not kept: they are as many as somebody
// likes to make up.
func (m *memory[K, R]) keep(of state, batch []*asker[K, R]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of != of || of == (state{}) {
		return // another state has been seen meanwhile, and what was read may be older than that
	}
	if m.rows == nil || len(m.rows)+len(batch) > mostRemembered {
		m.rows = make(map[K][]R, len(batch))
	}
	for _, one := range batch {
		if len(one.rows) > 0 {
			m.rows[one.key] = one.rows
		}
	}
}
