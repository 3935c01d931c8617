package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// ListedRecovery is how far a request to get back in is: that a ticket is open does not tell whether there is something to do.
type ListedRecovery struct {
	State       string     `json:"state" enum:"proved,approved,done,refused,stopped,cancelled,expired"`
	DecidableAt *time.Time `json:"decidable_at,omitempty" doc:"Nobody decides before; as it was reckoned when the address was proved."`
}

// addRecoveries tells of the requests among the tickets of a page how far they are.
func addRecoveries(ctx context.Context, db bun.IDB, page []ListedTicket) error {
	var ids []string
	for n := range page {
		if page[n].Kind == Recovery {
			ids = append(ids, page[n].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []struct {
		TicketID    string           `bun:"ticket_id"`
		State       string           `bun:"state"`
		DecidableAt database.Instant `bun:"decidable_at"`
	}
	err := db.NewSelect().TableExpr("recoveries").ColumnExpr("ticket_id, state, COALESCE(decidable_at, 0) AS decidable_at").
		Where("ticket_id IN (?)", bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return wrapped("read how far requests to get back in are", err)
	}
	for n := range page {
		for _, row := range rows {
			if row.TicketID != page[n].ID {
				continue
			}
			page[n].Recovery = &ListedRecovery{State: row.State}
			if !row.DecidableAt.IsZero() {
				at := row.DecidableAt.Time()
				page[n].Recovery.DecidableAt = &at
			}
		}
	}
	return nil
}
