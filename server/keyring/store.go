package keyring

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Use notes that the database may hold secrets that a key has sealed.
type Use struct {
	bun.BaseModel `bun:"table:data_keys"`

	KeyID uint32           `bun:"key_id,pk"`
	Since database.Instant `bun:"first_used_at"`
}

// Uses lists which keys the database needs.
func Uses(ctx context.Context, db bun.IDB) ([]Use, error) {
	var list []Use
	if err := db.NewSelect().Model(&list).OrderExpr("first_used_at, key_id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read which keys are used: %w", err)
	}
	return list, nil
}

// NoteUse notes that a key is used from now on; false where that is noted already.
func NoteUse(ctx context.Context, tx database.Tx, id uint32) (bool, error) {
	use := &Use{KeyID: id, Since: database.At(tx.Now)}
	touched, err := database.Touched(tx.NewInsert().Model(use).On("CONFLICT DO NOTHING").Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("note the use of a key: %w", err)
	}
	return touched == 1, nil
}

// EndUse ends the use of a key. It waits for those that are storing a secret under the
// key; whoever counts in the same transaction after it counts theirs too, and nobody
// stores one any more. False where the key was not in use.
func EndUse(ctx context.Context, tx database.Tx, id uint32) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*Use)(nil)).Where("key_id = ?", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("end the use of a key: %w", err)
	}
	return touched == 1, nil
}

// KeepUse keeps the use of a key from ending before tx does; false where it has ended.
func KeepUse(ctx context.Context, tx database.Tx, id uint32) (bool, error) {
	kept, err := tx.Keep(ctx, "SELECT 1 FROM data_keys WHERE key_id = ?", id)
	if err != nil {
		return false, fmt.Errorf("keep a key in use: %w", err)
	}
	return kept, nil
}

// NoteKeptElsewhere notes that somebody has a copy of a used key; false where no such key is in use.
func NoteKeptElsewhere(ctx context.Context, tx database.Tx, id uint32) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*Use)(nil)).Set("kept_elsewhere_at = ?", database.At(tx.Now)).Where("key_id = ?", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("note that a key is kept elsewhere: %w", err)
	}
	return touched == 1, nil
}

// KeptElsewhere is when somebody was last known to have a copy of a key; zero where nobody is.
func KeptElsewhere(ctx context.Context, db bun.IDB, id uint32) (at database.Instant, err error) {
	var noted []database.Instant
	err = db.NewSelect().Model((*Use)(nil)).Column("kept_elsewhere_at").Where("key_id = ? AND kept_elsewhere_at IS NOT NULL", id).Scan(ctx, &noted)
	if err != nil {
		return 0, fmt.Errorf("read whether a key is kept elsewhere: %w", err)
	}
	if len(noted) == 0 {
		return 0, nil
	}
	return noted[0], nil
}
