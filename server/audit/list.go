package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"
)

// IsAbout reports whether an event is about this person.
func IsAbout(ctx context.Context, db bun.IDB, eventID, userID string) (bool, error) {
	found, err := db.NewSelect().Model((*row)(nil)).Where("id = ? AND subject_id = ?", eventID, userID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an event: %w", err)
	}
	return found, nil
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
