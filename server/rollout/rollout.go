// Package rollout asks something of many people: a requirement for a selection of the user list, 2-step verification of
// everybody, and reminders of it.
//
// Invariants:
//   - what was started is a row of the table roll_outs, and goes on from it after any break: a few people at a time, each
//     few in one transaction with the events of each, so that a sign-in waits for one of them at the most;
//   - the transaction begins by moving the cursor from where it was read, so of several that have the same few before them,
//     on whatever instance, exactly one does them (security.md row 80); the lease only spares the others the work;
//   - whoever started it is looked at in each of them: once they are no administrator, it stops (row 56);
//   - each is judged when their turn comes, by the rules that hold for one person alone (mfa.Requirement);
//   - nobody gets two mails for one thing: of a roll-out the one with its message, and of reminders one in 24 hours, whoever
//     sends them.
package rollout

import (
	"context"
	"log/slog"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/mfa"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	MFA      *mfa.MFA
	Mail     *mail.Mail
	People   account.Known
	Now      func() time.Time
	Logger   *slog.Logger
}

// RollOuts is the room.
type RollOuts struct {
	Dependencies

	wake chan struct{} // something was started here
}

// New prepares the room.
func New(dependencies Dependencies) *RollOuts {
	return &RollOuts{dependencies, make(chan struct{}, 1)}
}

// keepPeople is how long after its end it is kept whom a roll-out asked, and keepReminders that somebody reminded.
const (
	keepPeople    = 365 * 24 * time.Hour
	keepReminders = 30 * 24 * time.Hour
	prunedAtOnce  = 1000
)

// Prune deletes what nobody looks at any more. That something was asked of many people stays.
func Prune(ctx context.Context, tx database.Tx) error {
	for _, one := range []struct {
		what string
		args []any
	}{
		{"DELETE FROM roll_outs WHERE kind = 'reminder' AND ended_at <= ?", []any{database.At(tx.Now.Add(-keepReminders))}},
		{"DELETE FROM reminders WHERE at <= ?", []any{database.At(tx.Now.Add(-keepReminders))}},
		{`DELETE FROM roll_out_people WHERE (roll_out_id, user_id) IN (SELECT p.roll_out_id, p.user_id FROM roll_outs AS r
			JOIN roll_out_people AS p ON p.roll_out_id = r.id WHERE r.ended_at <= ? LIMIT ?)`, []any{database.At(tx.Now.Add(-keepPeople)), prunedAtOnce}},
	} {
		if _, err := tx.NewRaw(one.what, one.args...).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// AfterRestore stops what was under way when the backup was made: it went on since, and people were told of it.
func AfterRestore(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewRaw("UPDATE roll_outs SET state = 'stopped', stopped_for = ?, ended_at = ? WHERE state = 'running'",
		stoppedRestored, database.At(tx.Now)).Exec(ctx)
	return err
}
