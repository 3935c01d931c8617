package forgotten

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// How often may be asked (security.md row 47): for an address, known or not, as often as it may be mailed; from a network
// for as many as forget theirs in a company behind one address, and not for everybody.
const (
	mostForAddress  = 5
	mostFromNetwork = 60
	within          = time.Hour
)

type budget struct {
	bun.BaseModel `bun:"table:password_ask_budgets,alias:b"`

	Key   []byte           `bun:"key,pk"`
	Asks  int              `bun:"asks"`
	Since database.Instant `bun:"since"`
}

var (
	beginBudget = database.Prepare(`INSERT INTO password_ask_budgets (key, asks, since) VALUES (?, 0, 0)
		ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key`)
	// Of a network: as many within an hour from the first.
	countNetwork = database.Prepare(`UPDATE password_ask_budgets SET asks = CASE WHEN since <= ? THEN 1 ELSE asks + 1 END,
		since = CASE WHEN since <= ? THEN ? ELSE since END WHERE key = ? AND (asks < ? OR since <= ?)`)
	// Of an address: as many until none came for an hour, so that no hour, wherever it begins, has more.
	countAddress = database.Prepare(`UPDATE password_ask_budgets SET asks = CASE WHEN since <= ? THEN 1 ELSE asks + 1 END,
		since = ? WHERE key = ? AND (asks < ? OR since <= ?)`)
	readBudget = database.Prepare("SELECT since FROM password_ask_budgets WHERE key = ?")
)

// key names a budget. It is hashed, so that the table holds no addresses that were only tried.
func key(what, of string) []byte {
	sum := sha256.Sum256([]byte(what + "\x00" + of))
	return sum[:]
}

// reserve counts an ask for the address from the network, or says how long to wait. Nothing in it depends on whose address
// it is.
func reserve(ctx context.Context, tx database.Tx, address, network string) (wait time.Duration, err error) {
	now, old := int64(database.At(tx.Now)), int64(database.At(tx.Now.Add(-within)))
	of := key("network", network)
	wait, err = count(ctx, tx, of, countNetwork, old, old, now, of, mostFromNetwork, old)
	if err != nil || wait > 0 {
		return wait, err
	}
	of = key("address", address)
	return count(ctx, tx, of, countAddress, old, now, of, mostForAddress, old)
}

func count(ctx context.Context, tx database.Tx, of []byte, by *database.Statement, args ...any) (wait time.Duration, err error) {
	// Writing the row that is there holds it, so that those who ask at once come one after the other.
	if _, err := beginBudget.Exec(ctx, tx, of); err != nil {
		return 0, fmt.Errorf("count an ask: %w", err)
	}
	counted, err := database.Touched(by.Exec(ctx, tx, args...))
	if err != nil {
		return 0, fmt.Errorf("count an ask: %w", err)
	}
	if counted == 1 {
		return 0, nil
	}
	var since database.Instant
	if err := readBudget.Scan(ctx, tx, database.Args{of}, &since); err != nil {
		return 0, fmt.Errorf("read the asks: %w", err)
	}
	return since.Time().Add(within).Sub(tx.Now), nil
}

func pruneBudgets(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*budget)(nil)).Where("since <= ?", database.At(tx.Now.Add(-within))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune the asks: %w", err)
	}
	return nil
}
