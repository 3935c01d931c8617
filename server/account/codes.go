package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// FewCodes is below how many backup codes new ones are urged (product.md).
const FewCodes = 4

// NoteCodesLeft notes how many backup codes the person has left, as far as the list of people asks: whether they are few.
func NoteCodesLeft(ctx context.Context, tx database.Tx, id string, left int) error {
	few := left < FewCodes
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("few_codes = ?", few).Where("id = ? AND few_codes <> ?", id, few).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note the backup codes left: %w", err)
	}
	return nil
}
