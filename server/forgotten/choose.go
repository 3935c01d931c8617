package forgotten

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// find reads the link of a token with its person, or says why nobody can choose a password with it.
func find(ctx context.Context, db bun.IDB, token string, now time.Time) (*account.PasswordLink, *account.User, error) {
	raw, ok := web.Token(token)
	if !ok {
		return nil, nil, ErrLinkUnknown
	}
	found, err := account.PasswordLinkBy(ctx, db, raw)
	if err != nil {
		return nil, nil, err
	}
	if found == nil {
		return nil, nil, ErrLinkUnknown
	}
	user, err := account.ByID(ctx, db, found.UserID)
	if err != nil {
		return nil, nil, err
	}
	if refusal := refuse(found, user, now); refusal != nil {
		return nil, nil, refusal
	}
	return found, user, nil
}

func refuse(found *account.PasswordLink, user *account.User, now time.Time) error {
	switch {
	case user == nil:
		return ErrLinkUnknown
	case !user.DisabledAt.IsZero():
		return signin.ErrDisabled
	case found.EndedBy == account.PasswordLinkUsed:
		return ErrLinkUsed
	case found.EndedBy == account.PasswordLinkReplaced:
		return ErrLinkReplaced
	case found.EndedBy != "" || found.EmailKey != user.EmailKey:
		return ErrLinkWithdrawn
	case found.ExpiresAt <= database.At(now):
		return ErrLinkExpired
	}
	return nil
}

// choose sets the password of the link's person. The link is looked at before the password is hashed, so that strangers
// cost nothing, and spent in the transaction that sets it.
func (f *Forgotten) choose(ctx context.Context, caller web.Caller, token, password string) error {
	found, known, err := find(ctx, f.Database.Read(), token, f.Now())
	if err != nil {
		return err
	}
	hash, err := f.Passwords.New(ctx, password, known.Name, known.Email)
	if err != nil {
		return err
	}
	return f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, found.UserID)
		if errors.Is(err, account.ErrNoUser) {
			return ErrLinkUnknown
		}
		if err != nil {
			return err
		}
		// As it is now that the person is held: used, replaced, withdrawn, disabled meanwhile.
		if _, _, err := find(ctx, tx, token, tx.Now); err != nil {
			return err
		}
		won, err := account.SpendPasswordLink(ctx, tx, found)
		if err != nil {
			return err
		}
		if !won {
			return ErrLinkUsed
		}
		event := audit.From(caller.Client)
		event.Actor, event.Method = user.ID, audit.ByPasswordLink
		return f.SignIn.ChoosePassword(ctx, tx, event, user, hash)
	})
}
