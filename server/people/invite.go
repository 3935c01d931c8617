package people

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mfa"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// invited is a person who may join with a token until then.
type invited struct {
	user    *account.User
	token   session.Token
	mailed  bool // so that it is nobody else's to see
	expires time.Time
}

// invite makes a person without a password, and the link by which they join.
func (p *People) invite(ctx context.Context, caller web.Caller, person account.New, reason string) (*invited, error) {
	reason = strings.TrimSpace(reason)
	if fields := account.CheckIdentity(person.Name, person.Email); len(fields) > 0 {
		return nil, account.ErrInvalid.For(fields...)
	}
	if !person.Deadline.IsZero() && person.Requirement != account.RequirementRequired {
		return nil, mfa.ErrNeedsDeadline
	}
	if person.Role == account.Administrator && person.Requirement == account.RequirementOff {
		return nil, mfa.ErrNeverOff
	}
	if person.Requirement == account.RequirementOff { // who takes protection away says why (row 58)
		if fields := account.CheckReason(reason); len(fields) > 0 {
			return nil, account.ErrInvalid.For(fields...)
		}
	}
	return p.link(ctx, func(ctx context.Context, tx database.Tx) (*account.User, error) {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return nil, err
		}
		user, err := account.Create(ctx, tx, person)
		if err != nil {
			return nil, err
		}
		return user, audit.Record(ctx, tx, invitedEvent(audit.By(caller), user, reason))
	})
}

func invitedEvent(by audit.Event, user *account.User, why string) audit.Event {
	event := by.About(user.ID).Is(audit.UserInvited, audit.OK)
	event.Data = map[string]any{"role": user.Role, "requirement": user.Requirement}
	if why != "" {
		event.Data["why"] = why
	}
	return event
}

// renew gives somebody who has not joined a new link. The one before is void.
func (p *People) renew(ctx context.Context, caller web.Caller, id string) (*invited, error) {
	return p.link(ctx, func(ctx context.Context, tx database.Tx) (*account.User, error) {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return nil, err
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if !user.Invited() {
			return nil, ErrJoined
		}
		return user, audit.Record(ctx, tx, audit.By(caller).About(user.ID).Is(audit.InvitationRenewed, audit.OK))
	})
}

// link makes a link for the person that whom makes or finds, in one transaction.
func (p *People) link(ctx context.Context, whom func(context.Context, database.Tx) (*account.User, error)) (*invited, error) {
	token, err := session.NewToken(p.Random)
	if err != nil {
		return nil, err
	}
	var made *invited
	err = p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := whom(ctx, tx)
		if err != nil {
			return err
		}
		invitation, err := account.Invite(ctx, tx, user.ID, token)
		if err != nil {
			return err
		}
		made = &invited{user: user, token: token, expires: invitation.ExpiresAt.Time()}
		made.mailed, err = p.ByMail(ctx, tx, user, web.Link("", JoinPage, token), made.expires)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
