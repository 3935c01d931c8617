package ticket

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Page is where whoever wrote a ticket reads it.
const Page = "/help/ticket"

// keySymbols is the length of a key: 150 bits, in symbols that one can read out and type.
const keySymbols = 30

// newKey draws a key, such as 7KQ2M-XW4TD-…
func newKey(random io.Reader) (string, error) {
	var drawn [20]byte
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return "", fmt.Errorf("draw the key of a ticket: %w", err)
	}
	var key strings.Builder
	for n, symbol := range symbols.EncodeToString(drawn[:])[:keySymbols] {
		if n > 0 && n%5 == 0 {
			key.WriteByte('-')
		}
		key.WriteRune(symbol)
	}
	return key.String(), nil
}

// plain is what was typed of a key or a reference, without what readers put in: dashes, spaces, small letters, and the
// letters that are no symbols but look like one.
func plain(typed string) string {
	return strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(typed)))
}

// hashOf is what is kept of a key; nil where what was typed can be none.
func hashOf(typed string) []byte {
	key := plain(typed)
	if len(key) != keySymbols {
		return nil
	}
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// referenceOf is a reference as it is kept.
func referenceOf(typed string) string {
	reference := plain(typed)
	if len(reference) != 10 {
		return ""
	}
	return reference[:5] + "-" + reference[5:]
}

// link opens a ticket by its key. Both stand in the fragment, which no server and no log gets to see.
func link(reference, key string) string { return Page + "#token=" + key + "&reference=" + reference }

// byKey finds the ticket that a key opens.
func byKey(ctx context.Context, db bun.IDB, reference, key string) (*Ticket, error) {
	hash := hashOf(key)
	if hash == nil {
		return nil, ErrNoTicket
	}
	return one(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("t.reference = ?", referenceOf(reference)).
			Where("(t.key_hash = ? OR EXISTS (SELECT 1 FROM ticket_keys AS k WHERE k.key_hash = ? AND k.ticket_id = t.id))", hash, hash)
	})
}

// ofUser finds somebody's own ticket.
func ofUser(ctx context.Context, db bun.IDB, userID, reference string) (*Ticket, error) {
	return one(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("t.reference = ? AND t.user_id = ? AND t.state <> ?", referenceOf(reference), userID, Unproved)
	})
}

func one(ctx context.Context, db bun.IDB, where func(*bun.SelectQuery) *bun.SelectQuery) (*Ticket, error) {
	found := new(Ticket)
	err := where(db.NewSelect().Model(found)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoTicket
	}
	if err != nil {
		return nil, fmt.Errorf("find a ticket: %w", err)
	}
	return found, nil
}

// VoidKeys ends every key of the person's tickets: they were mailed to an address that is not theirs any more. Signed in,
// they read their tickets all the same.
func VoidKeys(ctx context.Context, tx database.Tx, userID string) error {
	_, err := tx.NewDelete().Model((*keyRow)(nil)).Where("ticket_id IN (SELECT id FROM tickets WHERE user_id = ?)", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("void the keys of somebody's tickets: %w", err)
	}
	if _, err := tx.NewUpdate().Model((*Ticket)(nil)).Set("key_hash = NULL").Where("user_id = ? AND key_hash IS NOT NULL", userID).Exec(ctx); err != nil {
		return fmt.Errorf("void the keys of somebody's tickets: %w", err)
	}
	return nil
}

type keyRow struct {
	bun.BaseModel `bun:"table:ticket_keys"`

	KeyHash   []byte           `bun:"key_hash,pk"`
	TicketID  string           `bun:"ticket_id"`
	CreatedAt database.Instant `bun:"created_at"`
}

// addKey lets one more key open a ticket.
func addKey(ctx context.Context, tx database.Tx, ticketID, key string) error {
	added := &keyRow{KeyHash: hashOf(key), TicketID: ticketID, CreatedAt: database.At(tx.Now)}
	if _, err := tx.NewInsert().Model(added).Exec(ctx); err != nil {
		return fmt.Errorf("add a key to a ticket: %w", err)
	}
	return nil
}
