package ticket

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
)

// How much one may write (security.md row 47). Whoever is signed in is counted by their account, everybody else by their
// network. What a mailbox is sent is bounded by how many tickets wait for it, and by the outbox.
var (
	ofAccount         = budget.Budget{Of: "tickets of an account", Most: 10}
	ofNetwork         = budget.Budget{Of: "tickets of a network", Most: 10}
	messagesOfAccount = budget.Budget{Of: "messages of an account", Most: 30}
	messagesOfNetwork = budget.Budget{Of: "messages of a network", Most: 30}
)

const (
	mostOpen     = 10   // that are not solved, of one person
	mostUnproved = 3    // that wait for one address
	mostStrange  = 1000 // whose address nobody has proved, of all
	mostMessages = 200  // in a ticket
)

// holdAddress keeps everybody else away who writes for an address, or proves it, until the transaction ends.
func holdAddress(ctx context.Context, tx database.Tx, emailKey string) error {
	return budget.Hold(ctx, tx, "tickets of an address", emailKey)
}

// count counts tickets, up to a limit.
func count(ctx context.Context, tx database.Tx, most int, where string, args ...any) (int, error) {
	found := tx.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1 AS one").Where(where, args...).Limit(int64(most))
	counted, err := tx.NewSelect().TableExpr("(?) AS counted", found).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count tickets: %w", err)
	}
	return int(counted), nil
}

// strangers is as the index of migration 0019 says it.
const strangers = "t.kind = 'help' AND NOT t.address_proved AND t.state <> 'solved'"

// tooManyOpen reports whether somebody has as many tickets open as one can: of an account, or of an address that was proved.
func tooManyOpen(ctx context.Context, tx database.Tx, userID, emailKey string) (bool, error) {
	where, of := "t.user_id = ?", userID
	if userID == "" {
		where, of = "t.email_key = ? AND t.user_id IS NULL AND t.address_proved", emailKey
	}
	open, err := count(ctx, tx, mostOpen, where+" AND t.kind = 'help' AND t.state IN ('open', 'waiting')", of)
	return open >= mostOpen, err
}
