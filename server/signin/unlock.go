package signin

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Blocked says that no code of the person's is looked at for now, because too many were wrong.
type Blocked struct {
	Locked bool       `json:"locked" doc:"Until somebody unlocks them, or a security key is given."`
	Until  *time.Time `json:"until" doc:"Where they are only delayed: until when."`
}

// CodesBlocked reads whether codes are delayed or locked; nil where they are not.
func CodesBlocked(ctx context.Context, db bun.IDB, userID string, now time.Time) (*Blocked, error) {
	tries, err := readCodeTries(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	why := tries.refusal(now)
	switch {
	case why == nil:
		return nil, nil
	case why.Locked:
		return &Blocked{Locked: true}, nil
	}
	until := tries.BlockedUntil.Time()
	return &Blocked{Until: &until}, nil
}

// Unlock forgets the wrong codes of somebody whose codes are delayed or locked; false where they are neither.
func Unlock(ctx context.Context, tx database.Tx, userID string) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*codeTries)(nil)).
		Where("user_id = ? AND (locked_at IS NOT NULL OR blocked_until > ?)", userID, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("unlock codes: %w", err)
	}
	return touched == 1, nil
}
