package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/web"
)

// mailboxSettles is how long the mailbox of somebody who chose their password through it gets no link: it alone must not open
// an account (security.md row 49).
const mailboxSettles = 7 * 24 * time.Hour

// decision is what one administrator has decided.
type decision struct {
	bun.BaseModel `bun:"table:recovery_decisions,alias:d"`

	TicketID        string           `bun:"ticket_id,pk"`
	AdministratorID string           `bun:"administrator_id,pk"`
	Approve         bool             `bun:"approve"`
	Checked         string           `bun:"checked"` // JSON: the lines that were ticked
	Reason          string           `bun:"reason"`
	At              database.Instant `bun:"at"`
}

// verdict is what an administrator decides, and how they made sure.
type verdict struct {
	approve bool
	checked []string
	reason  string
}

// check says what is wrong with it: who is let in by it was made sure of somehow (security.md row 52).
func (v *verdict) check() error {
	v.reason = strings.TrimSpace(v.reason)
	fields := account.CheckReason(v.reason)
	lines := []string{}
	for _, line := range v.checked {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	v.checked = lines
	if v.approve && len(lines) == 0 {
		fields = append(fields, problem.Field{Name: "checked", Code: "required"})
	}
	for _, line := range lines {
		fields = append(fields, account.CheckLine("checked", line, longestLine)...)
	}
	if len(fields) > 0 {
		return ErrEvidence.For(fields...)
	}
	return nil
}

// decided is where a request is after a decision.
type decided struct {
	state             string
	approvals, needed int
	token             string // of the enrolment link, where the administrator is to hand it over
	mailed            bool
}

// deciding holds what a decision needs to be exact: the installation, so that nobody becomes an administrator or stops being
// one meanwhile; the caller, who is one; the person.
func (r *Recoveries) deciding(ctx context.Context, tx database.Tx, caller web.Caller, ticketID string) (*recovery, *account.User, error) {
	if err := account.HoldInstallation(ctx, tx); err != nil {
		return nil, nil, err
	}
	if err := account.StillAdministrator(ctx, tx, caller); err != nil {
		return nil, nil, err
	}
	found, err := byTicket(ctx, tx, ticketID)
	if err != nil {
		return nil, nil, err
	}
	user, err := account.Hold(ctx, tx, found.UserID)
	if err != nil {
		return nil, nil, err
	}
	if user.ID == caller.Session.UserID {
		return nil, nil, ErrOwn
	}
	found, err = byTicket(ctx, tx, ticketID) // as it is now that nothing else moves it
	if err == nil && !user.DisabledAt.IsZero() {
		err = ErrChanged
	}
	return found, user, err
}

// decide takes a decision. A refusal is one administrator's; an approval counts, until there are enough.
func (r *Recoveries) decide(ctx context.Context, caller web.Caller, ticketID string, given verdict) (*decided, error) {
	if err := given.check(); err != nil {
		return nil, err
	}
	var done *decided
	err := r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, user, err := r.deciding(ctx, tx, caller, ticketID)
		if err != nil {
			return err
		}
		if found.stateAt(tx.Now) != Proved {
			return ErrChanged
		}
		others, err := deciders(ctx, tx, user, found)
		if err != nil {
			return err
		}
		done = &decided{state: Refused, needed: r.needed(user, others)}
		if !given.approve {
			return r.refuse(ctx, tx, caller, found, given)
		}
		refusal, err := r.undecidable(ctx, tx, found, user, others, tx.Now)
		if err != nil {
			return err
		}
		if refusal != nil {
			return refusal
		}
		before, err := has(ctx, tx, ticketID, caller.Session.UserID)
		if err != nil {
			return err
		}
		// Of whoever has approved before, what they say now counts.
		if err := r.give(ctx, tx, caller, found, given); err != nil {
			return err
		}
		if done.approvals, err = approvals(ctx, tx, found, user); err != nil {
			return err
		}
		done.state = Proved
		if done.approvals < done.needed {
			if before {
				return ErrDecided
			}
			return nil
		}
		// Whoever has approved already approves again where the others who were needed are none any more.
		done.state = Approved
		return r.approve(ctx, tx, caller, user, found, done)
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// undecidable says why a request can't be approved now, whoever does it; nil where it can.
func (r *Recoveries) undecidable(ctx context.Context, db bun.IDB, found *recovery, user *account.User, others circle, now time.Time) (*problem.Problem, error) {
	if r.onConsole(user, others) {
		return ErrOnConsole, nil
	}
	// Who makes somebody another person, or gives them another mailbox, must not let them in by it (rows 53 and 57).
	unsettled, err := audit.RecentOf(ctx, db, user.ID, now.Add(-mailboxSettles), audit.RoleChanged, audit.EmailChanged)
	if err != nil {
		return nil, err
	}
	if unsettled {
		return ErrTooSoon, nil
	}
	if user.Role == account.Administrator { // their link is mailed or not made at all: handOver
		byMailbox, err := chosenByMail(ctx, db, user, now)
		if err != nil {
			return nil, err
		}
		if byMailbox {
			return ErrOnConsole, nil
		}
	}
	if from := r.decidableAt(found, user, others).Time(); now.Before(from) {
		return ErrTooEarly.With("decidable_at", from).After(from.Sub(now)), nil
	}
	return nil, nil
}

// chosenByMail reports whether the person has lately chosen their password through the mailbox.
func chosenByMail(ctx context.Context, db bun.IDB, user *account.User, now time.Time) (bool, error) {
	return audit.RecentBy(ctx, db, user.ID, now.Add(-mailboxSettles), audit.PasswordChanged, audit.ByPasswordLink)
}

// has reports whether the administrator has decided already.
func has(ctx context.Context, db bun.IDB, ticketID, administrator string) (bool, error) {
	found, err := db.NewSelect().Model((*decision)(nil)).Where("d.ticket_id = ? AND d.administrator_id = ?", ticketID, administrator).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a decision: %w", err)
	}
	return found, nil
}

// put keeps what an administrator decides, and how they made sure (security.md row 52).
func put(ctx context.Context, tx database.Tx, caller web.Caller, ticketID string, given verdict) error {
	checked, err := json.Marshal(given.checked)
	if err != nil {
		return fmt.Errorf("keep a decision: %w", err)
	}
	_, err = tx.NewRaw(`INSERT INTO recovery_decisions (ticket_id, administrator_id, approve, checked, reason, at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (ticket_id, administrator_id) DO UPDATE SET approve = excluded.approve, checked = excluded.checked, reason = excluded.reason, at = excluded.at`,
		ticketID, caller.Session.UserID, given.approve, string(checked), given.reason, database.At(tx.Now)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep a decision: %w", err)
	}
	return nil
}

// refuse ends the request. Whoever has approved before may think better of it.
func (r *Recoveries) refuse(ctx context.Context, tx database.Tx, caller web.Caller, found *recovery, given verdict) error {
	if err := put(ctx, tx, caller, found.TicketID, given); err != nil {
		return err
	}
	event := audit.By(caller)
	event.Data = map[string]any{"why": given.reason}
	return r.end(ctx, tx, event, found, Refused)
}

// give counts an approval.
func (r *Recoveries) give(ctx context.Context, tx database.Tx, caller web.Caller, found *recovery, given verdict) error {
	if err := put(ctx, tx, caller, found.TicketID, given); err != nil {
		return err
	}
	event := audit.By(caller).About(found.UserID).Is(audit.RecoveryApprovalGiven, audit.OK)
	event.Data = map[string]any{"ticket": found.TicketID, "why": given.reason, "checked": given.checked}
	return audit.Record(ctx, tx, event)
}

// approve lets the enrolment link out. It removes nothing.
func (r *Recoveries) approve(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, found *recovery, done *decided) error {
	if err := approvedUntil(ctx, tx, found, Proved, database.At(tx.Now.Add(signin.LinkFor))); err != nil {
		return err
	}
	return r.handOver(ctx, tx, caller, user, found, done, audit.RecoveryApproved)
}

// renew makes another link in place of the one that is out, and of what that has opened.
func (r *Recoveries) renew(ctx context.Context, caller web.Caller, ticketID string) (*decided, error) {
	var done *decided
	err := r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, user, err := r.deciding(ctx, tx, caller, ticketID)
		if err != nil {
			return err
		}
		others, err := deciders(ctx, tx, user, found)
		if err != nil {
			return err
		}
		if found.stateAt(tx.Now) != Approved {
			return ErrChanged
		}
		if refusal, err := r.undecidable(ctx, tx, found, user, others, tx.Now); err != nil {
			return err
		} else if refusal != nil {
			return refusal
		}
		given, err := approvals(ctx, tx, found, user)
		if err != nil {
			return err
		}
		if tx.Now.Add(signin.LinkFor).After(found.AskedAt.Time().Add(stop.RecoveryFor)) {
			return ErrChanged // no link outlives what stops it
		}
		done = &decided{state: Approved, approvals: given, needed: r.needed(user, others)}
		if err := approvedUntil(ctx, tx, found, Approved, database.At(tx.Now.Add(signin.LinkFor))); err != nil {
			return err
		}
		if err := r.shut(ctx, tx, audit.By(caller), user.ID); err != nil {
			return err
		}
		return r.handOver(ctx, tx, caller, user, found, done, audit.RecoveryLinkRenewed)
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// handOver makes the enrolment link and mails it to the person, or gives it to the administrator where no mail leaves or the
// mailbox must not get it. An administrator's is mailed or not made at all.
func (r *Recoveries) handOver(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, found *recovery, done *decided, kind string) error {
	token, err := r.SignIn.IssueEnrolmentLink(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	byMailbox, err := chosenByMail(ctx, tx, user, tx.Now)
	if err != nil {
		return err
	}
	if !byMailbox {
		until := tx.Now.Add(signin.LinkFor)
		if done.mailed, err = r.ByMail(ctx, tx, user, web.EnrolmentLink("", token), until); err != nil {
			return err
		}
	}
	if !done.mailed {
		if user.Role == account.Administrator {
			return ErrOnConsole
		}
		done.token = token
	}
	event := audit.By(caller).About(user.ID).Is(kind, audit.OK)
	event.Data = map[string]any{"ticket": found.TicketID, "mailed": done.mailed}
	return audit.Record(ctx, tx, event)
}
