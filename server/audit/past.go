package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// mostPast bounds what is read of one person's past.
const mostPast = 2000

// PastEvent is what is to know of an event that came about somebody.
type PastEvent struct {
	Kind, Result, Method, Address string
	At                            time.Time
}

// Past are the events of these kinds about a person since then, the newest first and not without end.
func Past(ctx context.Context, db bun.IDB, userID string, since time.Time, kinds ...string) ([]PastEvent, error) {
	var rows []row
	err := db.NewSelect().Model(&rows).Column("kind", "result", "method", "address", "at").
		Where("subject_id = ? AND id >= ? AND kind IN (?)", userID, database.FirstID(since), bun.List(kinds)).
		OrderExpr("id DESC").Limit(mostPast).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what came about somebody: %w", err)
	}
	past := make([]PastEvent, len(rows))
	for n, one := range rows {
		past[n] = PastEvent{Kind: one.Kind, Result: one.Result, Method: one.Method, Address: one.Address, At: one.At.Time()}
	}
	return past, nil
}
