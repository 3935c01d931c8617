// Package keyring seals the secrets that must be readable again: AES-256-GCM through
// Tink, with keys that never are in the database.
//
// Invariants:
//
//   - A sealed secret opens only under the [Binding] it was sealed with. Purpose, column,
//     person and record are its associated data, each with its length before it, so no
//     two bindings ever read alike and nobody who can write the database can move a
//     secret to another row.
//
//   - Each sealed secret begins with the id of its key (Tink's prefix: 0x01 and four
//     bytes) and holds a random nonce: the same plaintext twice gives different bytes.
//
//   - A ring that is short, a sample, malformed or readable by others is refused, in one
//     line that says what to do.
//
//   - A stored secret's key is in the table data_keys: whoever stores one holds its row
//     ([Ring.SealIn]), and a key is retired by deleting that row, then counting. So no
//     secret is ever stored under a key that is gone, whatever ring an instance has.
//
// The ring is a Tink keyset as JSON. Errors never repeat its content.
//
// # Changing the key
//
// A new key comes in four steps, each durable before the next one begins, so that a
// crash between two of them leaves something that works and the same command goes on:
//
//  1. The key is added behind the primary. Nothing is sealed with it.
//  2. It is noted in data_keys. From here on no instance starts without it.
//  3. It becomes the primary: what is sealed from now on is sealed with it.
//  4. Every stored secret is sealed anew ([Reseal]), each by a write that is conditional
//     on the old bytes, so that a sign-in or an enrolment beside it always wins.
//
// It is not noted before it is in the ring, or a crash would leave a database that no
// ring fits; it is not the primary before it is noted, or nothing could be stored.
//
// Instances that run take part without a word to them. One that shares the ring's file
// looks before it seals whether the file has changed (a stat), and reads it again when
// it meets a key that it does not know; the file is replaced by a rename, so there is
// always a whole one, and no secret of a key exists before the file that holds it. A
// ring from the environment can't follow, which is why the steps are told apart there:
// every instance is given the key before any seals with it, and one that was left behind
// can't store a secret under a retired key, for its data_keys row is gone.
package keyring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/secondstep/secondstep/server/database"
)

// Binding says what a sealed secret is and whose. User may be empty for a secret that
// belongs to nobody; the others must be given.
type Binding struct {
	Purpose string // what for: "totp seed"
	Column  string // where it is kept: "totp_apps.secret"
	User    string // the person's id
	Record  string // the row's id
}

// Ring is a set of data keys with one that seals. It is safe for concurrent use, and
// where it came from a file it follows that file.
type Ring struct {
	path string     // of the file; empty for a ring from the environment
	mu   sync.Mutex // one reads the file at a time, so that what was read last is newest
	held atomic.Pointer[keys]
}

// keys are a ring's as they were read.
type keys struct {
	handle  *keyset.Handle
	sealer  tink.AEAD
	primary uint32
	ids     []uint32 // of those that open, in the ring's order: new ones come last
	file    fs.FileInfo
}

var (
	errBinding = errors.New("keyring: a binding needs a purpose, a column and a record")
	errOpen    = errors.New("keyring: the secret does not open: it was altered, or moved from another row")
)

// Seal encrypts plain for the place that b names. What is to be stored is sealed by
// SealIn.
func (r *Ring) Seal(plain []byte, b Binding) ([]byte, error) {
	held, _ := r.follow() // a file that is gone does not stop it: its backup has these keys
	return held.seal(plain, b)
}

// SealIn is Seal for a secret that tx stores. Until tx ends the key can't be retired.
func (r *Ring) SealIn(ctx context.Context, tx database.Tx, plain []byte, b Binding) ([]byte, error) {
	held, err := r.keep(ctx, tx)
	if err != nil {
		return nil, err
	}
	return held.seal(plain, b)
}

// keep gives the keys to seal with, whose primary is not retired before tx ends.
func (r *Ring) keep(ctx context.Context, tx database.Tx) (*keys, error) {
	for range 2 { // it may have been retired after the look at the file
		held, _ := r.follow() // as in Seal
		kept, err := KeepUse(ctx, tx, held.primary)
		if err != nil || kept {
			return held, err
		}
	}
	return nil, fmt.Errorf("keyring: key %d seals here, but was retired, or never used: give this instance the ring of the others and start it again", r.PrimaryID())
}

func (k *keys) seal(plain []byte, b Binding) ([]byte, error) {
	data, err := b.data()
	if err != nil {
		return nil, err
	}
	return k.sealer.Encrypt(plain, data)
}

// Open decrypts what Seal made for the same place. The error tells whether the key is
// missing from the ring, and nothing else.
func (r *Ring) Open(sealed []byte, b Binding) ([]byte, error) {
	data, err := b.data()
	if err != nil {
		return nil, err
	}
	held := r.held.Load()
	if id, ok := keyOf(sealed); ok && !held.has(id) {
		if held, err = r.follow(); err != nil {
			return nil, fmt.Errorf("keyring: the secret's key %d is not known here, and %w", id, err)
		}
		if !held.has(id) {
			return nil, fmt.Errorf("keyring: the secret's key %d is not in the key ring", id)
		}
	}
	plain, err := held.sealer.Decrypt(sealed, data)
	if err != nil {
		return nil, errOpen
	}
	return plain, nil
}

// follow gives the newest keys: those of the file, where it has changed since. With an
// error it gives the ones that it has.
func (r *Ring) follow() (*keys, error) {
	held := r.held.Load()
	if r.path == "" {
		return held, nil
	}
	if info, err := os.Stat(r.path); err == nil && same(info, held.file) {
		return held, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	read, err := readFile(r.path)
	if err != nil {
		return r.held.Load(), err
	}
	r.held.Store(read)
	return read, nil
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// PrimaryID is the id of the key that seals.
func (r *Ring) PrimaryID() uint32 { return r.held.Load().primary }

// Has says whether the ring can open what the key of that id sealed.
func (r *Ring) Has(id uint32) bool { return r.held.Load().has(id) }

// IDs are those of the ring's keys, the newest last.
func (r *Ring) IDs() []uint32 { return slices.Clone(r.held.Load().ids) }

// Next is the key behind the primary, which is to become it; false where there is none.
func (r *Ring) Next() (uint32, bool) {
	held := r.held.Load()
	last := held.ids[len(held.ids)-1]
	return last, last != held.primary
}

func (k *keys) has(id uint32) bool { return slices.Contains(k.ids, id) }

// data is the binding as associated data.
func (b Binding) data() ([]byte, error) {
	if b.Purpose == "" || b.Column == "" || b.Record == "" {
		return nil, errBinding
	}
	data := []byte("secondstep binding 1")
	for _, part := range []string{b.Purpose, b.Column, b.User, b.Record} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	return data, nil
}

// keyOf reads the key id in front of a sealed secret (Tink's output prefix).
func keyOf(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

// newKeys takes the keys of a handle, which have been checked.
func newKeys(handle *keyset.Handle, primary uint32, ids []uint32) (*keys, error) {
	sealer, err := aead.New(handle)
	if err != nil {
		return nil, err
	}
	return &keys{handle: handle, sealer: sealer, primary: primary, ids: ids}, nil
}
