// Package seal makes the security events tamper-evident: each becomes a leaf of an append-only Merkle log
// (golang.org/x/mod/sumdb/tlog), and the head of the log is signed with a key that never is in the database.
//
// Invariants:
//
//   - An event that is committed is sealed within a second by any instance that serves, in a transaction of its own: no
//     sign-in waits for it, and a process that is killed at any moment leaves a batch sealed as a whole or not at all.
//   - A position of the log is given once. Whoever seals reads the size of the tree, works everything out beside the
//     database, and adds the rows if none of the positions, events and hashes is taken; else it was another's turn. So
//     rows are only ever added, any number of instances may seal, and none needs a lock, or the right to change a row.
//   - Nothing is sealed on top of a tree whose head does not verify. So whoever can write the database but has not the
//     key ring can't have an altered log signed by waiting for the next event.
//
// What it shows and what not: an event that was sealed can't be changed, removed, or put elsewhere without Verify telling
// which. Whoever writes to the database can still add events of their own, as the server does, and can cut the newest
// events off together with their seals: the server that runs notices that, and a checkpoint that was saved elsewhere
// proves it.
package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
)

// Seals are the sealed events of an installation. It is safe for concurrent use.
type Seals struct {
	db     *database.Database
	ring   *keyring.Ring
	now    func() time.Time
	logger *slog.Logger

	mu     sync.Mutex // one seals at a time, of this instance
	pass   time.Time  // when this look at what is unsealed began, which may take several batches
	goesOn string     // the event at which the look goes on; empty where a new one begins
	looked time.Time  // when the last whole look began: nothing that was there then is left unsealed
	wide   time.Time  // when it was last looked far back
	size   int64      // of the tree when it was last read
	signed uint32     // the key by which all of it is signed, as far as is known
}

// New prepares to seal.
func New(db *database.Database, ring *keyring.Ring, now func() time.Time, logger *slog.Logger) *Seals {
	return &Seals{db: db, ring: ring, now: now, logger: logger}
}

const (
	// every is how often an instance looks for what is to be sealed.
	every = 500 * time.Millisecond
	// batch is how many events are sealed in one transaction: few, for on SQLite those who sign in wait that long.
	batch = 256
	// Events are looked for a little before the last look, since one may be committed after a newer one; and now and then
	// far before it, for those of a transaction that waited long, and of an instance whose clock is behind.
	nearBack  = 5 * time.Second
	farBack   = 5 * time.Minute
	farsApart = 30 * time.Second
)

// Keep seals what is committed until ctx ends, and then what is left, for a while at the most.
func (s *Seals) Keep(ctx context.Context) {
	look := time.NewTicker(every)
	defer look.Stop()
	told := ""
	for {
		_, err := s.All(ctx)
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told: // once, not twice a second
			told = err.Error()
			s.logger.ErrorContext(ctx, "sealing the events failed", "cause", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			if _, err := s.All(last); err != nil {
				s.logger.ErrorContext(last, "events are left unsealed until the next start", "cause", err)
			}
			cancel()
			return
		case <-look.C:
		}
	}
}

// All seals until nothing is left, and answers how many events it was.
func (s *Seals) All(ctx context.Context) (int, error) {
	all := 0
	for {
		n, more, err := s.Once(ctx)
		all += n
		if err != nil || !more {
			return all, err
		}
	}
}

// errTurn is that another has sealed meanwhile.
var errTurn = errors.New("another has sealed meanwhile")

// Once seals a batch. It answers how many events it was and whether there may be more.
func (s *Seals) Once(ctx context.Context) (sealed int, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	signers, err := s.signers()
	if err != nil {
		return 0, false, err
	}
	events, err := s.unsealed(ctx)
	if err != nil {
		return 0, false, err
	}
	defer func() {
		if !more { // also after a fault: then it begins where it began
			s.goesOn = ""
		}
	}()
	if len(events) == 0 {
		s.looked = s.pass
		if s.signed == signers[0].key {
			return 0, false, nil
		}
		return 0, false, s.sign(ctx, signers) // another key seals now
	}
	tree, err := s.tree(ctx, signers)
	if err != nil {
		return 0, false, err
	}
	added := additions{}
	for _, event := range events {
		if err := added.add(tree, event); err != nil {
			return 0, false, err
		}
	}
	if added.head, err = tree.head(signers[0]); err != nil {
		return 0, false, err
	}
	err = s.db.Write(ctx, added.write)
	switch {
	case errors.Is(err, errTurn):
		return 0, true, nil
	case err != nil:
		return 0, false, fmt.Errorf("seal events: %w", err)
	}
	s.size, s.signed = tree.size, signers[0].key
	if more = len(events) == batch; more {
		s.goesOn = events[batch-1].id
	} else {
		s.looked = s.pass
	}
	return len(events), more, nil
}

// unsealed reads the first events that are to be sealed.
func (s *Seals) unsealed(ctx context.Context) ([]event, error) {
	if s.goesOn != "" {
		return unsealed(ctx, s.db.Read(), s.goesOn, batch)
	}
	now, since := s.now(), ""
	s.pass = now
	switch {
	case s.looked.IsZero():
		last, err := lastSealed(ctx, s.db.Read())
		if err != nil {
			return nil, err
		}
		if at, ok := database.TimeOf(last); ok {
			since = before(earlier(at, now), farBack)
		}
		s.wide = now
	case now.Sub(s.wide) >= farsApart || now.Before(s.wide):
		since = before(earlier(s.looked, now), farBack)
		s.wide = now
	default:
		since = before(earlier(s.looked, now), nearBack)
	}
	return unsealed(ctx, s.db.Read(), since, batch)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func before(at time.Time, back time.Duration) string {
	if at = at.Add(-back); at.Before(time.UnixMilli(0)) {
		return ""
	}
	return database.FirstID(at)
}

// Sign signs the tree with the key that seals now, so that the keys before it can be retired.
func (s *Seals) Sign(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	signers, err := s.signers()
	if err != nil {
		return err
	}
	return s.sign(ctx, signers)
}

func (s *Seals) sign(ctx context.Context, signers []signer) error {
	tree, err := s.tree(ctx, signers)
	if err != nil {
		return err
	}
	if tree.size > 0 && !tree.signed(signers[0]) {
		head, err := tree.head(signers[0])
		if err != nil {
			return err
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			if err := keep(ctx, tx, head); err != nil {
				return err
			}
			_, err := addHead(ctx, tx, head)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.signed = signers[0].key
	return nil
}

// tree is the log as it is stored, with the hashes that it grows by.
type tree struct {
	size   int64
	heads  []head // of that size
	hashes map[int64]tlog.Hash
}

// ErrAltered is that the log is not what was signed.
type ErrAltered struct{ what string }

func (e *ErrAltered) Error() string {
	return "the audit log was altered behind the server's back (" + e.what + "): run secondstep audit verify, which says where"
}

// tree reads the log's right edge and holds it to what was signed.
func (s *Seals) tree(ctx context.Context, signers []signer) (*tree, error) {
	size, signed, err := readSize(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	if size < s.size {
		return nil, &ErrAltered{fmt.Sprintf("it had %d events and has %d", s.size, size)}
	}
	s.size = size
	t := &tree{size: size, hashes: map[int64]tlog.Hash{}}
	if size == 0 && signed == 0 {
		return t, nil
	}
	if signed != size {
		return nil, &ErrAltered{fmt.Sprintf("%d events are signed, of %d", signed, size)}
	}
	if t.heads, err = readHeads(ctx, s.db.Read(), size); err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if err := readHashes(ctx, s.db.Read(), indexes, t.hashes); err != nil {
			return nil, err
		}
		return t.ReadHashes(indexes)
	}))
	if err != nil {
		return nil, err
	}
	return t, trusted(t.heads, size, root, signers)
}

// ReadHashes gives the hashes that the tree grows by, all of which were read with its size.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for n, index := range indexes {
		hash, known := t.hashes[index]
		if !known {
			return nil, &ErrAltered{fmt.Sprintf("hash %d is missing", index)}
		}
		found[n] = hash
	}
	return found, nil
}

func (t *tree) signed(by signer) bool {
	for _, head := range t.heads {
		if head.KeyID == by.key {
			return true
		}
	}
	return false
}

// head signs the tree.
func (t *tree) head(by signer) (head, error) {
	root, err := tlog.TreeHash(t.size, t)
	if err != nil {
		return head{}, err
	}
	return head{Size: t.size, KeyID: by.key, Signature: by.sign(text(t.size, root))}, nil
}
