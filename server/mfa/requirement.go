package mfa

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// setRequirement says what is asked of a person. It keeps the factors (security.md row 58): `off` only stops asking.
func (m *MFA) setRequirement(ctx context.Context, caller web.Caller, userID, requirement string, deadline time.Time, reason string) error {
	if !caller.Session.MFA {
		return web.ErrOwnFirst
	}
	if !deadline.IsZero() && requirement != account.RequirementRequired {
		return ErrNeedsDeadline
	}
	reason = strings.TrimSpace(reason)
	if requirement == account.RequirementOff || reason != "" { // who takes protection away says why (row 58)
		if fields := checkReason(reason); len(fields) > 0 {
			return account.ErrInvalid.For(fields...)
		}
	}
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		lowers := rank(requirement) < rank(user.Requirement)
		switch {
		case requirement == account.RequirementOff && user.Role == account.Administrator:
			return ErrNeverOff
		case requirement == account.RequirementOff && user.Reset():
			return ErrResetOpen // they could not enrol, and so never sign in again
		case user.ID == caller.Session.UserID && (lowers || later(user, requirement, deadline)):
			return ErrOwnLowering
		}
		before := user.Requirement
		if err := account.SetRequirement(ctx, tx, user.ID, requirement, database.At(deadline)); err != nil {
			return err
		}
		event := audit.By(caller).About(user.ID).Is(audit.RequirementSet, audit.OK)
		event.Data = map[string]any{"from": before, "to": requirement}
		if reason != "" {
			event.Data["why"] = reason
		}
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		// What was opened under the stricter rule ends with it (row 34), and so does what was opened without the second
		// step while it was not asked for.
		asksAgain := before == account.RequirementOff && user.MFA()
		if !lowers && !asksAgain {
			return nil
		}
		if err := signin.EndPending(ctx, tx, user.ID); err != nil {
			return err
		}
		_, err = m.Sessions.EndOthers(ctx, tx, audit.By(caller), user.ID, "", "requirement_changed")
		return err
	})
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
