// Package keyring seals the secrets that must be readable again: AES-256-GCM through
// Tink, with keys that never are in the database.
//
// Invariants:
//
//   - A sealed secret opens only under the [Binding] it was sealed with. Purpose, column,
//     person and record are its associated data, each with its length before it, so no
//     two bindings ever read alike and nobody who can write the database can move a
//     secret to another row.
//   - Each sealed secret begins with the id of its key (Tink's prefix: 0x01 and four
//     bytes) and holds a random nonce: the same plaintext twice gives different bytes.
//   - A ring that is short, a sample, malformed or readable by others is refused, in one
//     line that says what to do.
//
// The ring is a Tink keyset as JSON. Errors never repeat its content.
package keyring

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Binding says what a sealed secret is and whose. User may be empty for a secret that
// belongs to nobody; the others must be given.
type Binding struct {
	Purpose string // what for: "totp seed"
	Column  string // where it is kept: "totp_apps.secret"
	User    string // the person's id
	Record  string // the row's id
}

// Ring is a set of data keys with one that seals. It is safe for concurrent use.
type Ring struct {
	sealer  tink.AEAD
	primary uint32
	ids     map[uint32]bool
}

var (
	errBinding = errors.New("keyring: a binding needs a purpose, a column and a record")
	errOpen    = errors.New("keyring: the secret does not open: it was altered, or moved from another row")
)

// Seal encrypts plain for the place that b names.
func (r *Ring) Seal(plain []byte, b Binding) ([]byte, error) {
	data, err := b.data()
	if err != nil {
		return nil, err
	}
	return r.sealer.Encrypt(plain, data)
}

// Open decrypts what Seal made for the same place. The error tells whether the key is
// missing from the ring, and nothing else.
func (r *Ring) Open(sealed []byte, b Binding) ([]byte, error) {
	data, err := b.data()
	if err != nil {
		return nil, err
	}
	plain, err := r.sealer.Decrypt(sealed, data)
	if err != nil {
		if id, ok := keyOf(sealed); ok && !r.Has(id) {
			return nil, fmt.Errorf("keyring: the secret's key %d is not in the key ring", id)
		}
		return nil, errOpen
	}
	return plain, nil
}

// PrimaryID is the id of the key that seals.
func (r *Ring) PrimaryID() uint32 { return r.primary }

// Has says whether the ring can open what the key of that id sealed.
func (r *Ring) Has(id uint32) bool { return r.ids[id] }

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

// newRing makes a ring from a handle whose keys have been checked.
func newRing(handle *keyset.Handle, primary uint32, ids map[uint32]bool) (*Ring, error) {
	sealer, err := aead.New(handle)
	if err != nil {
		return nil, err
	}
	return &Ring{sealer: sealer, primary: primary, ids: ids}, nil
}
