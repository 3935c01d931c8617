package mfa

import (
	"context"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// States of an enrolment after its code.
const (
	stateConfirmed = "confirmed" // the backup codes wait to be saved
	stateActive    = "active"    // the app is in force, and nothing waits
)

// confirmation is a right code of the new app, and what it led to.
type confirmation struct {
	state string
	codes *backupcode.Draft // nil where none are needed
	token session.Token
}

// confirm takes a code of the new app. Where the account has codes in force and they can be trusted to be the
// person's, the app is active at once; else ten codes are made that wait for "I have saved them".
func (m *MFA) confirm(ctx context.Context, caller web.Caller, enrolmentID, response string, browserNow time.Time) (*confirmation, error) {
	code, ok := totp.Shape(response)
	if !ok {
		return nil, signin.Refused(&diagnosis.Diagnosis{Reason: diagnosis.Malformed, Expected: diagnosis.AppCode})
	}
	enrolment, err := m.confirmable(ctx, caller, enrolmentID)
	if err != nil {
		return nil, err
	}
	step, found, err := m.Apps.QuickConfirm(ctx, enrolment, code)
	if err != nil {
		return nil, err
	}
	attempt := factor.Attempt{UserID: caller.Session.UserID, Response: response, Client: caller.Client, BrowserNow: browserNow}
	if !found || enrolment.Attempts >= authenticator.MaxConfirmTries {
		return nil, m.refuseConfirm(ctx, caller, attempt, enrolment, code)
	}
	return m.confirmed(ctx, caller, attempt, enrolment, code, step)
}

// confirmable reads the enrolment, where a code may be tried on it: by the session that began it, and after a new
// sign-in by the one that has a code of an app confirmed before.
func (m *MFA) confirmable(ctx context.Context, caller web.Caller, id string) (*authenticator.Enrolment, error) {
	enrolment, err := authenticator.EnrolmentOf(ctx, m.Database.Read(), caller.Session.UserID)
	if err != nil {
		return nil, err
	}
	if enrolment == nil || enrolment.ID != id || !enrolment.Open(m.Now()) || enrolment.Switched() {
		return nil, expired()
	}
	if !enrolment.Confirmed() && enrolment.SessionID != caller.Session.ID {
		return nil, expired()
	}
	return enrolment, nil
}

// refuseConfirm counts the code against the enrolment's own budget, then says why it is refused.
func (m *MFA) refuseConfirm(ctx context.Context, caller web.Caller, attempt factor.Attempt, enrolment *authenticator.Enrolment, code string) error {
	var left int
	var within bool
	event := audit.By(caller).Is(audit.EnrolmentConfirmed, audit.Refused)
	event.Method = string(authenticator.Kind)
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		left, within, err = authenticator.ReserveConfirm(ctx, tx, enrolment)
		return err
	})
	if err != nil {
		return err
	}
	if !within {
		return usedUp()
	}
	result, err := m.Apps.ExplainConfirm(ctx, attempt, enrolment, code)
	if err != nil {
		return err
	}
	why := result.Diagnosis
	if result.Match != nil || why == nil {
		return ErrChanged // the clock moved on between the two looks, and the code came into its window
	}
	why.AttemptsLeft = &left
	event.Reason, event.Data = string(why.Reason), why.Facts()
	m.SignIn.WarnOfClock(ctx, why, caller.Client)
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := m.Apps.Burn(ctx, tx, attempt, result.Burn); err != nil {
			return err
		}
		return audit.Record(ctx, tx, event)
	})
	if err != nil {
		return err
	}
	return signin.Refused(why)
}

func (m *MFA) confirmed(ctx context.Context, caller web.Caller, attempt factor.Attempt, enrolment *authenticator.Enrolment, code string, step int64) (*confirmation, error) {
	newCodes, err := m.needsCodes(ctx, caller)
	if err != nil {
		return nil, err
	}
	if err := m.reserve(ctx, enrolment); err != nil {
		return nil, err
	}
	done := &confirmation{state: stateActive}
	var draft *backupcode.Draft
	if newCodes {
		done.state = stateConfirmed
		if draft, err = m.Codes.Draft(ctx, caller.Session.UserID); err != nil {
			return nil, err
		}
		done.codes = draft
	}
	var taken bool
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if user.Requirement == account.RequirementOff {
			return ErrNotAllowed
		}
		if err := anewStill(tx, caller, user); err != nil {
			return err
		}
		if taken, err = authenticator.Confirm(ctx, tx, enrolment, step, caller.Session.ID, caller.Client); err != nil || !taken {
			return err
		}
		event := audit.By(caller).Is(audit.EnrolmentConfirmed, audit.OK)
		event.Method = string(authenticator.Kind)
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		if draft != nil {
			if err := draft.Put(ctx, tx, user.ID, caller.Session.ID, enrolment.ID); err != nil {
				return err
			}
		}
		if user.MFA() && !caller.Session.Anew {
			if err := m.switchApp(ctx, tx, caller, enrolment, draft == nil); err != nil {
				return err
			}
		}
		done.token, err = m.Sessions.Rise(ctx, tx, caller.Session, string(authenticator.Kind))
		return err
	})
	if err != nil {
		return nil, err
	}
	if !taken {
		// The step, or the enrolment, went between the look and the change.
		if _, err := m.confirmable(ctx, caller, enrolment.ID); err != nil {
			return nil, err
		}
		return nil, m.refuseConfirm(ctx, caller, attempt, enrolment, code)
	}
	return done, nil
}

// reserve counts against the enrolment's budget before ten argon2id are done for it, so that nobody keeps the pool busy by
// asking for codes again and again.
func (m *MFA) reserve(ctx context.Context, enrolment *authenticator.Enrolment) error {
	var within bool
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		_, within, err = authenticator.ReserveConfirm(ctx, tx, enrolment)
		return err
	})
	if err == nil && !within {
		err = usedUp()
	}
	return err
}

// needsCodes reports whether a confirmed app needs a set of codes beside it: where none is in force, and where the
// session was opened by one of them, since whoever lost the phone may have lost the paper too.
func (m *MFA) needsCodes(ctx context.Context, caller web.Caller) (bool, error) {
	if !caller.Session.MFA || caller.Session.FreshWith == string(backupcode.Kind) {
		return true, nil
	}
	has, err := backupcode.Has(ctx, m.Database.Read(), caller.Session.UserID)
	return !has, err
}

// switchApp puts the new app in force on an account whose 2-step verification is on; done tells that nothing waits.
func (m *MFA) switchApp(ctx context.Context, tx database.Tx, caller web.Caller, enrolment *authenticator.Enrolment, done bool) error {
	if err := authenticator.Switch(ctx, tx, m.Keys, caller.Session.UserID); err != nil {
		return err
	}
	kind := audit.AppAdded
	if enrolment.Replaces != "" {
		kind = audit.AppReplaced
	}
	event := audit.By(caller).Is(kind, audit.OK)
	event.Data = map[string]any{"factor": enrolment.ID} // the app has the enrolment's id
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	if done {
		if _, err := authenticator.FinishEnrolment(ctx, tx, enrolment.ID, caller.Session.ID); err != nil {
			return err
		}
	}
	return m.endElsewhere(ctx, tx, caller, "app_changed")
}

// renew makes a fresh unsaved set in place of the unsaved one, for whoever reloads the page that shows it.
func (m *MFA) renew(ctx context.Context, caller web.Caller, enrolmentID string) (*backupcode.Draft, error) {
	enrolment, err := m.waiting(ctx, m.Database.Read(), caller, enrolmentID)
	if err != nil {
		return nil, err
	}
	if err := m.reserve(ctx, enrolment); err != nil {
		return nil, err
	}
	draft, err := m.Codes.Draft(ctx, caller.Session.UserID)
	if err != nil {
		return nil, err
	}
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if err := anewStill(tx, caller, user); err != nil {
			return err
		}
		if _, err := m.waiting(ctx, tx, caller, enrolmentID); err != nil {
			return err
		}
		if err := draft.Put(ctx, tx, caller.Session.UserID, caller.Session.ID, enrolmentID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.BackupCodesMade, audit.OK))
	})
	if err != nil {
		return nil, err
	}
	return draft, nil
}
