package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// SetRecovery notes what of a recovery is under way for the person, and until when; empty: nothing is. Room recovery calls it in
// the transaction that changes its own row.
func SetRecovery(ctx context.Context, tx database.Tx, id, state string, until database.Instant) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("recovery = ?", state).Set("recovery_until = NULLIF(?, 0)", until).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note a recovery: %w", err)
	}
	return nil
}
