package recovery

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
)

// eligible are those who can decide about somebody: active administrators with 2-step verification of their own, and never
// the person (security.md row 53).
const eligible = "u.role = 'administrator' AND u.disabled_at IS NULL AND u.password_hash <> '' AND u.mfa_since IS NOT NULL AND u.id <> ?"

// counts is the condition on those whose decision about the person counts, now and of this request.
func counts(of *recovery, user *account.User) (where string, args []any) {
	if of == nil || user.Role != account.Administrator {
		return eligible, []any{user.ID}
	}
	return then, []any{user.ID, of.AskedAt, database.FirstID(of.AskedAt.Time())}
}

// then adds that they could already when it was asked: who makes themself others, or makes others administrators, while a
// request of an administrator waits, has them decide about the next one.
const then = eligible + ` AND u.mfa_since <= ?
	AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.subject_id = u.id AND e.kind = 'role.changed' AND e.id >= ?)`

// circle is who can decide about somebody.
type circle struct {
	count int
	since time.Time // when somebody last ceased to be one of them since the request; zero where nobody can have
}

// deciders looks who can decide about the person now. Of is their request; nil while they have none.
func deciders(ctx context.Context, db bun.IDB, user *account.User, of *recovery) (circle, error) {
	where, args := counts(of, user)
	count, err := db.NewSelect().Model((*account.User)(nil)).Where(where, args...).Count(ctx)
	if err != nil {
		return circle{}, fmt.Errorf("count who can decide: %w", err)
	}
	found := circle{count: int(count)}
	if of == nil || user.Role != account.Administrator {
		return found, nil
	}
	var last sql.NullInt64
	err = db.NewRaw(`SELECT MAX(e.at) FROM events AS e LEFT JOIN users AS u ON u.id = e.subject_id
		WHERE e.id >= ? AND e.kind IN (?) AND e.result = 'ok' AND (u.role = 'administrator' OR e.data LIKE '%"administrator"%')`,
		database.FirstID(of.AskedAt.Time()), bun.List(leaving)).Scan(ctx, &last)
	if err != nil {
		return circle{}, fmt.Errorf("look who ceased to decide: %w", err)
	}
	if last.Valid {
		found.since = database.Instant(last.Int64).Time()
	}
	return found, nil
}

// leaving are the events by which an administrator may cease to be one who decides. Where the person is one no more, or
// gone, the event has the role.
var leaving = []string{audit.RoleChanged, audit.UserDisabled, audit.UserRemoved, audit.Disabled, audit.Reset}

// approvals counts those of people who can still decide: one who was demoted, disabled, or has no second step any more, has
// approved nothing.
func approvals(ctx context.Context, db bun.IDB, of *recovery, user *account.User) (int, error) {
	where, args := counts(of, user)
	count, err := db.NewSelect().Model((*decision)(nil)).Join("JOIN users AS u ON u.id = d.administrator_id").
		Where("d.ticket_id = ? AND d.approve", of.TicketID).Where(where, args...).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the approvals: %w", err)
	}
	return int(count), nil
}

// needed is how many approvals the person needs, where so many others can decide: as set, two at the least for an
// administrator, and never more than there are others. Of nobody one is asked all the same.
func (r *Recoveries) needed(user *account.User, others circle) int {
	wanted := r.Settings.Approvals
	if user.Role == account.Administrator {
		wanted = max(2, wanted)
	}
	return max(1, min(wanted, others.count))
}

// onConsole reports whether nobody here can let the person in: an administrator whom no other can decide about, or to whom no
// link can be mailed, since another administrator must never see it (security.md, enrolment link).
func (r *Recoveries) onConsole(user *account.User, others circle) bool {
	return user.Role == account.Administrator && (others.count == 0 || !r.Mail.Sends())
}

// decidableAt is from when it can be decided, as things stand now; zero before the proof. An administrator with one other
// waits longer, since that one decides alone, and anew since they are the only one.
func (r *Recoveries) decidableAt(of *recovery, user *account.User, others circle) database.Instant {
	if of.ProvedAt.IsZero() {
		return 0
	}
	if user.Role == account.Administrator && others.count == 1 && others.since.After(of.ProvedAt.Time()) {
		return database.At(others.since.Add(r.wait(user, others)))
	}
	return database.At(of.ProvedAt.Time().Add(r.wait(user, others)))
}

func (r *Recoveries) wait(user *account.User, others circle) time.Duration {
	if user.Role == account.Administrator && others.count == 1 {
		return max(r.Settings.Delay, oneOtherWait)
	}
	return r.Settings.Delay
}
