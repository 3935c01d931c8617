package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// FewCodes is below how many backup codes new ones are urged (product.md).
const FewCodes = 4

// NoteFewCodes notes whether the person has few backup codes left: the list finds them by it.
func NoteFewCodes(ctx context.Context, tx database.Tx, id string, few bool) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("few_codes = ?", few).Where("id = ? AND few_codes <> ?", id, few).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note that few backup codes are left: %w", err)
	}
	return nil
}
