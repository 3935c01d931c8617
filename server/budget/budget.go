// Package budget counts what anybody may cause without being known: so often within an hour, of a network, an address or an
// account (security.md row 47).
//
// Invariants:
//   - what is counted stands in the database and nowhere else: several instances count as one, and a restart forgets nothing
//     (rows 44 and 80);
//   - whoever spends of a budget holds it until the transaction ends, so that those who come at once come one after the other;
//   - whose a budget is, is hashed: the table names no address that was only tried.
package budget

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Within is the time that every budget is for.
const Within = time.Hour

// Budget is how often something may be done. What it is for is its name, and no two have the same.
type Budget struct {
	Of   string
	Most int
	// FromLast lets the time begin anew with each that is taken, so that no hour, wherever it begins, has more. Else it begins
	// with the first, so that whoever goes on and on has some again after an hour.
	FromLast bool
}

type row struct {
	bun.BaseModel `bun:"table:budgets,alias:b"`

	Key   []byte           `bun:"key,pk"`
	Spent int              `bun:"spent"`
	Since database.Instant `bun:"since"`
}

var (
	begin = database.Prepare(`INSERT INTO budgets (key, spent, since) VALUES (?, 0, 0)
		ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key`)
	fromFirst = database.Prepare(`UPDATE budgets SET spent = CASE WHEN since <= ? THEN 1 ELSE spent + 1 END,
		since = CASE WHEN since <= ? THEN ? ELSE since END WHERE key = ? AND (spent < ? OR since <= ?)`)
	fromLast = database.Prepare(`UPDATE budgets SET spent = CASE WHEN since <= ? THEN 1 ELSE spent + 1 END,
		since = ? WHERE key = ? AND (spent < ? OR since <= ?)`)
	begun = database.Prepare("SELECT since FROM budgets WHERE key = ?")
)

func keyOf(what, whose string) []byte {
	sum := sha256.Sum256([]byte(what + "\x00" + whose))
	return sum[:]
}

// Hold keeps everybody else who holds the same away until the transaction ends, and takes nothing.
func Hold(ctx context.Context, tx database.Tx, what, whose string) error {
	return hold(ctx, tx, keyOf(what, whose))
}

// hold writes the row, which is there afterwards.
func hold(ctx context.Context, tx database.Tx, key []byte) error {
	if _, err := begin.Exec(ctx, tx, key); err != nil {
		return fmt.Errorf("hold a budget: %w", err)
	}
	return nil
}

// Spend takes one of somebody's budget, or says how long there is none.
func (b Budget) Spend(ctx context.Context, tx database.Tx, whose string) (wait time.Duration, err error) {
	key := keyOf(b.Of, whose)
	if err := hold(ctx, tx, key); err != nil {
		return 0, err
	}
	now, old := int64(database.At(tx.Now)), int64(database.At(tx.Now.Add(-Within)))
	by, args := fromFirst, []any{old, old, now, key, b.Most, old}
	if b.FromLast {
		by, args = fromLast, []any{old, now, key, b.Most, old}
	}
	spent, err := database.Touched(by.Exec(ctx, tx, args...))
	if err != nil {
		return 0, fmt.Errorf("spend of a budget: %w", err)
	}
	if spent == 1 {
		return 0, nil
	}
	var since database.Instant
	if err := begun.Scan(ctx, tx, database.Args{key}, &since); err != nil {
		return 0, fmt.Errorf("read a budget: %w", err)
	}
	return since.Time().Add(Within).Sub(tx.Now), nil
}

// Prune forgets what is counted no more.
func Prune(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*row)(nil)).Where("since <= ?", database.At(tx.Now.Add(-Within))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune budgets: %w", err)
	}
	return nil
}
