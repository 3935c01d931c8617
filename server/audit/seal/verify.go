package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/secondstep/secondstep/server/database"
)

// Report is what a look at the whole log found.
type Report struct {
	Events   int64     // that are sealed
	Root     tlog.Hash // of the tree over them
	Waiting  int       // events so new that they need not be sealed yet
	Findings []string  // what is wrong, each in words that name the event; the first of them
	More     int       // how many more
}

// told is how many findings are told in words.
const told = 10

func (r *Report) found(format string, args ...any) {
	if len(r.Findings) == told {
		r.More++
		return
	}
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// waits is how old an event may be and not be sealed, where a server runs.
const waits = 3 * time.Second

// Checkpoint is a head of the log that was saved elsewhere.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
}

// ReadCheckpoint reads one that this key ring has signed.
func (s *Seals) ReadCheckpoint(signed []byte) (*Checkpoint, error) {
	signers, err := s.signers()
	if err != nil {
		return nil, err
	}
	verifiers := make([]note.Verifier, len(signers))
	for n, signer := range signers {
		verifiers[n] = signer.verifier
	}
	opened, err := note.Open(bytes.ReplaceAll(signed, []byte("\r\n"), []byte("\n")), note.VerifierList(verifiers...))
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		return nil, errors.New("the checkpoint is signed with a key that this key ring does not have: it is forged, of another installation, or older than a key that was retired")
	case err != nil:
		return nil, errors.New("that is no checkpoint, or one that was altered since it was signed")
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return nil, errors.New("that is a signed note, but no checkpoint of an audit log")
	}
	size, sizeErr := strconv.ParseInt(lines[1], 10, 64)
	root, rootErr := tlog.ParseHash(lines[2])
	if sizeErr != nil || rootErr != nil || size < 0 {
		return nil, errors.New("that is a signed note, but no checkpoint of an audit log")
	}
	return &Checkpoint{Size: size, Root: root}, nil
}

// page is how many events are read at once.
const page = 1000

// Verify looks at every event and every seal there is, and at whether the checkpoint, where one is given, is a beginning
// of the log. Servers may run meanwhile.
func (s *Seals) Verify(ctx context.Context, checkpoint *Checkpoint, progress func(done, total int)) (*Report, error) {
	began := s.now()
	signers, err := s.signers()
	if err != nil {
		return nil, err
	}
	size, signed, err := readSize(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	w := &walk{Report: &Report{Events: size}, checkpoint: checkpoint, bad: -1}
	w.reached(nil)
	for from := int64(0); from < size; from += page {
		to := min(from+page, size)
		read, err := readPage(ctx, s.db.Read(), from, to)
		if err != nil {
			return nil, err
		}
		for position := from; position < to; position++ {
			w.step(position, read)
			w.reached(read.heads[position+1])
		}
		progress(int(to), int(size))
	}
	w.Root = w.edge.root()
	w.tellMisplaced()
	w.judge(size, signed, signers)
	if checkpoint != nil && checkpoint.Size > size {
		w.found("the checkpoint is of %d events and the log has %d: the newest were removed since", checkpoint.Size, size)
	}
	return w.Report, s.verifyUnsealed(ctx, w.Report, began)
}

// walk goes through the log from its beginning and works every hash out anew.
type walk struct {
	*Report
	edge       edge
	roots      []signedRoot
	misplaced  []misplaced
	bad        int64 // the last position under a hash that was changed
	checkpoint *Checkpoint
}

// signedRoot is the root where the log was signed.
type signedRoot struct {
	head
	root tlog.Hash
}

// misplaced is an event that is not what was sealed at its position.
type misplaced struct {
	position   int64
	id         string
	is, sealed tlog.Hash
}

// step looks at one position, and lets the tree grow by what was sealed there.
func (w *walk) step(position int64, read *stored) {
	index := tlog.StoredHashIndex(0, position)
	sealed, isSealed := read.hashes[index]
	leaf, known := read.leaves[position]
	switch {
	case !known:
		w.found("the seal of event number %d was removed", position+1)
	case !leaf.there:
		w.found("event %s (number %d) was removed", leaf.id, position+1)
	case leaf.version != version:
		w.found("the seal of event %s (number %d) was changed", leaf.id, position+1)
	default:
		is := leaf.hash()
		if !isSealed {
			sealed = is
		} else if is != sealed {
			w.misplaced = append(w.misplaced, misplaced{position, leaf.id, is, sealed})
		}
	}
	if !isSealed {
		w.found("the hash of event number %d was removed", position+1)
		w.bad = position
	}
	for level, hash := range w.edge.add(sealed) {
		first := position + 1 - int64(1)<<level
		if kept, there := read.hashes[index+int64(level)]; there && kept == hash || w.bad >= first {
			continue // or else it follows from what was told
		}
		w.found("of the events number %d to %d, %s to %s, one was changed together with its hash, or the hash over them was", first+1, position+1,
			read.named(first), read.named(position))
		w.bad = position
	}
}

// reached compares what is known of the tree at this size from elsewhere.
func (w *walk) reached(heads []head) {
	if c := w.checkpoint; c != nil && c.Size == w.edge.size && c.Root != w.edge.root() {
		w.found("the checkpoint is no beginning of this log: among its first %d events some were changed since it was saved", c.Size)
	}
	for _, head := range heads {
		w.roots = append(w.roots, signedRoot{head, w.edge.root()})
	}
}

// tellMisplaced tells which events are not what was sealed: changed, or in the place of another.
func (w *walk) tellMisplaced() {
	place := map[tlog.Hash]int64{}
	for _, one := range w.misplaced {
		place[one.sealed] = one.position
	}
	for _, one := range w.misplaced {
		if of, moved := place[one.is]; moved {
			w.found("event %s was number %d and is number %d: the order was changed", one.id, of+1, one.position+1)
		} else {
			w.found("event %s (number %d) was changed", one.id, one.position+1)
		}
	}
}

// judge holds the whole tree to its signature, and where it does not fit looks for the first one that doesn't.
func (w *walk) judge(size, signed int64, signers []signer) {
	var last []head
	var roots []signedRoot // whose key is known
	for _, root := range w.roots {
		if root.Size == size {
			last = append(last, root.head)
		}
		if known, _ := root.verify(signers); known {
			roots = append(roots, root)
		}
	}
	err := trusted(last, size, w.Root, signers)
	var altered *ErrAltered
	switch {
	case size == 0 && signed == 0:
	case signed > size:
		w.found("%d events are signed and %d are sealed: the newest were removed", signed, size)
	case signed < size:
		w.found("the events number %d to %d are sealed and not signed", signed+1, size)
	case err != nil && !errors.As(err, &altered):
		w.found("%s", err.Error())
	case err != nil && w.bad < 0: // or else it follows from what was told
		n := sort.Search(len(roots)-1, func(n int) bool { _, fits := roots[n].verify(signers); return !fits })
		from := int64(0)
		if n > 0 {
			from = roots[n-1].Size
		}
		w.found("of the events number %d to %d, one was changed together with all hashes over it", from+1, roots[n].Size)
	}
}

// verify tells whether the key is known, and whether it has signed this.
func (r signedRoot) verify(signers []signer) (known, fits bool) {
	for _, signer := range signers {
		if signer.key == r.KeyID {
			return true, signer.verifier.Verify(text(r.Size, r.root), r.Signature)
		}
	}
	return false, false
}

// verifyUnsealed tells of events that are not sealed, though they are old enough to be.
func (s *Seals) verifyUnsealed(ctx context.Context, r *Report, began time.Time) error {
	ids, err := unsealedIDs(ctx, s.db.Read())
	if err != nil {
		return err
	}
	for _, id := range ids {
		at, valid := database.TimeOf(id)
		if valid && !at.Before(began.Add(-waits)) && !at.After(s.now().Add(waits)) {
			r.Waiting++
			continue
		}
		r.found("event %s is not sealed: it was added behind the server's back, or the server that was to seal it was killed and not started since", id)
	}
	return nil
}
