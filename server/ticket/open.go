package ticket

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// Asked is what somebody writes to the support. Of whoever is signed in, name and address are known.
type Asked struct{ Name, Email, Subject, Text string }

// Opened is what whoever wrote is told. A stranger whose address is to be proved is told nothing but that: the answer is
// the same whatever there is of the address.
type Opened struct {
	Reference string
	Key       string // this once, to a stranger where no mail leaves
	ByMail    bool   // a link went to the address, or none had to
}

// Open takes what somebody writes.
func (t *Tickets) Open(ctx context.Context, caller web.Caller, asked Asked) (*Opened, error) {
	asked.Subject, asked.Text = oneLine(asked.Subject), tidy(asked.Text)
	var fields []problem.Field
	if caller.Session == nil {
		asked.Name, asked.Email = strings.TrimSpace(asked.Name), strings.TrimSpace(asked.Email)
		fields = account.CheckIdentity(asked.Name, asked.Email)
	}
	fields = append(append(fields, checkSubject(asked.Subject)...), checkText(asked.Text)...)
	if len(fields) > 0 {
		return nil, account.ErrInvalid.For(fields...)
	}
	reference, err := NewReference(t.Random)
	if err != nil {
		return nil, err
	}
	filed := &Ticket{Reference: reference, Kind: Help, Subject: asked.Subject, Browser: caller.Browser}
	if caller.Address.IsValid() {
		filed.Address, filed.Neighbourhood = caller.Address.String(), web.Neighbourhood(caller.Address)
	}
	opened, refused := &Opened{}, error(nil)
	err = t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		again := *filed // of a transaction that is run again
		if caller.Session != nil {
			opened, refused, err = t.openOwn(ctx, tx, caller, &again, asked)
		} else {
			opened, refused, err = t.openStrange(ctx, tx, caller, &again, asked)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return opened, refused
}

// openOwn takes it from somebody who is signed in. A refusal counts, and is no error.
func (t *Tickets) openOwn(ctx context.Context, tx database.Tx, caller web.Caller, filed *Ticket, asked Asked) (_ *Opened, refused, err error) {
	user, err := account.Hold(ctx, tx, caller.Session.UserID)
	if err != nil {
		return nil, nil, err
	}
	wait, err := ofAccount.Spend(ctx, tx, user.ID)
	if err != nil || wait > 0 {
		return nil, ErrTooManyTickets.After(wait), err
	}
	if many, err := tooManyOpen(ctx, tx, user.ID, ""); err != nil || many {
		return nil, ErrTooManyTickets, err
	}
	filed.UserID, filed.Name, filed.Email, filed.EmailKey = user.ID, user.Name, user.Email, user.EmailKey
	filed.State, filed.AddressProved = Open, true
	if err := File(ctx, tx, filed, asked.Text); err != nil {
		return nil, nil, err
	}
	return &Opened{Reference: filed.Reference, ByMail: true}, nil, t.opened(ctx, tx, caller, filed)
}

// openStrange takes it from a stranger. Nothing in it depends on whether the address is an account's (security.md row 6),
// and nothing that they typed is in the mail to it: it may be somebody else's.
func (t *Tickets) openStrange(ctx context.Context, tx database.Tx, caller web.Caller, filed *Ticket, asked Asked) (_ *Opened, refused, err error) {
	for _, one := range []struct {
		of    budget.Budget
		whose string
	}{{ofNetwork, caller.Network}, {ofNeighbourhood, filed.Neighbourhood}, {ofStrangers, ""}} {
		if wait, err := one.of.Spend(ctx, tx, one.whose); err != nil || wait > 0 {
			return nil, ErrTooManyTickets.After(wait), err
		}
	}
	room, other, err := roomFor(ctx, tx, filed.Neighbourhood)
	if err != nil || !room {
		return nil, ErrTooManyTickets.After(budget.Within), err
	}
	key, err := newKey(t.Random)
	if err != nil {
		return nil, nil, err
	}
	filed.Name, filed.Email, filed.KeyHash, filed.State = asked.Name, asked.Email, hashOf(key), Open
	if filed.EmailKey, err = account.EmailKey(asked.Email); err != nil {
		return nil, account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_invalid"}), nil
	}
	if !t.Mail.Sends() {
		if err := fileInPlaceOf(ctx, tx, other, filed, asked.Text); err != nil {
			return nil, nil, err
		}
		return &Opened{Reference: filed.Reference, Key: key}, nil, t.opened(ctx, tx, caller, filed)
	}
	told := &Opened{ByMail: true}
	if err := holdAddress(ctx, tx, filed.EmailKey); err != nil {
		return nil, nil, err
	}
	mailbox := mailboxOf(filed.EmailKey)
	if wait, err := forAddressFrom.Spend(ctx, tx, mailbox+"\x00"+filed.Neighbourhood); err != nil || wait > 0 {
		return told, nil, err
	}
	if wait, err := forAddress.Spend(ctx, tx, mailbox); err != nil || wait > 0 {
		return told, nil, err
	}
	until := tx.Now.Add(proveWithin).Truncate(time.Millisecond)
	sent, err := t.Mail.Send(ctx, tx, mail.Letter{
		To: filed.Email, Kind: mail.TicketProof, Path: link(filed.Reference, key), Until: until,
		Facts: mail.Facts{By: mail.BySelf, Browser: filed.Browser, Address: filed.Address, Reference: filed.Reference},
	})
	if err != nil || !sent { // a mailbox that has had too many: nobody could prove it
		return told, nil, err
	}
	filed.State, filed.ExpiresAt = Unproved, database.At(until)
	return told, nil, fileInPlaceOf(ctx, tx, other, filed, asked.Text)
}

// prove shows the support a ticket whose key came back with the word that it is theirs: whoever has it reads the mailbox.
// Where that is an account's, the ticket is its person's.
func (t *Tickets) prove(ctx context.Context, tx database.Tx, caller web.Caller, found *Ticket) error {
	if err := holdAddress(ctx, tx, found.EmailKey); err != nil {
		return err
	}
	user, err := account.ByEmailKey(ctx, tx, found.EmailKey)
	if err != nil {
		return err
	}
	if user != nil {
		found.UserID, found.Name = user.ID, user.Name
	}
	if many, err := tooManyOpen(ctx, tx, found.UserID, found.EmailKey); err != nil {
		return err
	} else if many {
		return ErrTooManyTickets
	}
	found.AddressProved, found.Search = true, found.searched()
	_, err = tx.NewUpdate().Model(found).Column("user_id", "name", "address_proved", "search").WherePK().Exec(ctx)
	if err != nil {
		return wrapped("prove a ticket", err)
	}
	moved, err := Move(ctx, tx, found.ID, Open, Unproved)
	if err != nil || !moved { // by another press at the same time
		return err
	}
	return t.opened(ctx, tx, caller, found)
}

// opened puts on record that the support has a new ticket, and tells it.
func (t *Tickets) opened(ctx context.Context, tx database.Tx, caller web.Caller, filed *Ticket) error {
	event := byPerson(caller, filed).Is(audit.TicketOpened, audit.OK)
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	return t.tellSupport(ctx, tx, mail.TicketNew, filed.UserID)
}
