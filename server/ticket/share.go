package ticket

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
)

// A ticket whose address nobody has proved costs a stranger nothing, so there is room for mostStrange of them and no more.
// Once it is full, neighbourhoods share it (web.Neighbourhood): whoever's has clearly less than the one with the most gets
// in, and the oldest ticket of that one gives way; whoever's has as much as any is refused. So
//   - who fills it from a hundred networks keeps themself out, and their neighbours, and nobody else;
//   - to crowd out a single ticket from elsewhere takes as many neighbourhoods as there is room, and hours (ofStrangers).
//
// A shorter life of unproved tickets would do less: who fills the room does so again, and who reads mail in the evening is
// too late. What the support has answered never gives way.
const mostStrange = 1000

// strangers is as the index of migration 0019 says it.
const strangers = "t.kind = 'help' AND NOT t.address_proved AND t.state <> 'solved'"

// giving are those of them that can give way.
const giving = strangers + ` AND t.state IN ('unproved', 'open')
	AND NOT EXISTS (SELECT 1 FROM ticket_messages AS m WHERE m.ticket_id = t.id AND m.author = 'support')`

// roomFor says whether there is room for one more from a neighbourhood, and which ticket has to give way to it; empty where
// none has to.
func roomFor(ctx context.Context, tx database.Tx, neighbourhood string) (room bool, inPlaceOf string, err error) {
	there, err := count(ctx, tx, mostStrange, strangers)
	if err != nil || there < mostStrange {
		return err == nil, "", err
	}
	// One after the other, so that of two the second sees what the first has left.
	if err := budget.Hold(ctx, tx, "room for tickets of strangers", ""); err != nil {
		return false, "", err
	}
	own, err := count(ctx, tx, mostStrange, giving+" AND t.neighbourhood = ?", neighbourhood)
	if err != nil {
		return false, "", err
	}
	var first []struct {
		ID   string
		Held int
	}
	shares := tx.NewSelect().Model((*Ticket)(nil)).ColumnExpr("t.neighbourhood, COUNT(*) AS held").Where(giving).GroupExpr("t.neighbourhood")
	err = tx.NewSelect().Model((*Ticket)(nil)).ColumnExpr("t.id, s.held").Join("JOIN (?) AS s ON s.neighbourhood = t.neighbourhood", shares).
		Where(giving).OrderExpr("s.held DESC, t.created_at, t.id").Limit(1).Scan(ctx, &first)
	if err != nil {
		return false, "", fmt.Errorf("look which ticket gives way: %w", err)
	}
	if len(first) == 0 || own > 0 && own+1 >= first[0].Held {
		return false, "", nil
	}
	return true, first[0].ID, nil
}

// fileInPlaceOf files a stranger's ticket where another one gives way. One that is proved, or answered, at this very moment
// stays; then there is one too many.
func fileInPlaceOf(ctx context.Context, tx database.Tx, other string, filed *Ticket, body string) error {
	if other != "" {
		_, err := tx.NewDelete().Model((*Ticket)(nil)).Where("id = ? AND NOT address_proved AND state IN ('unproved', 'open')", other).Exec(ctx)
		if err != nil {
			return fmt.Errorf("let a ticket give way: %w", err)
		}
	}
	return File(ctx, tx, filed, body)
}
