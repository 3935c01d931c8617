package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// Disable closes the account of a person, who stays in the list and can sign in no more. Who calls it ends what is
// open; false where it is closed already, and since when stays.
func Disable(ctx context.Context, tx database.Tx, id string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("disabled_at = ?", database.At(tx.Now)).
		Where("id = ? AND disabled_at IS NULL", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("disable a person: %w", err)
	}
	return touched == 1, nil
}

// Enable opens the account of a disabled person again; false where it is open.
func Enable(ctx context.Context, tx database.Tx, id string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("disabled_at = NULL").
		Where("id = ? AND disabled_at IS NOT NULL", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("enable a person: %w", err)
	}
	return touched == 1, nil
}

// Remove deletes a person and all that is theirs; what happened (package audit) stays. ErrNoUser where there is none.
func Remove(ctx context.Context, tx database.Tx, id string) error {
	if _, err := TurnOff(ctx, tx, id); err != nil { // so that they count among the protected no more
		return err
	}
	touched, err := database.Touched(tx.NewDelete().Model((*User)(nil)).Where("id = ?", id).Exec(ctx))
	if err != nil {
		return fmt.Errorf("remove a person: %w", err)
	}
	if touched != 1 {
		return ErrNoUser
	}
	return tally{People: -1}.add(ctx, tx)
}
