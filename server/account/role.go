package account

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// ActiveAdministrator reports whether the person can act as an administrator: one who has joined and is not disabled.
func (u *User) ActiveAdministrator() bool {
	return u.Role == Administrator && u.DisabledAt.IsZero() && !u.Invited()
}

// StillAdministrator refuses a caller who was an administrator with 2-step verification when the request came in and
// is none any more, and keeps one that is until the transaction ends: a demotion at the same time, or the loss of their
// own 2-step verification, comes after it, or is seen by it (security.md rows 56 and 80). So is the end of their session, but
// for what goes on without one.
func StillAdministrator(ctx context.Context, tx database.Tx, caller web.Caller) error {
	kept, err := tx.Keep(ctx, `SELECT 1 FROM users WHERE id = ? AND role = ? AND disabled_at IS NULL AND password_hash <> ''
		AND mfa_since IS NOT NULL`,
		caller.Session.UserID, Administrator)
	if err != nil {
		return fmt.Errorf("look at who acts: %w", err)
	}
	if !kept {
		return web.ErrNotPermitted
	}
	if caller.Session.ID == "" {
		return nil
	}
	// Asked after the wait for whoever was changing the administrator, in a statement of its own, which sees what they did.
	open, err := tx.NewSelect().Table("sessions").Where("id = ?", caller.Session.ID).Exists(ctx)
	if err == nil && !open {
		return web.ErrNotPermitted
	}
	if err != nil {
		return fmt.Errorf("look at the session of who acts: %w", err)
	}
	return nil
}

// SetRole gives a person another role; false where it is theirs already. Who calls it ends what is open.
func SetRole(ctx context.Context, tx database.Tx, id, role string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("role = ?", role).Where("id = ? AND role <> ?", id, role).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("set a role: %w", err)
	}
	return touched == 1, nil
}

// AnotherAdministrator reports whether the account has an active administrator besides this one.
func AnotherAdministrator(ctx context.Context, db bun.IDB, id string) (bool, error) {
	found, err := db.NewSelect().Model((*User)(nil)).
		Where("u.role = ? AND u.disabled_at IS NULL AND u.password_hash <> '' AND u.id <> ?", Administrator, id).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for another administrator: %w", err)
	}
	return found, nil
}
