package mfa

import (
	"context"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// disable turns 2-step verification off: every factor goes, and so does whatever was opened with them elsewhere.
func (m *MFA) disable(ctx context.Context, caller web.Caller, password string) (session.Token, error) {
	if caller.Session.Requirement == account.RequirementRequired {
		return nil, ErrRequired
	}
	if !caller.Session.MFA {
		return nil, ErrOff
	}
	if err := m.SignIn.CheckPassword(ctx, caller, audit.Disabled, password); err != nil {
		return nil, err
	}
	var token session.Token
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if user.Requirement == account.RequirementRequired {
			return ErrRequired
		}
		off, err := account.TurnOff(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if !off {
			return ErrOff
		}
		if err := m.Recovery.Supersede(ctx, tx, audit.By(caller), user, "mfa_turned_off"); err != nil {
			return err
		}
		if err := m.Factors.Forget(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.By(caller).Is(audit.Disabled, audit.OK)); err != nil {
			return err
		}
		token, err = m.FactorsChanged(ctx, tx, caller, "mfa_turned_off")
		return err
	})
	if err != nil {
		return nil, err
	}
	return token, nil
}
