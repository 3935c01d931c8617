package ticket

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// Own names a ticket to whoever wrote it: by its key, or, of whoever is signed in, by its reference alone.
type Own struct{ Reference, Key string }

// Thread is a ticket with what was written, the first first.
type Thread struct {
	*Ticket
	Messages []Message
}

// mostListed is how many tickets of one's own are listed, the newest.
const mostListed = 50

// Mine are the tickets of whoever is signed in.
func (t *Tickets) Mine(ctx context.Context, caller web.Caller) ([]Ticket, error) {
	list := []Ticket{}
	err := t.Database.Read().NewSelect().Model(&list).Where("t.user_id = ? AND t.state <> ?", caller.Session.UserID, Unproved).
		OrderExpr("t.id DESC").Limit(mostListed).Scan(ctx)
	return list, wrapped("list somebody's tickets", err)
}

// Read opens a ticket for whoever wrote it. One whose address waits to be proved is shown as it is: somebody else may have
// written it, and whoever reads the mailbox is to see what that says before they say that it is theirs.
func (t *Tickets) Read(ctx context.Context, caller web.Caller, own Own) (*Thread, error) {
	return t.again(ctx, caller, own)
}

// Prove is the word of whoever reads the mailbox that they wrote it: from then on the support sees it.
func (t *Tickets) Prove(ctx context.Context, caller web.Caller, own Own) (*Thread, error) {
	err := t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := t.find(ctx, tx, caller, own)
		if err != nil || found.State != Unproved {
			return err
		}
		return t.prove(ctx, tx, caller, found)
	})
	if err != nil {
		return nil, err
	}
	return t.again(ctx, caller, own)
}

// Discard is their word that somebody else did: it is gone, and nobody has read it.
func (t *Tickets) Discard(ctx context.Context, caller web.Caller, own Own) error {
	return t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := t.find(ctx, tx, caller, own)
		if err != nil {
			return err
		}
		gone, err := database.Touched(tx.NewDelete().Model((*Ticket)(nil)).Where("id = ? AND kind = ? AND state = ?", found.ID, Help, Unproved).Exec(ctx))
		if err == nil && gone == 0 {
			return ErrProved
		}
		return wrapped("throw a ticket away", err)
	})
}

// Reply adds what its person writes, and makes it the support's turn.
func (t *Tickets) Reply(ctx context.Context, caller web.Caller, own Own, text string) (*Thread, error) {
	text = tidy(text)
	if fields := checkText(text); len(fields) > 0 {
		return nil, account.ErrInvalid.For(fields...)
	}
	var refused error
	err := t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		refused, err = t.reply(ctx, tx, caller, own, text)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return t.again(ctx, caller, own)
}

func (t *Tickets) reply(ctx context.Context, tx database.Tx, caller web.Caller, own Own, text string) (refused, err error) {
	found, err := t.find(ctx, tx, caller, own)
	if err != nil {
		return nil, err
	}
	if found.State == Unproved {
		return nil, ErrNoTicket // whoever reads the mailbox has to say first that it is theirs
	}
	if err := budget.Hold(ctx, tx, "messages of a ticket", found.ID); err != nil {
		return nil, err
	}
	if found, err = t.find(ctx, tx, caller, own); err != nil { // as it is now that nobody else writes into it
		return nil, err
	}
	before, err := last(ctx, tx, found.ID)
	if err != nil {
		return nil, err
	}
	if found.State == Open && before != nil && before.Author == Person && before.Body == text {
		return nil, nil // the form was sent twice
	}
	counted, whose := messagesOfNetwork, caller.Network
	if caller.Session != nil {
		counted, whose = messagesOfAccount, caller.Session.UserID
	}
	wait, err := counted.Spend(ctx, tx, whose)
	if err != nil || wait > 0 {
		return ErrTooManyMessages.After(wait), err
	}
	from := []string{Open}
	if found.Kind == Help {
		from = []string{Open, Waiting, Solved}
	}
	said := &Message{TicketID: found.ID, Author: Person, AuthorID: found.UserID, Body: text}
	if err := add(ctx, tx, said, Open, from...); err != nil {
		return nil, err
	}
	if found.State == Solved {
		if err := audit.Record(ctx, tx, byPerson(caller, found).Is(audit.TicketReopened, audit.OK)); err != nil {
			return nil, err
		}
	}
	return nil, t.tellSupport(ctx, tx, mail.TicketReplied, found.UserID)
}

// Solve is its person's word that nobody has to do anything any more.
func (t *Tickets) Solve(ctx context.Context, caller web.Caller, own Own) (*Thread, error) {
	err := t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := t.find(ctx, tx, caller, own)
		if err != nil {
			return err
		}
		if found.Kind != Help {
			return ErrRecovery
		}
		moved, err := Move(ctx, tx, found.ID, Solved, Open, Waiting)
		if err != nil || !moved {
			return err
		}
		return audit.Record(ctx, tx, byPerson(caller, found).Is(audit.TicketSolved, audit.OK))
	})
	if err != nil {
		return nil, err
	}
	return t.again(ctx, caller, own)
}

// find finds a ticket for whoever wrote it; ErrNoTicket for everybody else, whether there is one or not.
func (t *Tickets) find(ctx context.Context, db bun.IDB, caller web.Caller, own Own) (*Ticket, error) {
	if own.Key == "" {
		if caller.Session == nil {
			return nil, ErrNoTicket
		}
		return ofUser(ctx, db, caller.Session.UserID, own.Reference)
	}
	found, err := byKey(ctx, db, own.Reference, own.Key)
	if err != nil {
		return nil, err
	}
	if found.State == Unproved && (found.Kind != Help || !t.Now().Before(found.ExpiresAt.Time())) {
		return nil, ErrNoTicket
	}
	return found, nil
}

// again reads a ticket as it is now.
func (t *Tickets) again(ctx context.Context, caller web.Caller, own Own) (*Thread, error) {
	found, err := t.find(ctx, t.Database.Read(), caller, own)
	if err != nil {
		return nil, err
	}
	return thread(ctx, t.Database.Read(), found)
}

func thread(ctx context.Context, db bun.IDB, of *Ticket) (*Thread, error) {
	read := &Thread{Ticket: of, Messages: []Message{}}
	err := db.NewSelect().Model(&read.Messages).Where("m.ticket_id = ?", of.ID).OrderExpr("m.id").Limit(mostMessages).Scan(ctx)
	return read, wrapped("read a ticket", err)
}

func last(ctx context.Context, db bun.IDB, ticketID string) (*Message, error) {
	var newest []Message
	err := db.NewSelect().Model(&newest).Where("m.ticket_id = ?", ticketID).OrderExpr("m.id DESC").Limit(1).Scan(ctx)
	if err != nil || len(newest) == 0 {
		return nil, wrapped("read a ticket", err)
	}
	return &newest[0], nil
}

// add writes into a ticket that is in one of these states, and moves it. A recovery ticket stays in its state: that is
// its recovery's.
func add(ctx context.Context, tx database.Tx, said *Message, to string, from ...string) error {
	moved, err := Move(ctx, tx, said.TicketID, to, from...)
	if err != nil {
		return err
	}
	if !moved {
		return ErrSolved
	}
	written, err := tx.NewSelect().Model((*Message)(nil)).Where("m.ticket_id = ?", said.TicketID).Count(ctx)
	if err != nil {
		return wrapped("count messages", err)
	}
	if written >= mostMessages {
		return ErrThreadFull
	}
	return write(ctx, tx, said)
}

// byPerson begins an event about a ticket, by whoever wrote it. It names the ticket by its reference, which opens nothing.
func byPerson(caller web.Caller, of *Ticket) audit.Event {
	event := audit.By(caller).About(of.UserID)
	if event.Actor == "" { // by its key
		event.Actor = of.UserID
	}
	event.Data = map[string]any{"reference": of.Reference}
	return event
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
