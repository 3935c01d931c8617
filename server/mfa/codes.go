package mfa

import (
	"context"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// newCodes makes a set that waits for "I have saved them"; the set in force lives until then.
func (m *MFA) newCodes(ctx context.Context, caller web.Caller, password string) (*backupcode.Draft, error) {
	if !caller.Session.MFA {
		return nil, ErrOff
	}
	if err := m.SignIn.CheckPassword(ctx, caller, audit.BackupCodesMade, password); err != nil {
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
		if !user.MFA() {
			return ErrOff
		}
		if err := m.Sessions.StillOpen(ctx, tx, caller.Session.ID); err != nil {
			return err
		}
		// The codes that a new app brought along, and that were not saved: these take their place.
		if err := authenticator.AbandonSwitched(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := draft.Put(ctx, tx, user.ID, caller.Session.ID, ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.BackupCodesMade, audit.OK))
	})
	if err != nil {
		return nil, err
	}
	return draft, nil
}

// saveCodes puts the waiting set in force; the old one dies in the same transaction.
func (m *MFA) saveCodes(ctx context.Context, caller web.Caller, named string) (session.Token, error) {
	var token session.Token
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if !user.MFA() {
			return ErrOff
		}
		set, err := shown(ctx, tx, caller, "", named)
		if err != nil {
			return err
		}
		if err := backupcode.Activate(ctx, tx, user.ID, set); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.By(caller).Is(audit.BackupCodesActivated, audit.OK)); err != nil {
			return err
		}
		token, err = m.FactorsChanged(ctx, tx, caller, "backup_codes_changed")
		return err
	})
	if err != nil {
		return nil, err
	}
	return token, nil
}

// keepCodes throws away the set that waits, because the person stays with the codes in force. Any session of theirs may:
// nothing that is good for anything changes by it.
func (m *MFA) keepCodes(ctx context.Context, caller web.Caller) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if !user.MFA() {
			return ErrOff // there the codes are a part of the enrolment, and go with it
		}
		dropped, err := backupcode.DropUnsaved(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if !dropped {
			return ErrNoPending
		}
		if err := authenticator.AbandonSwitched(ctx, tx, user.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.BackupCodesGivenUp, audit.OK))
	})
}
