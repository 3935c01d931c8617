package people

import (
	"context"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// remove deletes a person with all that is theirs. What happened stays on record.
func (p *People) remove(ctx context.Context, caller web.Caller, id string) error {
	if id == "me" || id == caller.Session.UserID {
		return p.refuseOwn(ctx, caller, ErrOwnAccount)
	}
	return p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.HoldInstallation(ctx, tx); err != nil {
			return err
		}
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		removed := audit.By(caller).About(user.ID).Is(audit.UserRemoved, audit.OK)
		removed.Data = map[string]any{"role": user.Role}
		return p.drop(ctx, tx, caller, user, removed)
	})
}

// withdraw removes a person who was invited and has not joined.
func (p *People) withdraw(ctx context.Context, caller web.Caller, id string) error {
	return p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if !user.Invited() {
			return ErrJoined
		}
		return p.drop(ctx, tx, caller, user, audit.By(caller).About(user.ID).Is(audit.InvitationWithdrawn, audit.OK))
	})
}

// drop ends what the person has open, puts it on record and deletes them, who are held.
func (p *People) drop(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, event audit.Event) error {
	if err := p.end(ctx, tx, caller, user, "user_removed"); err != nil {
		return err
	}
	if err := account.EndInvitations(ctx, tx, user.ID, account.InvitationWithdrawn); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	return account.Remove(ctx, tx, user.ID)
}
