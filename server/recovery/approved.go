package recovery

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/stop"
)

// approvedUntil lets a request be approved until then, that is in this state.
func approvedUntil(ctx context.Context, tx database.Tx, found *recovery, from string, until database.Instant) error {
	moved, err := database.Touched(tx.NewUpdate().Model((*recovery)(nil)).Set("state = ?", Approved).Set("expires_at = ?", until).
		Where("ticket_id = ? AND state = ? AND expires_at > ?", found.TicketID, from, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("approve a request to get back in: %w", err)
	}
	if moved != 1 {
		return ErrChanged
	}
	return account.SetRecovery(ctx, tx, found.UserID, Approved, until)
}

// Enrolling lets somebody who is held finish what they begin now, in the session that the link has opened, before the request
// is over by its time: an enrolment has its own time, and who scans at the last minute is not thrown out between the code and
// the backup codes. It opens nothing: the link is used, the session is theirs and ends by itself, and they could have finished
// already. Whoever could stop or cancel the request can to the end, which no stop by mail is outlived by.
func (r *Recoveries) Enrolling(ctx context.Context, tx database.Tx, user *account.User) error {
	if user.RecoveryAt(tx.Now) != Approved {
		return nil
	}
	found, err := openOf(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	if found == nil {
		return ErrChanged
	}
	until := database.At(tx.Now.Add(authenticator.Within))
	if last := database.At(found.AskedAt.Time().Add(stop.RecoveryFor)); until > last {
		until = last
	}
	if until <= found.ExpiresAt {
		return nil
	}
	return approvedUntil(ctx, tx, found, Approved, until)
}
