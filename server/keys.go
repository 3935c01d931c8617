package server

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
)

// sealedColumns are all that the data keys seal. A room that stores sealed secrets declares its columns, and is named
// here.
func sealedColumns() []keyring.Column {
	return append(authenticator.SealedColumns(), mail.SealedColumns()...)
}

// covers refuses a ring without one of the used keys, and reports whether the ring's own is among them.
func covers(ring *keyring.Ring, used []keyring.Use) (bool, error) {
	recorded := false
	for _, use := range used {
		if !ring.Has(use.KeyID) {
			return false, fmt.Errorf("the key ring lacks key %d, with which this database was written: use the key ring that belongs to it", use.KeyID)
		}
		recorded = recorded || use.KeyID == ring.PrimaryID()
	}
	return recorded, nil
}

// openKeys opens the key ring and refuses one that lacks a key which the database was written with. The ring is made
// only for a database that holds nothing sealed yet.
func openKeys(ctx context.Context, db *database.Database, path, fromEnvironment string) (*keyring.Ring, error) {
	used, err := keyring.Uses(ctx, db.Read())
	if err != nil {
		return nil, err
	}
	open := keyring.Open
	if len(used) > 0 {
		open = keyring.OpenExisting
	}
	ring, err := open(path, fromEnvironment)
	if err != nil {
		return nil, err
	}
	if recorded, err := covers(ring, used); err != nil || recorded {
		return ring, err
	}
	return ring, db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		// Of two instances that start at once on an empty database, the second meets the first one's key here.
		if err := account.HoldInstallation(ctx, tx); err != nil {
			return err
		}
		used, err := keyring.Uses(ctx, tx)
		if err != nil {
			return err
		}
		if recorded, err := covers(ring, used); err != nil || recorded {
			return err
		}
		_, err = keyring.NoteUse(ctx, tx, ring.PrimaryID())
		return err
	})
}

// Key is one key of the ring.
type Key struct {
	ID      uint32
	Seals   bool             // what is stored from now on
	Next    bool             // it is in the ring and does not seal yet
	Since   database.Instant // when it was first used; zero: never
	Secrets int              // how many stored secrets it seals
}

// Keys lists the ring's keys, the oldest first.
func (s *Server) Keys(ctx context.Context) ([]Key, error) {
	used, err := keyring.Uses(ctx, s.Database.Read())
	if err != nil {
		return nil, err
	}
	counted, err := keyring.Count(ctx, s.Database.Read(), sealedColumns())
	if err != nil {
		return nil, err
	}
	next, waits := s.ring.Next()
	var list []Key
	for _, id := range s.ring.IDs() {
		key := Key{ID: id, Seals: id == s.ring.PrimaryID(), Next: waits && id == next, Secrets: counted[id]}
		for _, use := range used {
			if use.KeyID == id {
				key.Since = use.Since
			}
		}
		list = append(list, key)
	}
	return list, nil
}

// Rotation is how far a change of the key came.
type Rotation struct {
	Key uint32 // the new one, or the one whose turn goes on
	// Ring is the text that is to be the ring of every instance before the next step, where the ring comes from the
	// environment; empty where nothing of the kind is to be done.
	Ring string
	// Seals tells that the key seals, with Ring once it is everybody's.
	Seals bool
	keyring.Resealed
}

// RotateKey lets a new key seal and seals everything anew with it; where a rotation was left halfway it goes on with
// that. The order of the steps and why it is safe beside running instances stands in the keyring room.
func (s *Server) RotateKey(ctx context.Context, progress func(done, total int)) (rotation *Rotation, err error) {
	release, err := s.ring.Lock()
	if err != nil {
		return nil, err
	}
	defer func() {
		if released := release(); err == nil {
			err = released
		}
	}()
	rotation = &Rotation{Key: s.ring.PrimaryID(), Seals: true}
	next, waits := s.ring.Next()
	if !waits {
		unfinished, err := s.sealedByOthers(ctx)
		if err != nil {
			return nil, err
		}
		if !unfinished {
			if next, rotation.Ring, err = s.ring.Add(); err != nil {
				return nil, err
			}
			waits = true
		}
	}
	if rotation.Ring != "" {
		rotation.Key, rotation.Seals = next, false
		return rotation, nil
	}
	if waits {
		rotation.Key = next
		if rotation.Ring, err = s.promote(ctx, next); err != nil || rotation.Ring != "" {
			return rotation, err
		}
	}
	rotation.Resealed, err = keyring.Reseal(ctx, s.Database, s.ring, sealedColumns(), progress)
	return rotation, err
}

// sealedByOthers reports whether another key than the primary seals something.
func (s *Server) sealedByOthers(ctx context.Context) (bool, error) {
	counted, err := keyring.Count(ctx, s.Database.Read(), sealedColumns())
	delete(counted, s.ring.PrimaryID())
	return len(counted) > 0, err
}

// promote notes that a key of the ring is used from now on, then lets it seal.
func (s *Server) promote(ctx context.Context, id uint32) (ring string, err error) {
	event := audit.FromConsole().Is(audit.KeyRotated, audit.OK)
	event.Data = map[string]any{"key": id, "from": s.ring.PrimaryID()}
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		first, err := keyring.NoteUse(ctx, tx, id)
		if err != nil || !first {
			return err
		}
		return audit.Record(ctx, tx, event)
	})
	if err != nil {
		return "", err
	}
	return s.ring.Promote(id)
}

// RetireKey takes a key that seals nothing any more out of the database's list and out of the ring. The text is that of
// the ring without it, where the ring comes from the environment.
func (s *Server) RetireKey(ctx context.Context, id uint32) (ring string, err error) {
	release, err := s.ring.Lock()
	if err != nil {
		return "", err
	}
	defer func() {
		if released := release(); err == nil {
			err = released
		}
	}()
	switch {
	case !s.ring.Has(id):
		return "", fmt.Errorf("the key ring has no key %d: see secondstep keys list", id)
	case id == s.ring.PrimaryID():
		return "", fmt.Errorf("key %d is the one that seals: run secondstep keys rotate first, which puts a new one in its place", id)
	}
	event := audit.FromConsole().Is(audit.KeyRetired, audit.OK)
	event.Data = map[string]any{"key": id}
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		ended, err := keyring.EndUse(ctx, tx, id)
		if err != nil {
			return err
		}
		counted, err := keyring.Count(ctx, tx, sealedColumns())
		if err != nil {
			return err
		}
		if n := counted[id]; n > 0 { // a fault, so that the use goes on
			return fmt.Errorf("key %d still seals stored secrets (%d): run secondstep keys rotate, which seals them anew, then try again", id, n)
		}
		if !ended {
			return nil
		}
		return audit.Record(ctx, tx, event)
	})
	if err != nil {
		return "", err
	}
	// What only this key has signed of the audit log would not verify without it.
	if err := s.Seals.Sign(ctx); err != nil {
		return "", err
	}
	return s.ring.Remove(id)
}
