package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// BeginReset marks that the person's factors prove nothing from now on; 2-step verification is off until they have
// enrolled anew. False where there is nothing to reset: it is not on, and they do not wait for a link already.
func BeginReset(ctx context.Context, tx database.Tx, id string) (bool, error) {
	off, err := TurnOff(ctx, tx, id)
	if err != nil {
		return false, err
	}
	mark := tx.NewUpdate().Model((*User)(nil)).Set("reset_at = ?", database.At(tx.Now)).Where("id = ?", id)
	if !off {
		mark = mark.Where("reset_at IS NOT NULL")
	}
	touched, err := database.Touched(mark.Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("reset a person: %w", err)
	}
	return touched == 1, nil
}

// EndReset marks that the person has enrolled anew; false where they were not reset, or are no longer.
func EndReset(ctx context.Context, tx database.Tx, id string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("reset_at = NULL").
		Where("id = ? AND reset_at IS NOT NULL", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("end a reset: %w", err)
	}
	return touched == 1, nil
}
