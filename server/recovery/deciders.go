package recovery

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// eligible are those who can decide about somebody: active administrators with 2-step verification of their own, and never
// the person (security.md row 53).
const eligible = "u.role = 'administrator' AND u.disabled_at IS NULL AND u.password_hash <> '' AND u.mfa_since IS NOT NULL AND u.id <> ?"

// deciders counts who can decide about the person now.
func deciders(ctx context.Context, db bun.IDB, user *account.User) (int, error) {
	count, err := db.NewSelect().Model((*account.User)(nil)).Where(eligible, user.ID).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count who can decide: %w", err)
	}
	return int(count), nil
}

// approvals counts those of people who can still decide: one who was demoted, disabled, or has no second step any more, has
// approved nothing.
func approvals(ctx context.Context, db bun.IDB, ticketID, userID string) (int, error) {
	count, err := db.NewSelect().Model((*decision)(nil)).Join("JOIN users AS u ON u.id = d.administrator_id").
		Where("d.ticket_id = ? AND d.approve", ticketID).Where(eligible, userID).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the approvals: %w", err)
	}
	return int(count), nil
}

// needed is how many approvals the person needs, where so many others can decide: as set, two at the least for an
// administrator, and never more than there are others. Of nobody one is asked all the same.
func (r *Recoveries) needed(user *account.User, others int) int {
	wanted := r.Settings.Approvals
	if user.Role == account.Administrator {
		wanted = max(2, wanted)
	}
	return max(1, min(wanted, others))
}

// onConsole reports whether nobody here can let the person in: an administrator whom no other can decide about, or to whom no
// link can be mailed, since another administrator must never see it (security.md, enrolment link).
func (r *Recoveries) onConsole(user *account.User, others int) bool {
	return user.Role == account.Administrator && (others == 0 || !r.Mail.Sends())
}

// decidableAt is from when it can be decided, as things stand now; zero before the proof. An administrator with one other
// waits longer, since that one decides alone.
func (r *Recoveries) decidableAt(of *recovery, user *account.User, others int) database.Instant {
	if of.ProvedAt.IsZero() {
		return 0
	}
	return database.At(of.ProvedAt.Time().Add(r.wait(user, others)))
}

func (r *Recoveries) wait(user *account.User, others int) time.Duration {
	if user.Role == account.Administrator && others == 1 {
		return max(r.Settings.Delay, oneOtherWait)
	}
	return r.Settings.Delay
}
