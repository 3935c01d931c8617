package recovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// prove takes the mailed link, in a pending sign-in of the very person: the mailbox together with the password.
func (r *Recoveries) prove(ctx context.Context, caller web.Caller, link string) (*RecoveryView, error) {
	token, ok := web.Token(link)
	if !ok {
		return nil, ErrLink
	}
	hash := sha256.Sum256(token)
	err := r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
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
		if found == nil || found.stateAt(tx.Now) != Asked || !bytes.Equal(found.ProofHash, hash[:]) {
			return ErrLink
		}
		return r.proved(ctx, tx, audit.By(caller), user, found, byEmail)
	})
	if err != nil {
		return nil, err
	}
	return r.shown(ctx, caller)
}

// confirms reports whether a session can stand in for the proof of the address: one that was opened with a second step.
func confirms(held *web.Session) bool {
	secondStep := func(way string) bool { return way != web.Password && way != signin.ByLink }
	return held.ConfinedTo == "" && held.MFA && slices.ContainsFunc(held.SignedInWith, secondStep)
}

// confirm says from a browser that is signed in with a second step that it was the person. It is no second step itself, so it
// cancels nothing.
func (r *Recoveries) confirm(ctx context.Context, caller web.Caller, password string) (*OwnView, error) {
	if !confirms(caller.Session) {
		return nil, ErrUnconfirmable
	}
	if caller.Session.Recovery != Asked {
		return nil, ErrChanged // before a password is counted for it
	}
	if err := r.SignIn.CheckPassword(ctx, caller, audit.RecoveryProved, password); err != nil {
		return nil, err
	}
	err := r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		alive, err := r.Sessions.Alive(ctx, tx, caller.Session.ID)
		if err != nil {
			return err
		}
		found, err := openOf(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if !alive || found == nil || found.stateAt(tx.Now) != Asked {
			return ErrChanged
		}
		return r.proved(ctx, tx, audit.By(caller), user, found, bySession)
	})
	if err != nil {
		return nil, err
	}
	return r.own(ctx, caller, caller.Session.UserID)
}

// proved lets a request of somebody who is held wait for its time.
func (r *Recoveries) proved(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, found *recovery, how string) error {
	others, err := deciders(ctx, tx, user, found)
	if err != nil {
		return err
	}
	r.startWaiting(found, user, others, tx.Now)
	moved, err := database.Touched(tx.NewUpdate().Model((*recovery)(nil)).
		Set("state = ?", Proved).Set("proof_hash = NULL").Set("proved_by = ?", how).
		Set("proved_at = ?", found.ProvedAt).Set("decidable_at = ?", found.DecidableAt).Set("expires_at = ?", found.ExpiresAt).
		Where("ticket_id = ? AND user_id = ? AND state = ? AND expires_at > ?", found.TicketID, user.ID, Asked, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("note a proof: %w", err)
	}
	if moved != 1 {
		return ErrChanged
	}
	if err := account.SetRecovery(ctx, tx, user.ID, Proved, found.ExpiresAt); err != nil {
		return err
	}
	if err := ticket.Prove(ctx, tx, found.TicketID); err != nil {
		return err
	}
	told := event.Is(audit.RecoveryProved, audit.OK)
	told.Method, told.Data = how, map[string]any{"ticket": found.TicketID}
	return audit.Record(ctx, tx, told)
}
