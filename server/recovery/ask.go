package recovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// askings bound the requests of a person, and with them the mails, whoever asks in their name (security.md row 48). Somebody who
// only has the password can use them up by asking and taking back. They must not keep the owner out by it (row 45): with a new
// password, which takes the mailbox or the console, whoever had the old one is gone, and the owner's askings count anew. Who
// asks is bounded all the same, by the links to the mailbox and by what it is mailed of one kind within an hour.
var askings = audit.Limit{
	Kind: audit.RecoveryAsked, Most: 3, Within: 24 * time.Hour, Anew: []string{audit.PasswordChanged, audit.PasswordSet},
}

// mailedWithin is the time for which a mailbox gets so many mails of a kind.
const mailedWithin = time.Hour

// longestMessage is how many characters somebody writes to the support as they ask.
const longestMessage = 1000

// refusal says why somebody can't ask, whatever they say; nil where they can.
func (r *Recoveries) refusal(user *account.User, others circle) *problem.Problem {
	switch {
	case !user.DisabledAt.IsZero():
		return signin.ErrDisabled
	case user.Reset():
		return signin.ErrEnrolmentLinkRequired // there is a way in already
	case !user.AsksSecondStep():
		return ErrOff
	case r.onConsole(user, others):
		return ErrOnConsole
	}
	return nil
}

// pending reads what somebody whose password was right is told: their request, and whether they can ask for another.
func (r *Recoveries) pending(ctx context.Context, caller web.Caller) (*PendingRecovery, error) {
	db := r.Database.Read()
	user, err := account.ByID(ctx, db, caller.Pending.UserID)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, account.ErrNoUser
	}
	found, err := latest(ctx, db, user.ID, r.Now())
	if err != nil {
		return nil, err
	}
	others, err := deciders(ctx, db, user, nil)
	if err != nil {
		return nil, err
	}
	told := &PendingRecovery{Delay: inSeconds(r.wait(user, others))}
	if found != nil {
		if told.Recovery, err = r.view(ctx, caller, user, found); err != nil {
			return nil, err
		}
	}
	refusal := r.refusal(user, others)
	if refusal != nil {
		told.Refusal = refusal.Code
	}
	told.Askable = refusal == nil && (told.Recovery == nil || !open(told.Recovery.State))
	return told, nil
}

// shown reads the request of somebody whose password was right.
func (r *Recoveries) shown(ctx context.Context, caller web.Caller) (*RecoveryView, error) {
	told, err := r.pending(ctx, caller)
	if err == nil && told.Recovery == nil {
		err = ErrChanged
	}
	if err != nil {
		return nil, err
	}
	return told.Recovery, nil
}

// ask files a request. Asked again while one is open, it answers that one and does nothing.
func (r *Recoveries) ask(ctx context.Context, caller web.Caller, lines []string) (*RecoveryView, error) {
	message := strings.TrimSpace(strings.Join(lines, "\n"))
	if fields := account.CheckText("message", message, longestMessage); len(fields) > 0 {
		return nil, account.ErrInvalid.For(fields...)
	}
	token, err := session.NewToken(r.Random)
	if err != nil {
		return nil, err
	}
	reference, err := ticket.NewReference(r.Random)
	if err != nil {
		return nil, err
	}
	err = r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
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
		if found != nil && found.stateAt(tx.Now) != Expired {
			return nil
		}
		if found != nil {
			if err := r.expire(ctx, tx, found); err != nil {
				return err
			}
		}
		others, err := deciders(ctx, tx, user, nil)
		if err != nil {
			return err
		}
		if refusal := r.refusal(user, others); refusal != nil {
			return refusal
		}
		wait, err := askings.Wait(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if wait > 0 {
			return ErrTooOften.After(wait)
		}
		full, err := r.Mail.Full(ctx, tx, user.Email, mail.RecoveryProof)
		if err != nil {
			return err
		}
		if full { // nobody could prove it
			return ErrTooOften.After(mailedWithin)
		}
		return r.file(ctx, tx, caller, user, others, filing{message: message, token: token, reference: reference})
	})
	if err != nil {
		return nil, err
	}
	return r.shown(ctx, caller)
}

// filing is what a new request is made of.
type filing struct {
	message   string
	token     session.Token // of the link that proves the address
	reference string
}

// file puts the request on record, and tells the mailbox twice: with what proves the address, and with what stops it.
func (r *Recoveries) file(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, others circle, made filing) error {
	event := audit.By(caller).Is(audit.RecoveryAsked, audit.OK)
	filed := &ticket.Ticket{
		Reference: made.reference, Kind: ticket.Recovery, UserID: user.ID, Name: user.Name, Email: user.Email, EmailKey: user.EmailKey,
		State: ticket.Unproved, Browser: caller.Browser, Address: event.Address,
	}
	added := &recovery{
		UserID: user.ID, State: Asked, AskedAt: database.At(tx.Now), BrowserID: caller.BrowserID, ExpiresAt: database.At(tx.Now.Add(proveWithin)),
	}
	if r.Mail.Sends() {
		hash := sha256.Sum256(made.token)
		added.ProofHash = hash[:]
	} else {
		filed.State, added.State, added.ProvedBy = ticket.Open, Proved, byNothing
		r.startWaiting(added, user, others, tx.Now)
	}
	if err := ticket.File(ctx, tx, filed, made.message); err != nil {
		return err
	}
	added.TicketID = filed.ID
	if _, err := tx.NewInsert().Model(added).Exec(ctx); err != nil {
		return fmt.Errorf("file a request to get back in: %w", err)
	}
	if err := account.SetRecovery(ctx, tx, user.ID, added.State, added.ExpiresAt); err != nil {
		return err
	}
	event.Data = map[string]any{"ticket": filed.ID}
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	if err := r.Stops.Offer(ctx, tx, event, user, stop.Recovery); err != nil {
		return err
	}
	if added.State == Proved {
		return nil
	}
	_, err := r.Mail.Send(ctx, tx, mail.Letter{
		UserID: user.ID, To: user.Email, Name: user.Name, Kind: mail.RecoveryProof, Facts: event.Facts(),
		Path: web.Link("", Page, made.token), Until: added.ExpiresAt.Time(),
	})
	return err
}

// startWaiting lets the waiting period begin.
func (r *Recoveries) startWaiting(of *recovery, user *account.User, others circle, now time.Time) {
	waits := r.wait(user, others)
	of.ProvedAt, of.DecidableAt = database.At(now), database.At(now.Add(waits))
	of.ExpiresAt = database.At(now.Add(max(decideWithin, waits+decideAtHand)))
}
