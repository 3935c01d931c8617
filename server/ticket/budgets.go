package ticket

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// How much one may write (security.md row 47). Whoever is signed in is counted by their account, everybody else by their
// network. What a mailbox is sent is bounded by how many tickets wait for it, and by the outbox.
const (
	ticketsAnHour  = 10
	messagesAnHour = 30
	within         = time.Hour

	mostOpen     = 10   // that are not solved, of one person
	mostUnproved = 3    // that wait for one address
	mostStrange  = 1000 // whose address nobody has proved, of all
	mostMessages = 200  // in a ticket
)

type budget struct {
	bun.BaseModel `bun:"table:ticket_budgets,alias:b"`

	Key   []byte           `bun:"key,pk"`
	Spent int              `bun:"spent"`
	Since database.Instant `bun:"since"`
}

var (
	beginBudget = database.Prepare(`INSERT INTO ticket_budgets (key, spent, since) VALUES (?, 0, 0)
		ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key`)
	spendBudget = database.Prepare(`UPDATE ticket_budgets SET spent = CASE WHEN since <= ? THEN 1 ELSE spent + 1 END,
		since = CASE WHEN since <= ? THEN ? ELSE since END WHERE key = ? AND (spent < ? OR since <= ?)`)
	readBudget = database.Prepare("SELECT since FROM ticket_budgets WHERE key = ?")
)

// keyOf names a budget. It is hashed, so that the table holds no addresses.
func keyOf(what, of string) []byte {
	sum := sha256.Sum256([]byte(what + "\x00" + of))
	return sum[:]
}

// hold keeps everybody else who counts the same away until the transaction ends.
func hold(ctx context.Context, tx database.Tx, key []byte) error {
	if _, err := beginBudget.Exec(ctx, tx, key); err != nil {
		return fmt.Errorf("hold what tickets may cost: %w", err)
	}
	return nil
}

// spend takes one of a budget, or says how long there is none.
func spend(ctx context.Context, tx database.Tx, key []byte, most int) (wait time.Duration, err error) {
	if err := hold(ctx, tx, key); err != nil {
		return 0, err
	}
	now, old := int64(database.At(tx.Now)), int64(database.At(tx.Now.Add(-within)))
	spent, err := database.Touched(spendBudget.Exec(ctx, tx, old, old, now, key, most, old))
	if err != nil {
		return 0, fmt.Errorf("count what is written: %w", err)
	}
	if spent == 1 {
		return 0, nil
	}
	var since database.Instant
	if err := readBudget.Scan(ctx, tx, database.Args{key}, &since); err != nil {
		return 0, fmt.Errorf("read what was written: %w", err)
	}
	return since.Time().Add(within).Sub(tx.Now), nil
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
