package mfa

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// Requirement is what is to be asked of a person from now on.
type Requirement struct {
	Level    string    // account.RequirementOff and so on
	Deadline time.Time // of a required one; zero: it holds at once
	Reason   string    // needed where it is off
	RollOut  string    // the id of the roll-out that it is part of
	Quiet    bool      // the person is not told of it by mail
}

// Check refuses what can be asked of nobody.
func (r Requirement) Check() error {
	if !r.Deadline.IsZero() && r.Level != account.RequirementRequired {
		return ErrNeedsDeadline
	}
	if r.Level == account.RequirementOff || r.Reason != "" { // who takes protection away says why (row 58)
		if fields := account.CheckReason(r.Reason); len(fields) > 0 {
			return account.ErrInvalid.For(fields...)
		}
	}
	return nil
}

// Refuse refuses what somebody can't ask of this person.
func (r Requirement) Refuse(user *account.User, by string) *problem.Problem {
	switch {
	case r.Level == account.RequirementOff && user.Role == account.Administrator:
		return ErrNeverOff
	case r.Level == account.RequirementOff && user.Reset():
		return ErrResetOpen // they could not enrol, and so never sign in again
	case user.ID == by && (r.lowers(user) || later(user, r.Level, r.Deadline)):
		return ErrOwnLowering
	}
	return nil
}

// Is reports whether nothing else is asked of the person already.
func (r Requirement) Is(user *account.User) bool {
	return user.Requirement == r.Level && (r.Level != account.RequirementRequired || user.Deadline == database.At(r.Deadline))
}

func (r Requirement) lowers(user *account.User) bool { return rank(r.Level) < rank(user.Requirement) }

// setRequirement says what is asked of a person. It keeps the factors (security.md row 58): `off` only stops asking.
func (m *MFA) setRequirement(ctx context.Context, caller web.Caller, userID string, to Requirement) error {
	to.Reason = strings.TrimSpace(to.Reason)
	if err := to.Check(); err != nil {
		return err
	}
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		if refusal := to.Refuse(user, caller.Session.UserID); refusal != nil {
			return refusal
		}
		return m.Require(ctx, tx, audit.By(caller), user, to)
	})
}

// Require asks it of a person who is held and to whom nothing of it is refused, puts it on record and ends what must not
// outlive it.
func (m *MFA) Require(ctx context.Context, tx database.Tx, by audit.Event, user *account.User, to Requirement) error {
	if err := account.SetRequirement(ctx, tx, user.ID, to.Level, database.At(to.Deadline)); err != nil {
		return err
	}
	if to.Level == account.RequirementOff {
		if err := m.Recovery.Supersede(ctx, tx, by, user, "requirement_off"); err != nil {
			return err
		}
	}
	event := by.About(user.ID).Is(audit.RequirementSet, audit.OK)
	event.Quiet = to.Quiet
	event.Data = map[string]any{"from": user.Requirement, "to": to.Level}
	for name, text := range map[string]string{"why": to.Reason, "roll_out": to.RollOut} {
		if text != "" {
			event.Data[name] = text
		}
	}
	if !to.Deadline.IsZero() {
		event.Data["deadline"] = to.Deadline.UTC()
	}
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	// What was opened under the stricter rule ends with it (row 34), and so does what was opened without the second
	// step while it was not asked for.
	asksAgain := user.Requirement == account.RequirementOff && user.MFA()
	if !to.lowers(user) && !asksAgain {
		return nil
	}
	if err := signin.EndPending(ctx, tx, user.ID); err != nil {
		return err
	}
	_, err := m.Sessions.EndOthers(ctx, tx, by, user.ID, "", "requirement_changed")
	return err
}

// later reports whether a deadline that somebody is under already would move away.
func later(user *account.User, requirement string, deadline time.Time) bool {
	return requirement == account.RequirementRequired && user.Requirement == account.RequirementRequired &&
		database.At(deadline) > user.Deadline
}

func rank(requirement string) int {
	switch requirement {
	case account.RequirementRequired:
		return 2
	case account.RequirementAllowed:
		return 1
	}
	return 0
}
