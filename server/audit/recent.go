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
	return RecentOf(ctx, tx, userID, tx.Now.Add(-within), kinds...)
}

// RecentOf is Recent since a time, for whoever only reads.
func RecentOf(ctx context.Context, db bun.IDB, userID string, since time.Time, kinds ...string) (bool, error) {
	return found(ctx, recent(db, userID, since).Where("kind IN (?)", bun.List(kinds)))
}

// RecentBy is Recent for one kind of event in one way, since a time.
func RecentBy(ctx context.Context, db bun.IDB, userID string, since time.Time, kind, method string) (bool, error) {
	return found(ctx, recent(db, userID, since).Where("kind = ? AND method = ?", kind, method))
}

// CountPeople counts those, of whoever may sign in, whom an event of the kind came about since then; one of them is left out.
func CountPeople(ctx context.Context, db bun.IDB, kind string, since time.Time, but string) (int, error) {
	var count int
	err := db.NewSelect().TableExpr("events AS e").ColumnExpr("count(DISTINCT e.subject_id)").
		Join("JOIN users AS u ON u.id = e.subject_id AND u.disabled_at IS NULL").
		Where("e.kind = ? AND e.id >= ? AND e.subject_id <> ?", kind, database.FirstID(since), but).Scan(ctx, &count)
	if err != nil {
		return 0, fmt.Errorf("count whom %s came about: %w", kind, err)
	}
	return count, nil
}

func recent(db bun.IDB, userID string, since time.Time) *bun.SelectQuery {
	return db.NewSelect().Model((*row)(nil)).
		Where("subject_id = ? AND id >= ?", userID, database.FirstID(since)).Where("result = ?", OK)
}

func found(ctx context.Context, query *bun.SelectQuery) (bool, error) {
	any, err := query.Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for what came lately: %w", err)
	}
	return any, nil
}
