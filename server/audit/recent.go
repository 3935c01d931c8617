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
	return found(ctx, recent(tx, userID, within).Where("kind IN (?)", bun.List(kinds)))
}

// RecentBy is Recent for one kind of event in one way.
func RecentBy(ctx context.Context, tx database.Tx, userID string, within time.Duration, kind, method string) (bool, error) {
	return found(ctx, recent(tx, userID, within).Where("kind = ? AND method = ?", kind, method))
}

func recent(tx database.Tx, userID string, within time.Duration) *bun.SelectQuery {
	return tx.NewSelect().Model((*row)(nil)).
		Where("subject_id = ? AND id >= ?", userID, database.FirstID(tx.Now.Add(-within))).Where("result = ?", OK)
}

func found(ctx context.Context, query *bun.SelectQuery) (bool, error) {
	any, err := query.Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for what came lately: %w", err)
	}
	return any, nil
}
