package seal

import (
	"crypto/ed25519"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// origin names the log in what is signed, and the signer.
const origin = "secondstep-audit"

// text is what is signed: a checkpoint without its signatures (c2sp.org/tlog-checkpoint).
func text(size int64, root tlog.Hash) []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", origin, size, root)
}

// signer signs with what a key of the key ring gives for it.
type signer struct {
	key      uint32 // of the ring
	secret   ed25519.PrivateKey
	verifier note.Verifier
}

// signers are the ring's, that of the key which seals first.
func (s *Seals) signers() ([]signer, error) {
	derived, err := s.ring.Derive("audit checkpoint 1")
	if err != nil {
		return nil, fmt.Errorf("the keys that sign the audit log: %w", err)
	}
	list := make([]signer, len(derived))
	for n, one := range derived {
		secret := ed25519.NewKeyFromSeed(one.Secret)
		public, ok := secret.Public().(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("the keys that sign the audit log: %T", secret.Public())
		}
		named, err := note.NewEd25519VerifierKey(origin, public)
		if err != nil {
			return nil, fmt.Errorf("the keys that sign the audit log: %w", err)
		}
		verifier, err := note.NewVerifier(named)
		if err != nil {
			return nil, fmt.Errorf("the keys that sign the audit log: %w", err)
		}
		list[n] = signer{key: one.Key, secret: secret, verifier: verifier}
	}
	return list, nil
}

func (s signer) sign(text []byte) []byte { return ed25519.Sign(s.secret, text) }

// Name, KeyHash and Sign make it sign notes.
func (s signer) Name() string { return s.verifier.Name() }

// KeyHash is the note's name of the key.
func (s signer) KeyHash() uint32 { return s.verifier.KeyHash() }

// Sign signs a note.
func (s signer) Sign(text []byte) ([]byte, error) { return s.sign(text), nil }

// trusted holds a tree to what is stored of its signatures: one of a key of the ring, and none that is wrong.
func trusted(heads []head, size int64, root tlog.Hash, signers []signer) error {
	known := false
	for _, head := range heads {
		for _, signer := range signers {
			if signer.key != head.KeyID {
				continue
			}
			if !signer.verifier.Verify(text(size, root), head.Signature) {
				return &ErrAltered{fmt.Sprintf("its first %d events are not those that were signed", size)}
			}
			known = true
		}
	}
	switch {
	case len(heads) == 0:
		return &ErrAltered{fmt.Sprintf("its first %d events are not signed", size)}
	case !known:
		return fmt.Errorf("the audit log is signed with key %d, which this key ring lacks: use the key ring that belongs to the database", heads[0].KeyID)
	}
	return nil
}
