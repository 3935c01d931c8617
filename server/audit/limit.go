package audit

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// ErrTooManyChanges refuses what a person has done too often lately, and says when it works again.
var ErrTooManyChanges = problem.New(http.StatusTooManyRequests, "too_many_changes", "This was done too often within an hour. Wait, then try again.")

// Limit is how often a person may do what leaves an event, so that whoever holds a stolen session can neither keep the
// owner out nor bury the traces of it (security.md rows 45 and 47). The events themselves are counted: what left none
// costs nothing. The count is exact where the transaction holds the person (account.Hold).
type Limit struct {
	Kind   string
	Reason string // empty: whatever the reason
	Most   int
	Within time.Duration
	// Anew are kinds of events of the person after which the count begins anew.
	Anew []string
}

// Refuse refuses whoever is at the limit until the first of the events that are counted is old enough.
func (l Limit) Refuse(ctx context.Context, tx database.Tx, userID string) error {
	wait, err := l.Wait(ctx, tx, userID)
	if err != nil || wait == 0 {
		return err
	}
	return ErrTooManyChanges.After(wait)
}

// RefuseAll refuses everybody where the account as a whole is at the limit. The count is exact where the transaction holds
// the installation.
func (l Limit) RefuseAll(ctx context.Context, tx database.Tx) error {
	wait, err := l.waitFor(ctx, tx, func(query *bun.SelectQuery) *bun.SelectQuery { return query })
	if err != nil || wait == 0 {
		return err
	}
	return ErrTooManyChanges.After(wait)
}

// AskProof asks a caller who is at the limit for fresh proof, which a stolen cookie alone does not give.
func (l Limit) AskProof(ctx context.Context, tx database.Tx, caller web.Caller) error {
	if caller.Session.Fresh(tx.Now) {
		return nil
	}
	wait, err := l.Wait(ctx, tx, caller.Session.UserID)
	if err != nil || wait == 0 {
		return err
	}
	return web.ErrFreshProofRequired
}

// Wait is how long the person has no room under the limit; zero where there is room. It reads no more than the
// person's events of that time, as ids sort by it.
func (l Limit) Wait(ctx context.Context, tx database.Tx, userID string) (time.Duration, error) {
	return l.waitFor(ctx, tx, func(query *bun.SelectQuery) *bun.SelectQuery { return query.Where("subject_id = ?", userID) })
}

func (l Limit) waitFor(ctx context.Context, tx database.Tx, of func(*bun.SelectQuery) *bun.SelectQuery) (time.Duration, error) {
	after := tx.Now.Add(-l.Within)
	var anew []string
	if len(l.Anew) > 0 {
		query := of(tx.NewSelect().Model((*row)(nil)).Column("id")).
			Where("id >= ?", database.FirstID(after.Add(time.Millisecond))).Where("kind IN (?) AND result = ?", bun.List(l.Anew), OK)
		if err := query.OrderExpr("id DESC").Limit(1).Scan(ctx, &anew); err != nil {
			return 0, fmt.Errorf("look since when events of %s count: %w", l.Kind, err)
		}
	}
	var at []database.Instant
	query := of(tx.NewSelect().Model((*row)(nil)).Column("at")).
		Where("id >= ?", database.FirstID(after.Add(time.Millisecond))).Where("kind = ?", l.Kind)
	if len(anew) > 0 {
		query = query.Where("id > ?", anew[0])
	}
	if l.Reason != "" {
		query = query.Where("reason = ?", l.Reason)
	}
	if err := query.OrderExpr("id DESC").Offset(int64(l.Most-1)).Limit(1).Scan(ctx, &at); err != nil {
		return 0, fmt.Errorf("count events of %s: %w", l.Kind, err)
	}
	if len(at) == 0 {
		return 0, nil
	}
	return at[0].Time().Sub(after), nil
}
