package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// FewCodes is below how many backup codes new ones are urged (product.md). What it is compared with is stored: whoever changes
// it writes a migration that fills users.few_codes anew, as 0030 does, and changes the screens' remaining.ts.
const FewCodes = 4

// NoteFewCodes notes whether the backup codes that a person has left are few, for the list of people.
func NoteFewCodes(ctx context.Context, tx database.Tx, id string, left int) error {
	are := left < FewCodes
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("few_codes = ?", are).Where("id = ? AND few_codes <> ?", id, are).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note the backup codes left: %w", err)
	}
	return nil
}

// NoteNoCodes notes of everybody with 2-step verification that no backup code is left.
func NoteNoCodes(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("few_codes = TRUE").Where("mfa_since IS NOT NULL AND NOT few_codes").Exec(ctx)
	if err != nil {
		return fmt.Errorf("note that no backup codes are left: %w", err)
	}
	return nil
}
