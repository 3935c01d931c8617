// Package ticket keeps requests for help: who asks, what they write, what the support answers, and how far it is.
//
// Invariants:
//   - nobody of the support sees a ticket before its address is proved, or its person was signed in (Unproved); a request
//     to get back in that has ended is history, and shown, whether it was proved or not;
//   - whoever wrote one without signing in reads it with its key alone, of which only the SHA-256 is stored. The reference
//     opens nothing: it names a ticket to a human;
//   - what people write is plain text, and stays that everywhere (security.md row 74).
//
// A recovery ticket is a ticket that asks to get back in. What it has besides is room recovery's.
package ticket

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// Kinds of a ticket.
const (
	Help     = "help"
	Recovery = "recovery"
)

// States of a ticket.
const (
	Unproved = "unproved" // nobody of the support sees it yet
	Open     = "open"     // the support's turn
	Waiting  = "waiting"  // the person's turn
	Solved   = "solved"
)

// Ticket is one request for help.
type Ticket struct {
	bun.BaseModel `bun:"table:tickets,alias:t"`

	ID        string           `bun:"id,pk"`
	Reference string           `bun:"reference"`
	Kind      string           `bun:"kind"`
	UserID    string           `bun:"user_id,nullzero"`
	Name      string           `bun:"name"`
	Email     string           `bun:"email"`
	EmailKey  string           `bun:"email_key"`
	Subject   string           `bun:"subject"`
	State     string           `bun:"state"`
	KeyHash   []byte           `bun:"key_hash,nullzero"`
	Browser   string           `bun:"browser"`
	Address   string           `bun:"address"`
	CreatedAt database.Instant `bun:"created_at"`
	UpdatedAt database.Instant `bun:"updated_at"`
	ExpiresAt database.Instant `bun:"expires_at,nullzero"`

	AddressProved bool   `bun:"address_proved"`
	Search        string `bun:"search"` // set by File
	Neighbourhood string `bun:"neighbourhood"`
}

// Message is what one side wrote.
type Message struct {
	bun.BaseModel `bun:"table:ticket_messages,alias:m"`

	ID       string           `bun:"id,pk"`
	TicketID string           `bun:"ticket_id"`
	Author   string           `bun:"author"`
	AuthorID string           `bun:"author_id"`
	At       database.Instant `bun:"at"`
	Body     string           `bun:"body"`
}

// Lines are what was written, line by line.
func (m *Message) Lines() []string { return strings.Split(m.Body, "\n") }

// Who writes.
const (
	Person  = "person"
	Support = "support"
)

// symbols are Crockford's Base32: none is taken for another when it is read out.
var symbols = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewReference draws a reference of 50 bits, such as 7KQ2M-XW4TD.
func NewReference(random io.Reader) (string, error) {
	var drawn [8]byte
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return "", fmt.Errorf("draw a reference: %w", err)
	}
	text := symbols.EncodeToString(drawn[:])
	return text[:5] + "-" + text[5:10], nil
}

// File puts a new ticket on record, with what its person wrote where that is something. ID and times are the transaction's.
func File(ctx context.Context, tx database.Tx, filed *Ticket, body string) error {
	filed.ID = tx.NewID()
	filed.CreatedAt, filed.UpdatedAt = database.At(tx.Now), database.At(tx.Now)
	filed.Search = filed.searched()
	if _, err := tx.NewInsert().Model(filed).Exec(ctx); err != nil {
		return fmt.Errorf("file a ticket: %w", err)
	}
	if body == "" {
		return nil
	}
	return write(ctx, tx, &Message{TicketID: filed.ID, Author: Person, AuthorID: filed.UserID, Body: body})
}

// searched is what a ticket is found by.
func (t *Ticket) searched() string {
	return account.Folded(strings.Join([]string{t.Reference, plain(t.Reference), t.Name, t.Email, t.Subject}, " "))
}

func write(ctx context.Context, tx database.Tx, said *Message) error {
	said.ID, said.At = tx.NewID(), database.At(tx.Now)
	if _, err := tx.NewInsert().Model(said).Exec(ctx); err != nil {
		return fmt.Errorf("write into a ticket: %w", err)
	}
	return nil
}

// Prove shows a ticket to the support whose person has proved that its address is theirs.
func Prove(ctx context.Context, tx database.Tx, id string) error {
	if _, err := tx.NewUpdate().Model((*Ticket)(nil)).Set("address_proved = ?", true).Where("id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("prove a ticket: %w", err)
	}
	_, err := Move(ctx, tx, id, Open, Unproved)
	return err
}

// Move puts a ticket into another state, where it is in one of these; false where it is not, or there is none.
func Move(ctx context.Context, tx database.Tx, id, to string, from ...string) (bool, error) {
	moved, err := database.Touched(tx.NewUpdate().Model((*Ticket)(nil)).
		Set("state = ?", to).Set("updated_at = ?", database.At(tx.Now)).Set("expires_at = NULL").
		Where("id = ? AND state IN (?)", id, bun.List(from)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("move a ticket: %w", err)
	}
	return moved == 1, nil
}
