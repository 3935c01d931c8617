package mfa

import (
	"context"
	"math"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// activation is "I have saved them", done.
type activation struct {
	token       session.Token
	nextSeconds int // until a code shows that the next sign-in takes
}

// waiting reads the enrolment of this session whose codes wait to be saved.
func (m *MFA) waiting(ctx context.Context, db bun.IDB, caller web.Caller, id string) (*authenticator.Enrolment, error) {
	enrolment, err := authenticator.EnrolmentOf(ctx, db, caller.Session.UserID)
	if err != nil {
		return nil, err
	}
	switch {
	case enrolment == nil || enrolment.ID != id || !enrolment.Open(m.Now()):
		return nil, expired()
	case !enrolment.Confirmed():
		return nil, ErrNotConfirmed
	case enrolment.SessionID != caller.Session.ID:
		return nil, expired()
	}
	return enrolment, nil
}

// shown answers the set that waits in this session to be saved. Naming the set that the page shows keeps a second tab,
// which has made a newer one, from putting codes in force that nobody saved.
func shown(ctx context.Context, db bun.IDB, caller web.Caller, enrolmentID, named string) (string, error) {
	waiting, err := backupcode.Waiting(ctx, db, caller.Session.UserID, caller.Session.ID, enrolmentID)
	switch {
	case err != nil:
		return "", err
	case waiting == "":
		return "", ErrNoPending
	case named != "" && named != waiting:
		return "", ErrCodesReplaced
	}
	return waiting, nil
}

// activate puts the app and the codes in force, together: the one act that turns 2-step verification on.
func (m *MFA) activate(ctx context.Context, caller web.Caller, enrolmentID, named string) (*activation, error) {
	done := &activation{}
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if user.Requirement == account.RequirementOff {
			return ErrNotAllowed
		}
		enrolment, err := m.waiting(ctx, tx, caller, enrolmentID)
		if err != nil {
			return err
		}
		if err := anewStill(tx, caller, user); err != nil {
			return err
		}
		if caller.Session.Anew {
			if err := m.startOver(ctx, tx, caller, user); err != nil {
				return err
			}
		}
		if !enrolment.Switched() {
			if err := authenticator.Switch(ctx, tx, m.Keys, user.ID); err != nil {
				return err
			}
		}
		set, err := shown(ctx, tx, caller, enrolmentID, named)
		if err != nil {
			return err
		}
		if err := backupcode.Activate(ctx, tx, user.ID, set); err != nil {
			return err
		}
		finished, err := authenticator.FinishEnrolment(ctx, tx, enrolmentID, caller.Session.ID)
		if err != nil {
			return err
		}
		if !finished {
			return expired()
		}
		if err := account.TurnOn(ctx, tx, user.ID); err != nil {
			return err
		}
		next := totp.Begin(enrolment.LastStep + 1)
		done.nextSeconds = max(1, int(math.Ceil(next.Sub(tx.Now).Seconds())))
		what, why := audit.EnrolmentActivated, "mfa_turned_on"
		switch {
		case user.MFA() && caller.Session.Anew:
			what, why = "", "recovered" // it stayed on: that they are back in is on record already
		case user.MFA():
			what, why = audit.BackupCodesActivated, "backup_codes_changed" // it was on before: the app took its place when its code was given
		}
		if what != "" {
			if err := audit.Record(ctx, tx, audit.By(caller).Is(what, audit.OK)); err != nil {
				return err
			}
		}
		done.token, err = m.FactorsChanged(ctx, tx, caller, why)
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}
