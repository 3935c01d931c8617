package mfa

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// FactorPath names a factor of a person. It is exported because an input that embeds it is read by reflection.
type FactorPath struct {
	web.PersonPath
	Factor string `path:"factor" maxLength:"40"`
}

type renameInput struct {
	FactorPath
	Body struct {
		Name string `json:"name" maxLength:"60" doc:"What the person calls the device; may be empty."`
	}
}

type rekeyedOutput struct {
	SetCookie []http.Cookie
}

func (m *MFA) registerFactors(api *web.API, operation describe) {
	const path = securityPath + "/factors/{factor}"
	rename := operation("rename-factor", http.MethodPatch, path, "Call a factor otherwise")
	rename.DefaultStatus = http.StatusNoContent
	rename.Description = "429 `too_many_changes` after 20 new names within an hour."
	web.RegisterOwn(api, web.FreshByApp, rename,
		func(ctx context.Context, caller web.Caller, in *renameInput) (*struct{}, error) {
			name := strings.TrimSpace(in.Body.Name)
			if fields := account.CheckLegible(name); len(fields) > 0 {
				return nil, account.ErrInvalid.For(fields...)
			}
			return nil, m.rename(ctx, caller, in.Factor, name)
		})
	remove := operation("remove-factor", http.MethodDelete, path, "Remove one of several factors")
	remove.DefaultStatus = http.StatusNoContent
	remove.Description = "409 `last_app` for the last authenticator app: that one goes by turning 2-step verification off."
	web.RegisterOwn(api, web.FreshByApp, remove,
		func(ctx context.Context, caller web.Caller, in *FactorPath) (*rekeyedOutput, error) {
			token, err := m.remove(ctx, caller, in.Factor)
			if err != nil {
				return nil, err
			}
			return &rekeyedOutput{SetCookie: []http.Cookie{api.SessionCookie(token)}}, nil
		})
}

// renamings are how often a person may call their factors otherwise.
var renamings = audit.Limit{Kind: audit.FactorRenamed, Most: 20, Within: time.Hour}

// rename calls a factor otherwise. Nothing that it proves changes, so nothing ends.
func (m *MFA) rename(ctx context.Context, caller web.Caller, factorID, name string) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		held, err := m.Factors.Held(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(held, func(one factor.Held) bool { return one.ID == factorID })
		if at < 0 {
			return ErrNoFactor
		}
		if held[at].Name == name {
			return nil
		}
		found, err := m.Factors.Rename(ctx, tx, user.ID, factorID, name)
		if err != nil {
			return err
		}
		if !found {
			return ErrNoFactor
		}
		if err := renamings.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
		event := audit.By(caller).Is(audit.FactorRenamed, audit.OK)
		event.Method, event.Data = string(held[at].Kind), map[string]any{"factor": factorID}
		return audit.Record(ctx, tx, event)
	})
}

// remove ends one of several factors and, as every change of factors, what is open elsewhere. It holds the person, so
// that of two removals at once one finds the other's app gone and stays the last.
func (m *MFA) remove(ctx context.Context, caller web.Caller, factorID string) (session.Token, error) {
	var token session.Token
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		apps, err := m.Apps.Held(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if len(apps) == 1 && apps[0].ID == factorID {
			return ErrLastApp
		}
		kind, err := m.Factors.Remove(ctx, tx, user.ID, factorID)
		if err != nil {
			return err
		}
		if kind == "" {
			return ErrNoFactor
		}
		event := audit.By(caller).Is(audit.FactorRemoved, audit.OK)
		event.Method = string(kind)
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		token, err = m.FactorsChanged(ctx, tx, caller, "factor_removed")
		return err
	})
	if err != nil {
		return nil, err
	}
	return token, nil
}
