package ticket

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// FirstMessage is what the person wrote as they filed a ticket; empty where they wrote nothing.
func FirstMessage(ctx context.Context, db bun.IDB, id string) (string, error) {
	var bodies []string
	err := db.NewSelect().Model((*Message)(nil)).Column("body").Where("ticket_id = ? AND author = ?", id, Person).
		OrderExpr("id").Limit(1).Scan(ctx, &bodies)
	if err != nil {
		return "", fmt.Errorf("read what a ticket says: %w", err)
	}
	if len(bodies) == 0 {
		return "", nil
	}
	return bodies[0], nil
}

// OthersOf are a person's tickets besides one, the newest first, as far as the support sees them.
func OthersOf(ctx context.Context, db bun.IDB, userID, besides string, most int64) ([]Ticket, error) {
	var found []Ticket
	err := db.NewSelect().Model(&found).Where("t.user_id = ? AND t.id <> ? AND t.state <> ?", userID, besides, Unproved).
		OrderExpr("t.id DESC").Limit(most).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the tickets of a person: %w", err)
	}
	return found, nil
}
