package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// Disable closes the account of a person, who stays in the list and can sign in no more; sessions that are open end
// with it, since each request asks. Where it is closed already, since when stays.
func Disable(ctx context.Context, tx database.Tx, id string) error {
	user, err := Hold(ctx, tx, id)
	if err != nil || !user.DisabledAt.IsZero() {
		return err
	}
	_, err = tx.NewUpdate().Model((*User)(nil)).Set("disabled_at = ?", database.At(tx.Now)).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("disable a person: %w", err)
	}
	return nil
}
