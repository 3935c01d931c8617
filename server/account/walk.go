package account

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// DueWithin is how near a deadline has to be for ProtectionDue.
const DueWithin = 7 * 24 * time.Hour

// Span is a part of everybody in the order of their ids, which is that in which they came: who comes after one person,
// up to another.
type Span struct {
	After, UpTo string
	Most        int
}

// Walk reads those of a span who match, in the order of their ids, as far as a requirement depends on them: for work
// that goes through many people a few at a time, where the sort and the cursor of a page have no part.
func Walk(ctx context.Context, db bun.IDB, now database.Instant, query Query, span Span) ([]User, error) {
	var err error
	if query.among, err = elsewhere(ctx, db, now, query.Protection); err != nil {
		return nil, err
	}
	if query.among != nil && len(query.among) == 0 {
		return nil, nil
	}
	var people []User
	walked := needed(db.NewSelect().Model(&people)).Where("u.id > ? AND u.id <= ?", span.After, span.UpTo)
	err = having(filter(walked, now, query), newSearch(query.Text).words).OrderExpr("u.id").Limit(int64(span.Most)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("walk through people: %w", err)
	}
	return people, nil
}

// Chosen reads those of the ids who are of the account, as Walk reads them.
func Chosen(ctx context.Context, db bun.IDB, ids []string) ([]User, error) {
	var people []User
	if len(ids) == 0 {
		return people, nil
	}
	if err := needed(db.NewSelect().Model(&people)).Where("u.id IN ?", bun.Tuple(ids)).OrderExpr("u.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the people who were chosen: %w", err)
	}
	return people, nil
}

func needed(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Column("id", "role", "password_hash", "requirement", "deadline", "disabled_at", "mfa_since", "reset_at")
}

// LastID is the id of whoever came last.
func LastID(ctx context.Context, db bun.IDB) (string, error) {
	var last []string
	if err := db.NewSelect().Model((*User)(nil)).Column("id").OrderExpr("id DESC").Limit(1).Scan(ctx, &last); err != nil {
		return "", fmt.Errorf("who came last: %w", err)
	}
	if len(last) == 0 {
		return "", nil
	}
	return last[0], nil
}
