package forgotten

import (
	"context"
	"errors"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// atOnce bounds a round, so that those who ask don't keep the mails that wait.
const atOnce = 100

// Answer makes the links that were asked for and queues the mails with them. Each ask is taken and answered in one
// transaction: by one instance, and again where that one dies.
func (f *Forgotten) Answer(ctx context.Context) error {
	for range atOnce {
		if waits, err := asked(ctx, f.Database.Read()); err != nil || !waits {
			return err
		}
		err := f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			taken, err := claimAsk(ctx, tx)
			if err != nil || taken == nil || taken.UserID == "" || taken.over(tx.Now) {
				return err
			}
			return f.answer(ctx, tx, taken)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// answer makes a link for whoever the ask is of, as they are now. Where their mailbox has had enough mails the link from
// before stays the one that works: nobody would get the new one.
func (f *Forgotten) answer(ctx context.Context, tx database.Tx, of *ask) error {
	user, err := account.Hold(ctx, tx, of.UserID)
	if errors.Is(err, account.ErrNoUser) {
		return nil
	}
	if err != nil {
		return err
	}
	if !user.DisabledAt.IsZero() || user.Invited() {
		return nil
	}
	token, err := f.newToken()
	if err != nil {
		return err
	}
	queued, err := f.Mail.Send(ctx, tx, mail.Letter{
		UserID: user.ID, To: user.Email, Name: user.Name, Kind: mail.PasswordLink,
		Facts: mail.Facts{By: mail.BySelf, Browser: of.Browser, Address: of.Address},
		Path:  web.Link("", ChoosePage, token), Until: tx.Now.Add(account.PasswordLinkFor),
	})
	if err != nil || !queued {
		return err
	}
	if err := account.MakePasswordLink(ctx, tx, user, token); err != nil {
		return err
	}
	event := audit.Event{Browser: of.Browser, Address: of.Address, RequestID: of.RequestID}
	return audit.Record(ctx, tx, event.About(user.ID).Is(audit.PasswordLinkSent, audit.OK))
}
