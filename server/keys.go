package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
)

// dataKey notes that the database was written with a key.
type dataKey struct {
	bun.BaseModel `bun:"table:data_keys"`

	KeyID       int64            `bun:"key_id,pk"`
	FirstUsedAt database.Instant `bun:"first_used_at"`
}

func dataKeys(ctx context.Context, db bun.IDB) ([]dataKey, error) {
	var known []dataKey
	if err := db.NewSelect().Model(&known).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read which keys were used: %w", err)
	}
	return known, nil
}

// covers refuses a ring without one of the known keys, and reports whether the ring's own is among them.
func covers(ring *keyring.Ring, known []dataKey) (bool, error) {
	recorded := false
	for _, key := range known {
		if !ring.Has(uint32(key.KeyID)) {
			return false, fmt.Errorf("the key ring lacks key %d, with which this database was written: use the key ring that belongs to it", key.KeyID)
		}
		recorded = recorded || uint32(key.KeyID) == ring.PrimaryID()
	}
	return recorded, nil
}

// openKeys opens the key ring and refuses one that lacks a key which the database was written with. The ring is made
// only for a database that holds nothing sealed yet.
func openKeys(ctx context.Context, db *database.Database, path, fromEnvironment string) (*keyring.Ring, error) {
	known, err := dataKeys(ctx, db.Read())
	if err != nil {
		return nil, err
	}
	open := keyring.Open
	if len(known) > 0 {
		open = keyring.OpenExisting
	}
	ring, err := open(path, fromEnvironment)
	if err != nil {
		return nil, err
	}
	if recorded, err := covers(ring, known); err != nil || recorded {
		return ring, err
	}
	return ring, db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		// Of two instances that start at once on an empty database, the second meets the first one's key here.
		if _, err := tx.NewUpdate().Table("installation").Set("id = id").Where("id = 1").Exec(ctx); err != nil {
			return fmt.Errorf("hold the installation: %w", err)
		}
		known, err := dataKeys(ctx, tx)
		if err != nil {
			return err
		}
		if recorded, err := covers(ring, known); err != nil || recorded {
			return err
		}
		_, err = tx.NewInsert().Model(&dataKey{KeyID: int64(ring.PrimaryID()), FirstUsedAt: database.At(tx.Now)}).Exec(ctx)
		if err != nil {
			return fmt.Errorf("record the key: %w", err)
		}
		return nil
	})
}
