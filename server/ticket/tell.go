package ticket

import (
	"context"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
)

// mostTold bounds how many of the support are mailed.
const mostTold = 50

// tellSupport mails the administrators, but for one whose own ticket it is. Of many at once each gets one mail an hour,
// which says how many they are: nobody outside can flood them. Nothing that was written is in it.
func (t *Tickets) tellSupport(ctx context.Context, tx database.Tx, kind mail.Kind, except string) error {
	if leaves, err := mail.Leaves(ctx, tx); err != nil || !leaves {
		return err
	}
	var support []string
	err := tx.NewSelect().TableExpr("users").Column("id").
		Where("role = ? AND disabled_at IS NULL AND password_hash <> '' AND id <> ?", account.Administrator, except).
		OrderExpr("id").Limit(mostTold).Scan(ctx, &support)
	if err != nil {
		return wrapped("look for the support", err)
	}
	for _, id := range support {
		if err := mail.QueueRepeated(ctx, tx, mail.Notice{UserID: id, Kind: kind}, 1); err != nil {
			return err
		}
	}
	return nil
}

// tellPerson mails whoever wrote a ticket that there is something to read, with a key of its own and without what there
// is. False: no mail leaves, nobody has proved the address, or it has had too many.
func (t *Tickets) tellPerson(ctx context.Context, tx database.Tx, of *Ticket, kind mail.Kind) (bool, error) {
	letter := mail.Letter{UserID: of.UserID, To: of.Email, Kind: kind, Facts: mail.Facts{Reference: of.Reference}}
	switch {
	case of.UserID != "":
		user, err := account.ByID(ctx, tx, of.UserID)
		if err != nil || user == nil {
			return false, err
		}
		letter.To, letter.Name = user.Email, user.Name
	case !of.AddressProved:
		return false, nil
	}
	key, err := newKey(t.Random)
	if err != nil {
		return false, err
	}
	letter.Path = link(of.Reference, key)
	sent, err := t.Mail.Send(ctx, tx, letter)
	if err != nil || !sent {
		return false, err
	}
	return true, addKey(ctx, tx, of.ID, key)
}

// Ways by which whoever wrote a ticket learns of an answer.
const (
	ByMail    = "mail"
	BySigning = "signed_in" // they find it in the help once they are signed in
	ByKey     = "key"       // they come back with reference and key
	ByNothing = "nothing"   // there is no way: a recovery ticket where no mail leaves
)

// told is how its person learns of an answer.
func (t *Tickets) told(of *Ticket) string {
	switch {
	case t.Mail.Sends() && (of.UserID != "" || of.AddressProved):
		return ByMail
	case of.Kind == Recovery:
		return ByNothing
	case of.UserID != "":
		return BySigning
	}
	return ByKey
}
