// Package signin is the one way in: the password, the second step, fresh proof and the first administrator.
//
// Invariants:
//   - whether a second step is wanted is read from the database in the transaction that opens the session, never from
//     a flag of the step before (security.md row 3);
//   - a try is counted before it is looked at, in the database, under one budget for all factors and all places where
//     a code is asked for (rows 41 and 42); a refusal commits what it counted (row 43);
//   - where a factor can't be checked nobody is let in (row 5);
//   - whoever was reset gets in by the password and an enrolment link together, and by neither alone, until they have
//     enrolled anew (row 49);
//   - a second step that is accepted ends a recovery, in the same transaction: then nothing was lost.
package signin

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/clock"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database  *database.Database
	Passwords *account.Passwords
	Sessions  *session.Sessions
	Factors   factor.Set
	Clock     *clock.Watch // hears what the browsers say whose people sign in well
	// Recovered is told of an accepted second step of somebody who is held and for whom a recovery is under way: whoever has an
	// old factor is back in, or is who they are asked about. Nil: nobody listens.
	Recovered func(ctx context.Context, tx database.Tx, event audit.Event, user *account.User) error
	// LastRecovery says how the last recovery has ended of somebody who may not know: refused, stopped or expired. Nil: nobody knows.
	LastRecovery func(ctx context.Context, db bun.IDB, user *account.User) (string, error)
	Now          func() time.Time
	Random       io.Reader
	Logger       *slog.Logger
}

// SignIn is the room.
type SignIn struct {
	Dependencies
	pendings *database.Lookup[[sha256.Size]byte, foundPending]
}

// New prepares the room.
func New(dependencies Dependencies) *SignIn {
	return &SignIn{dependencies, database.NewLookup(dependencies.Database, lookUpPending, scanPending)}
}

// noteFault puts on record that something of ours failed, such as a second step that nothing is stored for, so that
// nobody was let in (row 5). A refusal is no fault, and neither is a server that is too busy: both say so themselves.
func (s *SignIn) noteFault(ctx context.Context, event audit.Event, cause error) {
	if cause == nil || problem.Of(cause).Status != http.StatusInternalServerError {
		return
	}
	failed := event.Is(event.Kind, audit.Fault)
	err := s.Database.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx database.Tx) error {
		return audit.Record(ctx, tx, failed)
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "a fault could not be recorded", "kind", event.Kind, "cause", err)
	}
}

// WarnOfClock logs that the server's own clock may be the wrong one, where a refusal has found witnesses against it, and
// has the watch hear them: a clock that is wrong by minutes refuses every code, so that nobody signs in well.
func (s *SignIn) WarnOfClock(ctx context.Context, why *diagnosis.Diagnosis, client web.Client) {
	if !why.ServerClockSuspect {
		return
	}
	s.Logger.WarnContext(ctx, "a phone and a browser agree on a time that is not the server's: check the server's clock",
		"offset_seconds", *why.OffsetSeconds, "request_id", client.RequestID)
	s.Clock.Differs(-time.Duration(*why.OffsetSeconds)*time.Second, s.Now())
}
