package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Lock keeps other processes from changing the ring's file until release is called, or
// this process ends. A ring from the environment has nothing to lock.
func (r *Ring) Lock() (release func() error, err error) {
	if r.path == "" {
		return func() error { return nil }, nil
	}
	// The folder is locked, not the file, which is replaced; and no file is left behind.
	lock := flock.New(filepath.Dir(r.path), flock.SetFlag(os.O_RDONLY))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the key ring: %w", err)
	}
	if !held {
		return nil, errors.New("another command is changing the keys right now: let it end, then try again")
	}
	return lock.Unlock, nil
}

// Add puts a new key behind the primary. It seals nothing yet. The text is that of the
// new ring where the ring came from the environment, which only its owner can change;
// a file is changed, and there is no text.
func (r *Ring) Add() (id uint32, text string, err error) {
	text, err = r.change(func(manager *keyset.Manager) (err error) {
		id, err = manager.Add(aead.AES256GCMKeyTemplate())
		return err
	})
	return id, text, err
}

// Promote lets a key of the ring seal. The text is as Add's.
func (r *Ring) Promote(id uint32) (text string, err error) {
	return r.change(func(manager *keyset.Manager) error { return manager.SetPrimary(id) })
}

// Remove takes a key that seals nothing out of the ring. The text is as Add's.
func (r *Ring) Remove(id uint32) (text string, err error) {
	return r.change(func(manager *keyset.Manager) error { return manager.Delete(id) })
}

// change makes the next ring of the newest one. Whoever calls it has the lock.
func (r *Ring) change(act func(*keyset.Manager) error) (string, error) {
	held, err := r.follow()
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(held.handle)
	if err := act(manager); err != nil {
		return "", fmt.Errorf("change the key ring: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return "", fmt.Errorf("change the key ring: %w", err)
	}
	text, err := written(handle)
	if err != nil {
		return "", fmt.Errorf("change the key ring: %w", err)
	}
	if _, err := judge(text); err != nil {
		return "", fmt.Errorf("the changed key ring would be no good, so it stays as it was: it %w", err)
	}
	if r.path == "" {
		return string(text), nil
	}
	if err := replace(r.path, text, held.file); err != nil {
		return "", fmt.Errorf("the key ring %s can't be changed: %w", r.path, err)
	}
	_, err = r.follow()
	return "", err
}
