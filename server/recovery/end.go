package recovery

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// Why a request is cancelled, besides what others call it.
const (
	bySecondStep = "second_step" // an old factor was given
	withdrawn    = "withdrawn"   // by the browser that asked
	restored     = "restored"    // the installation, from a backup
)

// ends are the events of the ends.
var ends = map[string]string{
	Done: audit.RecoveryCompleted, Refused: audit.RecoveryRefused, Stopped: audit.RecoveryStopped,
	Cancelled: audit.RecoveryCancelled, Expired: audit.RecoveryExpired,
}

// end ends a request of somebody who is held: one conditional write, so that of two ends at once one comes too late. What an
// approval has let out ends with it, but for the session that has just completed it.
func (r *Recoveries) end(ctx context.Context, tx database.Tx, event audit.Event, found *recovery, to string) error {
	ended, err := database.Touched(tx.NewUpdate().Model((*recovery)(nil)).
		Set("state = ?", to).Set("ended_at = ?", database.At(tx.Now)).Set("proof_hash = NULL").
		Where("ticket_id = ? AND state = ?", found.TicketID, found.State).
		Where("state IN (?)", bun.List(openStates)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("end a request to get back in: %w", err)
	}
	if ended != 1 {
		return ErrChanged
	}
	if err := account.SetRecovery(ctx, tx, found.UserID, "", 0); err != nil {
		return err
	}
	if _, err := ticket.Move(ctx, tx, found.TicketID, ticket.Solved, ticket.Unproved, ticket.Open, ticket.Waiting); err != nil {
		return err
	}
	if err := stop.Void(ctx, tx, found.UserID, stop.Recovery); err != nil {
		return err
	}
	event = event.About(found.UserID).Is(ends[to], audit.OK)
	if event.Data == nil {
		event.Data = map[string]any{}
	}
	event.Data["ticket"], event.Data["from"] = found.TicketID, found.State
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	if found.State != Approved {
		return nil
	}
	if err := signin.VoidEnrolmentLink(ctx, tx, found.UserID); err != nil || to == Done {
		return err
	}
	return r.shut(ctx, tx, event, found.UserID)
}

// shut ends the sessions that an enrolment link has opened and what was begun in one: the app of whoever has begun must not
// be taken up in another session.
func (r *Recoveries) shut(ctx context.Context, tx database.Tx, event audit.Event, userID string) error {
	if _, err := r.Sessions.EndConfined(ctx, tx, event, userID, "recovery_ended"); err != nil {
		return err
	}
	enrolment, err := authenticator.EnrolmentOf(ctx, tx, userID)
	if err != nil || enrolment == nil {
		return err
	}
	alive, err := r.Sessions.Alive(ctx, tx, enrolment.SessionID)
	if err != nil || alive {
		return err
	}
	if err := backupcode.DropPending(ctx, tx, userID); err != nil {
		return err
	}
	return authenticator.AbandonEnrolment(ctx, tx, r.Keys, userID)
}

// Cancel ends the open request of somebody who is held and who has just given a second step of before.
func (r *Recoveries) Cancel(ctx context.Context, tx database.Tx, event audit.Event, user *account.User) error {
	return r.cancel(ctx, tx, event, user, bySecondStep)
}

// Supersede ends the open request of somebody who is held, because something else has become of their account that they
// are told of by itself.
func (r *Recoveries) Supersede(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, why string) error {
	event.Quiet = true
	return r.cancel(ctx, tx, event, user, why)
}

// EndFor is Supersede for what people get no other mail of.
func (r *Recoveries) EndFor(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, why string) error {
	return r.cancel(ctx, tx, event, user, why)
}

func (r *Recoveries) cancel(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, why string) error {
	if user.Recovery == "" {
		return nil
	}
	found, err := openOf(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	if found == nil {
		return ErrChanged
	}
	event.Reason, event.Data = why, nil
	if err := r.end(ctx, tx, event, found, Cancelled); err != nil {
		return err
	}
	user.Recovery = ""
	return nil
}

// Stop ends the open request of somebody who is held, for whoever the event is begun with; false where there is none.
func (r *Recoveries) Stop(ctx context.Context, tx database.Tx, event audit.Event, user *account.User) (bool, error) {
	found, err := openOf(ctx, tx, user.ID)
	if err != nil || found == nil {
		return false, err
	}
	event.Reason, event.Data = "", nil
	return true, r.end(ctx, tx, event, found, Stopped)
}

// stopHere ends it from a session of the person, whatever that was opened with, but for one that the request itself has led to.
func (r *Recoveries) stopHere(ctx context.Context, caller web.Caller) error {
	if caller.Session.Anew {
		return web.ErrNotPermitted
	}
	return r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		alive, err := r.Sessions.Alive(ctx, tx, caller.Session.ID)
		if err != nil {
			return err
		}
		stopped := false
		if alive { // ended meanwhile, it says nothing any more
			if stopped, err = r.Stop(ctx, tx, audit.By(caller), user); err != nil {
				return err
			}
		}
		if !stopped {
			return ErrNone
		}
		return nil
	})
}

// withdraw takes the request back, in the browser that has asked.
func (r *Recoveries) withdraw(ctx context.Context, caller web.Caller) error {
	return r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Pending.UserID)
		if err != nil {
			return err
		}
		if err := signin.StillPending(ctx, tx, caller); err != nil {
			return err
		}
		found, err := openOf(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if found == nil {
			return ErrNone
		}
		if !found.here(caller.Client) {
			return ErrElsewhere
		}
		return r.cancel(ctx, tx, audit.By(caller), user, withdrawn)
	})
}

// Complete ends the approved request of somebody who is held, because they have enrolled anew.
func (r *Recoveries) Complete(ctx context.Context, tx database.Tx, event audit.Event, user *account.User) error {
	found, err := openOf(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	if found == nil || found.stateAt(tx.Now) != Approved {
		return ErrChanged
	}
	return r.end(ctx, tx, event, found, Done)
}

// expire ends a request whose time is over. Nobody is told of one that nobody has proved.
func (r *Recoveries) expire(ctx context.Context, tx database.Tx, found *recovery) error {
	return r.end(ctx, tx, audit.Event{Quiet: found.State == Asked}, found, Expired)
}
