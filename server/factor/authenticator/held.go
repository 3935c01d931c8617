package authenticator

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
)

// Rename calls an app otherwise; false where the person has no such app. The entry in the app itself keeps its label.
func (f *Factor) Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*App)(nil)).Set("name = ?", name).
		Where("id = ? AND user_id = ?", id, userID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("rename an authenticator app: %w", err)
	}
	return touched == 1, nil
}

// Remove retires an app, so that its codes are still recognised; false where the person has no such app. Whether it may
// go, as the last one may not, is for the caller to say.
func (f *Factor) Remove(ctx context.Context, tx database.Tx, userID, id string) (bool, error) {
	list, err := apps(ctx, tx, userID)
	if err != nil {
		return false, err
	}
	for _, app := range list {
		if app.ID == id {
			return true, retireApps(ctx, tx, f.ring, userID, diagnosis.Removed, id)
		}
	}
	return false, nil
}
