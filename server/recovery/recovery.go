// Package recovery is the way back in for somebody who has lost every factor: they ask with the right password, prove their
// address, wait, and an administrator who has made sure who they are decides (product.md, Lost both phone and codes).
//
// Invariants:
//   - each step is one transaction that holds the person, one conditional write on the state before it, and the event, so
//     that no step is made twice, out of turn, or with what belongs to somebody else (security.md rows 50 and 80);
//   - a person has one open request at the most, and users.recovery says which state that is in: a second step sees under its
//     own hold whether there is something to cancel;
//   - asking, proving and approving take nothing away and open nothing by themselves. What is approved is an enrolment link,
//     good with the password alone and for nothing but enrolling; what was before ends with the activation of the new (row 54);
//   - whoever holds an old factor, any signed-in browser of the person, and the mailbox can each end it with one press, to the
//     very last moment before that;
//   - nobody decides about themself, and an administrator needs two others where there are two (row 53).
package recovery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
)

// States of a request. The first three are open; users.recovery has them too.
const (
	Asked     = account.RecoveryAsked
	Proved    = account.RecoveryProved
	Approved  = account.RecoveryApproved
	Done      = "done"
	Refused   = "refused"
	Stopped   = "stopped"
	Cancelled = "cancelled"
	Expired   = "expired"
)

// How the address was proved.
const (
	byEmail   = "email"
	bySession = "session" // by a browser that is signed in with a second step
	byNothing = "nothing" // no mail leaves the installation, so nobody can
)

// Times that are no settings.
const (
	proveWithin  = 24 * time.Hour      // of asking
	decideWithin = 14 * 24 * time.Hour // of the proof
	decideAtHand = 7 * 24 * time.Hour  // and of the time from which it can be decided, at the least
	oneOtherWait = 48 * time.Hour      // for an administrator with one other who can decide
	shownFor     = 7 * 24 * time.Hour  // after its end, to whoever signs in
	keptFor      = 365 * 24 * time.Hour
)

// Settings are what the program's flags say.
type Settings struct {
	Delay     time.Duration // from the proof to the decision
	Approvals int           // needed for a member
}

// The bounds of Settings, and what holds where no flag says otherwise.
const (
	MinDelay         = time.Hour
	MaxDelay         = 14 * 24 * time.Hour
	DefaultDelay     = 24 * time.Hour
	MaxApprovals     = 5
	DefaultApprovals = 1
)

// Page is where the link leads that proves the address.
const Page = "/recovery"

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Keys     *keyring.Ring
	Sessions *session.Sessions
	SignIn   *signin.SignIn
	Stops    *stop.Stops
	Mail     *mail.Mail
	ByMail   account.LinkByMail // of an enrolment link
	// Checklist are the lines by which an administrator makes sure who it is; nil: nobody has changed them.
	Checklist func(ctx context.Context) ([]string, error)
	Known     account.Known
	Settings  Settings
	Now       func() time.Time
	Random    io.Reader
}

// Recoveries is the room.
type Recoveries struct{ Dependencies }

// New prepares the room. What its settings leave out is the product's own.
func New(dependencies Dependencies) *Recoveries {
	if dependencies.Settings.Delay == 0 {
		dependencies.Settings.Delay = DefaultDelay
	}
	if dependencies.Settings.Approvals == 0 {
		dependencies.Settings.Approvals = DefaultApprovals
	}
	return &Recoveries{dependencies}
}

// recovery is one request, beside its ticket.
type recovery struct {
	bun.BaseModel `bun:"table:recoveries,alias:r"`

	TicketID    string           `bun:"ticket_id,pk"`
	UserID      string           `bun:"user_id"`
	State       string           `bun:"state"`
	AskedAt     database.Instant `bun:"asked_at"`
	BrowserID   []byte           `bun:"browser_id,nullzero"`
	ProofHash   []byte           `bun:"proof_hash,nullzero"`
	ProvedAt    database.Instant `bun:"proved_at,nullzero"`
	ProvedBy    string           `bun:"proved_by"`
	DecidableAt database.Instant `bun:"decidable_at,nullzero"`
	ExpiresAt   database.Instant `bun:"expires_at"`
	EndedAt     database.Instant `bun:"ended_at,nullzero"`
	BegunToldAt database.Instant `bun:"begun_told_at,nullzero"`
	ToldAt      database.Instant `bun:"told_at,nullzero"`

	// Of its ticket.
	Reference string `bun:"reference,scanonly"`
	Browser   string `bun:"browser,scanonly"`
	Address   string `bun:"address,scanonly"`
}

func open(state string) bool { return state == Asked || state == Proved || state == Approved }

var openStates = []string{Asked, Proved, Approved}

// stateAt is the state as it is then: what is over by its time is, whether the job has ended it or not.
func (r *recovery) stateAt(now time.Time) string {
	if open(r.State) && r.ExpiresAt <= database.At(now) {
		return Expired
	}
	return r.State
}

func find(ctx context.Context, db bun.IDB, narrow func(*bun.SelectQuery) *bun.SelectQuery) (*recovery, error) {
	found := new(recovery)
	query := db.NewSelect().Model(found).ColumnExpr("r.*").ColumnExpr("t.reference, t.browser, t.address").
		Join("JOIN tickets AS t ON t.id = r.ticket_id")
	err := narrow(query).Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a request to get back in: %w", err)
	}
	return found, nil
}

// openOf reads the person's open request; nil where there is none.
func openOf(ctx context.Context, db bun.IDB, userID string) (*recovery, error) {
	return find(ctx, db, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("r.user_id = ? AND r.state IN (?)", userID, bun.List(openStates))
	})
}

// byTicket reads the request of a ticket; ErrNone where there is none.
func byTicket(ctx context.Context, db bun.IDB, id string) (*recovery, error) {
	found, err := find(ctx, db, func(query *bun.SelectQuery) *bun.SelectQuery { return query.Where("r.ticket_id = ?", id) })
	if err == nil && found == nil {
		return nil, ErrNone
	}
	return found, err
}

// latest reads what is to be shown to somebody who signs in: the open request, or the last that ended lately.
func latest(ctx context.Context, db bun.IDB, userID string, now time.Time) (*recovery, error) {
	return find(ctx, db, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("r.user_id = ?", userID).
			Where("r.state IN (?) OR r.ended_at > ?", bun.List(openStates), database.At(now.Add(-shownFor))).
			OrderExpr("CASE WHEN r.ended_at IS NULL THEN 0 ELSE 1 END, r.asked_at DESC, r.ticket_id DESC")
	})
}

// Last says how the person's last request has ended, where it was not by themself and they have not signed in since: whoever
// waits where no mail leaves, or it does not arrive, hears of it as they come back.
func (r *Recoveries) Last(ctx context.Context, db bun.IDB, user *account.User) (string, error) {
	found, err := latest(ctx, db, user.ID, r.Now())
	if err != nil || found == nil {
		return "", err
	}
	ended := found.EndedAt
	if ended.IsZero() { // over by its time, before the job has ended it
		ended = found.ExpiresAt
	}
	switch state := found.stateAt(r.Now()); state {
	case Refused, Stopped, Expired:
		if ended > user.LastSignInAt {
			return state, nil
		}
	}
	return "", nil
}
