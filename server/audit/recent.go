package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Recent reports whether an event of one of these kinds came about the person within that time. It reads no more than
// the person's events of that time, as ids sort by it.
func Recent(ctx context.Context, tx database.Tx, userID string, within time.Duration, kinds ...string) (bool, error) {
	found, err := tx.NewSelect().Model((*row)(nil)).
		Where("subject_id = ? AND id >= ?", userID, database.FirstID(tx.Now.Add(-within))).
		Where("kind IN (?)", bun.List(kinds)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for lately %v: %w", kinds, err)
	}
	return found, nil
}
