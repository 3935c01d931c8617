// Package signin is the one way in: the password, the second step, fresh proof and the first administrator.
//
// Invariants:
//   - whether a second step is wanted is read from the database in the transaction that opens the session, never from
//     a flag of the step before (security.md row 3);
//   - a try is counted before it is looked at, in the database, under one budget for all factors and all places where
//     a code is asked for (rows 41 and 42); a refusal commits what it counted (row 43);
//   - where a factor can't be checked nobody is let in (row 5).
package signin

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/session"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database  *database.Database
	Passwords *account.Passwords
	Sessions  *session.Sessions
	Factors   factor.Set
	Now       func() time.Time
	Random    io.Reader
	Logger    *slog.Logger
}

// SignIn is the room.
type SignIn struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *SignIn { return &SignIn{dependencies} }

// record writes an event that has no other change beside it.
func (s *SignIn) record(ctx context.Context, event audit.Event) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error { return audit.Record(ctx, tx, event) })
}
