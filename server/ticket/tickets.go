package ticket

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
)

const (
	// proveWithin is how long a ticket waits for its address to be proved.
	proveWithin = 24 * time.Hour
	// keepSolved is how long a solved one is kept.
	keepSolved = 365 * 24 * time.Hour
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Mail     *mail.Mail
	// Names are those of the people of the account among the ids.
	Names  func(ctx context.Context, ids []string) (map[string]string, error)
	Now    func() time.Time
	Random io.Reader
}

// Tickets is the room.
type Tickets struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *Tickets { return &Tickets{dependencies} }

// Prune deletes what nobody proved, and what has been solved for long. A recovery ticket goes
// with what it asks for.
func (t *Tickets) Prune(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*Ticket)(nil)).Where("kind = ? AND state = ? AND expires_at <= ?", Help, Unproved, database.At(tx.Now)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune tickets that nobody proved: %w", err)
	}
	_, err = tx.NewDelete().Model((*Ticket)(nil)).
		Where("kind = ? AND state = ? AND updated_at <= ?", Help, Solved, database.At(tx.Now.Add(-keepSolved))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune solved tickets: %w", err)
	}
	return nil
}

// AfterRestore voids every key, and with it what only a key could prove: whoever had one that was taken back after the
// backup was made must not have it again.
func (t *Tickets) AfterRestore(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*keyRow)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("void the keys of tickets: %w", err)
	}
	if _, err := tx.NewUpdate().Model((*Ticket)(nil)).Set("key_hash = NULL").Where("key_hash IS NOT NULL").Exec(ctx); err != nil {
		return fmt.Errorf("void the keys of tickets: %w", err)
	}
	if _, err := tx.NewDelete().Model((*Ticket)(nil)).Where("kind = ? AND state = ?", Help, Unproved).Exec(ctx); err != nil {
		return fmt.Errorf("drop tickets that nobody can prove: %w", err)
	}
	return nil
}
