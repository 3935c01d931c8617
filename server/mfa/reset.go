package mfa

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/web"
)

// settlesIn is how long somebody whose role or address was changed is reset on the console alone. One administrator could
// else make another a member, reset them and give the role back, which goes round security.md row 57; and whoever got an
// account's mails sent to themself would get the enrolment link with them. By then it was noticed.
const settlesIn = 7 * 24 * time.Hour

type resetInput struct {
	web.PersonPath
	Body struct {
		Password   string     `json:"password" maxLength:"4096" doc:"The administrator's own."`
		Code       string     `json:"code" maxLength:"200" doc:"Six digits of the administrator's own app."`
		Reason     string     `json:"reason" maxLength:"1200" doc:"Why, for the record and for the person."`
		BrowserNow *time.Time `json:"browser_now,omitempty" doc:"What the browser's clock says; it helps to explain a refusal and changes no decision."`
	}
}

// Reset is somebody reset.
type Reset struct {
	EnrolmentLink *string   `json:"enrolment_link" doc:"To hand over to the person, this once; null where it was mailed to them. Where mail leaves, it is handed over all the same to whoever chose their password through the mailbox within 7 days."`
	ExpiresAt     time.Time `json:"expires_at" doc:"Until when the link is good."`
}

type resetOutput struct {
	SetCookie []http.Cookie
	Body      Reset
}

func (m *MFA) registerReset(api *web.API, operation describe) {
	reset := operation("reset", http.MethodPost, securityPath+"/reset", "Reset somebody who has lost every factor")
	reset.Description = "Signs the person out everywhere and refuses everything they could prove the second step with, at once; with the link and their " +
		"password they enrol anew. Password and code are the administrator's own and count as fresh proof. A second reset voids the link of the first. " +
		"403 `own_reset` for oneself and `administrator_reset` for another administrator, who is reset on the console, as is, with `reset_too_soon`, whose role or address was changed within 7 days; 409 `mfa_off` where there is nothing to reset."
	web.Register(api, web.ProtectedAdministrator, reset,
		func(ctx context.Context, caller web.Caller, in *resetInput) (*resetOutput, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			reason := strings.TrimSpace(in.Body.Reason)
			if fields := account.CheckReason(reason); len(fields) > 0 {
				return nil, account.ErrInvalid.For(fields...)
			}
			proof := signin.Proof{Password: in.Body.Password, Code: in.Body.Code}
			if in.Body.BrowserNow != nil {
				proof.BrowserNow = *in.Body.BrowserNow
			}
			done, token, err := m.resetBy(ctx, caller, proof, id, reason)
			if err != nil {
				return nil, err
			}
			out := &resetOutput{SetCookie: []http.Cookie{api.SessionCookie(token)}, Body: Reset{ExpiresAt: done.until}}
			if !done.mailed {
				link := api.EnrolmentLink(done.token)
				out.Body.EnrolmentLink = &link
			}
			return out, nil
		})

	unlock := operation("unlock", http.MethodPost, securityPath+"/unlock", "Let somebody try codes again")
	unlock.DefaultStatus = http.StatusNoContent
	unlock.Description = "Ends the delay, or the lock, that wrong codes have brought. 403 `own_unlock` for oneself, 409 `not_locked` where there is neither."
	web.Register(api, web.FreshAdministrator, unlock,
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*struct{}, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			return nil, m.unlock(ctx, caller, id)
		})
}

// resetDone is somebody reset, with the token of their enrolment link.
type resetDone struct {
	token  string
	mailed bool // to the person, so that it is nobody else's to see
	until  time.Time
}

// resetBy is the reset by an administrator. What refuses it is looked at before the code is, so that it costs none.
func (m *MFA) resetBy(ctx context.Context, caller web.Caller, proof signin.Proof, userID, reason string) (*resetDone, session.Token, error) {
	user, err := account.ByID(ctx, m.Database.Read(), userID)
	if err != nil {
		return nil, nil, err
	}
	if user == nil {
		return nil, nil, account.ErrNoUser
	}
	if err := resettable(caller, user); err != nil {
		return nil, nil, err
	}
	var done *resetDone
	token, err := m.SignIn.ProveFor(ctx, caller, proof, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		if err := resettable(caller, user); err != nil {
			return err
		}
		unsettled, err := audit.Recent(ctx, tx, user.ID, settlesIn, audit.RoleChanged, audit.EmailChanged)
		if err != nil {
			return err
		}
		if unsettled {
			return recovery.ErrTooSoon
		}
		if done, err = m.reset(ctx, tx, audit.By(caller), user, reason); err != nil {
			return err
		}
		return m.mailLink(ctx, tx, user, done)
	})
	return done, token, err
}

// mailLink sends the enrolment link to the person alone, where mail leaves. Whose password was chosen through the mailbox
// lately gets it from the administrator, who has made sure that it is them: the mailbox alone must not open an account (row 49).
func (m *MFA) mailLink(ctx context.Context, tx database.Tx, user *account.User, done *resetDone) error {
	byMailbox, err := audit.RecentBy(ctx, tx, user.ID, tx.Now.Add(-settlesIn), audit.PasswordChanged, audit.ByPasswordLink)
	if err != nil || byMailbox {
		return err
	}
	done.mailed, err = m.ByMail(ctx, tx, user, web.EnrolmentLink("", done.token), done.until)
	return err
}

// resettable refuses whom this administrator may not reset (security.md row 57): themself, and an equal.
func resettable(caller web.Caller, user *account.User) error {
	switch {
	case user.ID == caller.Session.UserID:
		return ErrOwnReset
	case user.Role == account.Administrator:
		return ErrAdministratorReset
	case !user.MFA() && !user.Reset():
		return ErrOff
	case user.Requirement == account.RequirementOff:
		return ErrNotAllowed
	}
	return nil
}

// ResetOnConsole resets somebody, an administrator too, and answers the token of their enrolment link.
func (m *MFA) ResetOnConsole(ctx context.Context, userID string) (token string, until time.Time, err error) {
	var done *resetDone
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		if user.Requirement == account.RequirementOff {
			return ErrNotAllowed
		}
		done, err = m.reset(ctx, tx, audit.FromConsole(), user, "")
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return done.token, done.until, nil
}

// reset ends at once whatever the person has open and has begun, and refuses what they hold. What they hold stays where it
// is until something new is in force: users.reset_at refuses it, in the statement by which each factor is accepted.
func (m *MFA) reset(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, reason string) (*resetDone, error) {
	begun, err := account.BeginReset(ctx, tx, user.ID)
	if err != nil {
		return nil, err
	}
	if !begun {
		return nil, ErrOff
	}
	if err := m.Recovery.Supersede(ctx, tx, event, user, "reset"); err != nil {
		return nil, err
	}
	if _, err := signin.WithdrawEmail(ctx, tx, event.About(user.ID)); err != nil {
		return nil, err
	}
	// An enrolment that goes on in another session would go on after the reset: somebody else may have begun it.
	if err := m.Factors.Abandon(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	if err := signin.EndPending(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	if err := signin.ForgetCodes(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	token, err := m.SignIn.IssueEnrolmentLink(ctx, tx, user.ID)
	if err != nil {
		return nil, err
	}
	what := audit.Reset
	if user.Reset() {
		what = audit.LinkRenewed // off it was already: who counts the protected by events counts a reset once
	}
	was := event.About(user.ID).Is(what, audit.OK)
	if reason != "" {
		was.Data = map[string]any{"why": reason}
	}
	if err := audit.Record(ctx, tx, was); err != nil {
		return nil, err
	}
	// Of the link that it was made with: the one before is void, and with it what stopped that.
	if err := stop.Void(ctx, tx, user.ID, stop.Reset); err != nil {
		return nil, err
	}
	if err := m.Stops.Offer(ctx, tx, event, user, stop.Reset); err != nil {
		return nil, err
	}
	if _, err := m.Sessions.EndOthers(ctx, tx, event, user.ID, "", "reset"); err != nil {
		return nil, err
	}
	return &resetDone{token: token, until: tx.Now.Add(signin.LinkFor)}, nil
}

// anewStill refuses a session that an enrolment link has opened and whose reset or recovery has ended since the request
// began: what it enrols would come beside what is in force, and not in its place. The person is held.
func anewStill(tx database.Tx, caller web.Caller, user *account.User) error {
	if caller.Session.Anew && !user.EnrolsByLink(tx.Now) {
		return ErrChanged
	}
	return nil
}

// startOver is part of the activation by which somebody who was reset, or had lost everything, is back: everything from
// before it goes, and the session may do everything again (security.md row 54).
func (m *MFA) startOver(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User) error {
	if err := m.Factors.Retire(ctx, tx, user.ID); err != nil {
		return err
	}
	if user.Reset() {
		if err := m.endReset(ctx, tx, user); err != nil {
			return err
		}
	} else if err := m.Recovery.Complete(ctx, tx, audit.By(caller), user); err != nil {
		return err
	}
	if _, err := signin.WithdrawEmail(ctx, tx, audit.By(caller)); err != nil {
		return err
	}
	if err := signin.ForgetCodes(ctx, tx, user.ID); err != nil {
		return err
	}
	return m.Sessions.Free(ctx, tx, caller.Session)
}

func (m *MFA) endReset(ctx context.Context, tx database.Tx, user *account.User) error {
	ended, err := account.EndReset(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	if !ended {
		return ErrChanged
	}
	if err := signin.VoidEnrolmentLink(ctx, tx, user.ID); err != nil {
		return err
	}
	return stop.Void(ctx, tx, user.ID, stop.Reset)
}

// unlock lets somebody try codes again.
func (m *MFA) unlock(ctx context.Context, caller web.Caller, userID string) error {
	if userID == caller.Session.UserID {
		return ErrOwnUnlock
	}
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		unlocked, err := signin.Unlock(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if !unlocked {
			return ErrNotLocked
		}
		return audit.Record(ctx, tx, audit.By(caller).About(user.ID).Is(audit.CodesUnlocked, audit.OK))
	})
}
