package people

import (
	"context"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// change is what a person is to be from now on; nil leaves it as it is.
type change struct {
	name     *string
	role     *string
	disabled *bool
}

// grave reports whether it takes an administrator to change it.
func (c change) grave() bool { return c.role != nil || c.disabled != nil }

// renamings are how often a person may change their name.
var renamings = audit.Limit{Kind: audit.NameChanged, Most: 20, Within: time.Hour}

// change changes a person. All of it is done, or nothing is.
func (p *People) change(ctx context.Context, caller web.Caller, id string, to change) error {
	own := id == "me" || id == caller.Session.UserID
	if own {
		id = caller.Session.UserID
		switch {
		case to.role != nil:
			return p.refuseOwn(ctx, caller, ErrOwnRole)
		case to.disabled != nil:
			return p.refuseOwn(ctx, caller, ErrOwnAccount)
		}
	}
	if to.name != nil {
		if fields := account.CheckName(*to.name); len(fields) > 0 {
			return account.ErrInvalid.For(fields...)
		}
	}
	return p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if to.grave() {
			if err := account.HoldInstallation(ctx, tx); err != nil {
				return err
			}
		}
		if !own {
			if err := account.StillAdministrator(ctx, tx, caller); err != nil {
				return err
			}
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := rename(ctx, tx, caller, user, to.name, own); err != nil {
			return err
		}
		if err := p.giveRole(ctx, tx, caller, user, to.role); err != nil {
			return err
		}
		return p.close(ctx, tx, caller, user, to.disabled)
	})
}

func rename(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, name *string, own bool) error {
	if name == nil {
		return nil
	}
	changed, err := account.Rename(ctx, tx, user, *name)
	if err != nil || !changed {
		return err
	}
	if own {
		if err := renamings.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, audit.By(caller).About(user.ID).Is(audit.NameChanged, audit.OK))
}

// giveRole gives the person another role. Whoever becomes an administrator is no longer forbidden 2-step verification,
// since that is impossible for one (security.md, requirement).
func (p *People) giveRole(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, role *string) error {
	if role == nil || *role == user.Role {
		return nil
	}
	if _, err := account.SetRole(ctx, tx, user.ID, *role); err != nil {
		return err
	}
	given := audit.By(caller).About(user.ID).Is(audit.RoleChanged, audit.OK)
	given.Data = map[string]any{"from": user.Role, "to": *role}
	if err := audit.Record(ctx, tx, given); err != nil {
		return err
	}
	user.Role = *role
	if user.Role == account.Administrator && user.Requirement == account.RequirementOff {
		if err := account.SetRequirement(ctx, tx, user.ID, account.RequirementAllowed, 0); err != nil {
			return err
		}
		allowed := audit.By(caller).About(user.ID).Is(audit.RequirementSet, audit.OK)
		allowed.Data = map[string]any{"from": account.RequirementOff, "to": account.RequirementAllowed}
		if err := audit.Record(ctx, tx, allowed); err != nil {
			return err
		}
	}
	return p.end(ctx, tx, caller, user, "role_changed")
}

// close disables the person, or opens their account again.
func (p *People) close(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, disabled *bool) error {
	if disabled == nil {
		return nil
	}
	if !*disabled {
		opened, err := account.Enable(ctx, tx, user.ID)
		if err != nil || !opened {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).About(user.ID).Is(audit.UserEnabled, audit.OK))
	}
	closed, err := account.Disable(ctx, tx, user.ID)
	if err != nil || !closed {
		return err
	}
	if _, err := signin.WithdrawEmail(ctx, tx, audit.By(caller).About(user.ID)); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, audit.By(caller).About(user.ID).Is(audit.UserDisabled, audit.OK)); err != nil {
		return err
	}
	return p.end(ctx, tx, caller, user, "account_disabled")
}
