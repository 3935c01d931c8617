// Package people is what administrators do with the people of the account: invite them, change them, close their
// account, remove them. Whoever was invited joins here.
//
// Invariants:
//   - nobody changes their own role, and nobody closes or removes their own account: a slip there can't be undone by
//     whoever made it;
//   - who acts is looked at once more in the transaction: whoever was an administrator a moment ago does nothing (row 56);
//   - so there is an active administrator at every moment: the one who acts is another one than who goes. Whatever takes
//     one away holds the installation first, so that of two such acts the second sees what the first has done, on
//     PostgreSQL too (rows 59 and 80);
//   - a changed role, a closed and a removed account end the person's sessions and pending sign-ins in the same
//     transaction (row 34);
//   - a link is good once and for one person; of any number of requests with it exactly one wins (row 80).
package people

import (
	"context"
	"io"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database  *database.Database
	Passwords *account.Passwords
	Sessions  *session.Sessions
	Recovery  *recovery.Recoveries
	ByMail    account.LinkByMail // of an invitation
	Mails     bool               // whether mail leaves the installation at all
	Full      MailboxFull
	Now       func() time.Time
	Random    io.Reader
}

// MailboxFull reports whether a mailbox has had so many invitations lately that it gets no further one.
type MailboxFull func(ctx context.Context, tx database.Tx, address string) (bool, error)

// People is the room.
type People struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *People { return &People{dependencies} }

// Prune deletes what is over in this room's tables.
func (p *People) Prune(ctx context.Context, tx database.Tx) error {
	return account.PruneInvitations(ctx, tx)
}

// AfterRestore voids every invitation: one that was used, or withdrawn, after the backup was made must not live again.
func (p *People) AfterRestore(ctx context.Context, tx database.Tx) error {
	return account.VoidInvitations(ctx, tx)
}

// refuseOwn keeps everybody from what nobody does to themself; the last administrator is told that they are.
func (p *People) refuseOwn(ctx context.Context, caller web.Caller, refusal error) error {
	if caller.Session.Role != account.Administrator {
		return web.ErrNotPermitted
	}
	another, err := account.AnotherAdministrator(ctx, p.Database.Read(), caller.Session.UserID)
	if err != nil {
		return err
	}
	if !another {
		return ErrLastAdministrator
	}
	return refusal
}

// end signs the person out everywhere, also out of sign-ins that wait for a second step, and ends a request of theirs to get
// back in, which was decided about somebody else than they are now.
func (p *People) end(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, why string) error {
	if err := p.Recovery.EndFor(ctx, tx, audit.By(caller), user, why); err != nil {
		return err
	}
	if err := signin.EndPending(ctx, tx, user.ID); err != nil {
		return err
	}
	_, err := p.Sessions.EndOthers(ctx, tx, audit.By(caller), user.ID, "", why)
	return err
}
