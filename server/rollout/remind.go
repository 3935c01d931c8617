package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// remindAgain is how long somebody who was reminded is left in peace.
const remindAgain = 24 * time.Hour

// remind reminds somebody, unless they were lately; of several at once exactly one does.
func remind(ctx context.Context, tx database.Tx, by audit.Event, user *account.User) (bool, error) {
	touched, err := database.Touched(tx.NewRaw(`INSERT INTO reminders (user_id, at) VALUES (?, ?)
		ON CONFLICT (user_id) DO UPDATE SET at = excluded.at WHERE reminders.at <= ?`,
		user.ID, database.At(tx.Now), database.At(tx.Now.Add(-remindAgain))).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("note a reminder: %w", err)
	}
	if touched == 0 {
		return false, nil
	}
	event := by.About(user.ID).Is(audit.ReminderSent, audit.OK)
	if !user.Deadline.IsZero() {
		event.Data = map[string]any{"deadline": user.Deadline.Time()}
	}
	return true, audit.Record(ctx, tx, event)
}

// remindOne reminds a single person.
func (r *RollOuts) remindOne(ctx context.Context, caller web.Caller, id string) error {
	if !r.Mail.Sends() {
		return mail.ErrNoServer
	}
	return r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if !waits(user) || user.Invited() {
			return ErrNothingToRemind
		}
		sent, err := remind(ctx, tx, audit.By(caller), user)
		if err != nil || sent {
			return err
		}
		var last database.Instant
		if err := tx.NewSelect().TableExpr("reminders").Column("at").Where("user_id = ?", user.ID).Scan(ctx, &last); err != nil {
			return fmt.Errorf("when somebody was reminded: %w", err)
		}
		return ErrRemindedLately.After(last.Time().Add(remindAgain).Sub(tx.Now))
	})
}
