package people

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// find reads the invitation of a link with its person, or says why nobody can join with it.
func find(ctx context.Context, db bun.IDB, link string, now time.Time) (*account.Invitation, *account.User, error) {
	token, ok := web.Token(link)
	if !ok {
		return nil, nil, ErrInvitationUnknown
	}
	found, err := account.InvitationBy(ctx, db, token)
	if err != nil {
		return nil, nil, err
	}
	if refusal := refuse(found, now); refusal != nil {
		return nil, nil, refusal
	}
	user, err := account.ByID(ctx, db, found.UserID)
	switch {
	case err != nil:
		return nil, nil, err
	case user == nil:
		return nil, nil, ErrInvitationWithdrawn
	case !user.DisabledAt.IsZero():
		return nil, nil, signin.ErrDisabled
	}
	return found, user, nil
}

func refuse(found *account.Invitation, now time.Time) error {
	switch {
	case found == nil:
		return ErrInvitationUnknown
	case found.EndedBy == account.InvitationJoined:
		return ErrInvitationUsed
	case found.EndedBy == account.InvitationReplaced:
		return ErrInvitationReplaced
	case found.EndedBy == account.InvitationWithdrawn:
		return ErrInvitationWithdrawn
	case found.ExpiresAt <= database.At(now):
		return ErrInvitationExpired
	}
	return nil
}

// joined is somebody who has joined and is signed in.
type joined struct {
	token session.Token
	state string
}

// join sets the first password of who was invited and signs them in. The link is looked at before the password is
// hashed, so that strangers cost nothing, and spent in the transaction that opens the session.
func (p *People) join(ctx context.Context, caller web.Caller, link, password string, name *string) (*joined, error) {
	found, invited, err := find(ctx, p.Database.Read(), link, p.Now())
	if err != nil {
		return nil, err
	}
	called := invited.Name
	if name != nil {
		called = *name
	}
	if fields := account.CheckName(called); len(fields) > 0 {
		return nil, account.ErrInvalid.For(append(fields, p.Passwords.Check(ctx, password, called, invited.Email)...)...)
	}
	hash, err := p.Passwords.New(ctx, password, called, invited.Email)
	if err != nil {
		return nil, err
	}
	var done *joined
	err = p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, found.UserID)
		if errors.Is(err, account.ErrNoUser) {
			return ErrInvitationWithdrawn
		}
		if err != nil {
			return err
		}
		// As it is now that the person is held: withdrawn, replaced, used, disabled meanwhile.
		if _, _, err := find(ctx, tx, link, tx.Now); err != nil {
			return err
		}
		won, err := account.Join(ctx, tx, found, hash)
		if err != nil {
			return err
		}
		if !won {
			return ErrInvitationUsed
		}
		if _, err := account.Rename(ctx, tx, user, called); err != nil {
			return err
		}
		done, err = p.open(ctx, tx, caller, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// open makes the first session of somebody who has joined.
func (p *People) open(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User) (*joined, error) {
	if err := account.NoteSignIn(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	token, opened, err := p.Sessions.Open(ctx, tx, session.Opened{User: user, With: []string{web.Password}, Client: caller.Client})
	if err != nil {
		return nil, err
	}
	if _, err := session.NoteBrowser(ctx, tx, user.ID, caller.BrowserID); err != nil {
		return nil, err
	}
	event := audit.From(caller.Client).About(user.ID)
	event.Actor, event.Session, event.Method = user.ID, opened.ID, web.Password
	err = audit.Record(ctx, tx, event.Is(audit.UserJoined, audit.OK), event.Is(audit.SignInCompleted, audit.OK))
	if err != nil {
		return nil, err
	}
	done := &joined{token: token, state: signin.StateSignedIn}
	if user.MustEnrol(tx.Now) {
		done.state = signin.StateEnrolmentRequired
	}
	return done, nil
}
