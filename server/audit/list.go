package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// IsAbout reports whether an event is about this person.
func IsAbout(ctx context.Context, db bun.IDB, eventID, userID string) (bool, error) {
	found, err := db.NewSelect().Model((*row)(nil)).Where("id = ? AND subject_id = ?", eventID, userID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an event: %w", err)
	}
	return found, nil
}

// SignInAt answers when a sign-in of this person's was; false where the event is no such sign-in.
func SignInAt(ctx context.Context, db bun.IDB, eventID, userID string) (time.Time, bool, error) {
	var at []database.Instant
	err := db.NewSelect().Model((*row)(nil)).Column("at").
		Where("id = ? AND subject_id = ? AND kind = ? AND result = ?", eventID, userID, SignInCompleted, OK).Scan(ctx, &at)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("look for a sign-in: %w", err)
	}
	if len(at) == 0 {
		return time.Time{}, false, nil
	}
	return at[0].Time(), true, nil
}

// told leaves out what a person need not read: a step whose completion has an event of its own, and a sign-in that was
// begun and left.
const told = "NOT (kind IN (?, ?, ?) AND result = ?) AND kind <> ?"

// about reads the events about a person, the newest first, from before the one with the id given (empty: from the
// newest). One more than the limit tells that there are older ones.
func about(ctx context.Context, db bun.IDB, userID, before string, limit int) ([]row, error) {
	var rows []row
	query := db.NewSelect().Model(&rows).Where("subject_id = ?", userID).
		Where(told, SignInPassword, SignInSecondStep, SignInLink, OK, SignInAbandoned)
	if before != "" {
		query = query.Where("id < ?", before)
	}
	if err := query.OrderExpr("id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return rows, nil
}

func (r *row) facts() (map[string]any, error) {
	if r.Data == "" {
		return nil, nil
	}
	var facts map[string]any
	if err := json.Unmarshal([]byte(r.Data), &facts); err != nil {
		return nil, fmt.Errorf("read the facts of event %s: %w", r.ID, err)
	}
	return facts, nil
}
