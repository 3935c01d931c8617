// Package forgotten gives people who have forgotten their password a way back: a link to their mailbox, by which they
// choose a new one.
//
// Invariants:
//   - asking does the same for every address, whoever's it is or nobody's: the same counting, one row, the same answer
//     (security.md row 6). Who it was for is found out later, by Answer, where nobody waits;
//   - a link is good once, for an hour, for one person and for the mailbox that it went to; only the newest is (rows 50 and 80);
//   - the mailbox stands for the password and for nothing else: a second step is asked for afterwards as before, nobody is
//     signed in, and an enrolment link that went to the same mailbox is void (row 49);
//   - a new password ends whatever the old one had opened, in the same transaction (row 34).
package forgotten

import (
	"context"
	"io"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database  *database.Database
	Passwords *account.Passwords
	SignIn    *signin.SignIn
	Mail      *mail.Mail
	Now       func() time.Time
	Random    io.Reader
}

// Forgotten is the room.
type Forgotten struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *Forgotten { return &Forgotten{dependencies} }

// Prune deletes what is over in this room's tables.
func (f *Forgotten) Prune(ctx context.Context, tx database.Tx) error {
	if err := pruneAsks(ctx, tx); err != nil {
		return err
	}
	return account.PrunePasswordLinks(ctx, tx)
}

// AfterRestore voids every link and every ask: what was used after the backup was made must not live again.
func (f *Forgotten) AfterRestore(ctx context.Context, tx database.Tx) error {
	if err := forgetAsks(ctx, tx); err != nil {
		return err
	}
	return account.VoidPasswordLinks(ctx, tx)
}

// newToken draws the token of a link.
func (f *Forgotten) newToken() (session.Token, error) { return session.NewToken(f.Random) }
