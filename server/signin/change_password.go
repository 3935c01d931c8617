package signin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

type passwordInput struct {
	web.PersonPath
	Body struct {
		Password    string `json:"password" maxLength:"4096" doc:"The one in force."`
		NewPassword string `json:"new_password" maxLength:"4096"`
	}
}

// PasswordChanged is a password that is in force now.
type PasswordChanged struct {
	State         string `json:"state" enum:"changed"`
	SessionsEnded int    `json:"sessions_ended" doc:"How many other sessions the old one had opened."`
}

type passwordOutput struct {
	SetCookie []http.Cookie
	Body      PasswordChanged
}

func (s *SignIn) registerPassword(api *web.API) {
	web.RegisterOwn(api, web.Fresh, huma.Operation{
		OperationID: "change-password", Method: http.MethodPost, Path: "/api/v1/users/{id}/security/password",
		Summary: "Change my password", Tags: []string{"Security"},
	}, func(ctx context.Context, caller web.Caller, in *passwordInput) (*passwordOutput, error) {
		token, ended, err := s.changePassword(ctx, caller, in.Body.Password, in.Body.NewPassword)
		if err != nil {
			return nil, err
		}
		return &passwordOutput{
			SetCookie: []http.Cookie{api.SessionCookie(token)},
			Body:      PasswordChanged{State: "changed", SessionsEnded: ended},
		}, nil
	})
}

// changePassword puts a new password in the place of the one that is given with it, and ends what that one has opened
// elsewhere. Wrong codes stay counted: only who proves the mailbox clears those (security.md, wrong second steps).
func (s *SignIn) changePassword(ctx context.Context, caller web.Caller, password, wanted string) (session.Token, int, error) {
	held := caller.Session
	// The rules come first: what they refuse costs no try of the password.
	if fields := s.newPasswordFields(ctx, held, password, wanted); len(fields) > 0 {
		return nil, 0, account.ErrInvalid.For(fields...)
	}
	before, err := account.ByID(ctx, s.Database.Read(), held.UserID)
	if err != nil {
		return nil, 0, err
	}
	if err := s.CheckPassword(ctx, caller, audit.PasswordChanged, password); err != nil {
		return nil, 0, err
	}
	hash, err := s.Passwords.New(ctx, wanted, held.Name, held.Email)
	if err != nil {
		return nil, 0, err
	}
	var token session.Token
	var ended int
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, held.UserID)
		if err != nil {
			return err
		}
		if before == nil || user.PasswordChangedAt != before.PasswordChangedAt {
			return ErrWrongPassword // changed while it was checked
		}
		changed := audit.By(caller).Is(audit.PasswordChanged, audit.OK)
		if ended, err = s.replacePassword(ctx, tx, changed, "password_changed", hash, held.ID); err != nil {
			return err
		}
		token, err = s.Sessions.Rekey(ctx, tx, held)
		return err
	})
	return token, ended, err
}

// newPasswordFields says what is wrong with the password that is wanted.
func (s *SignIn) newPasswordFields(ctx context.Context, held *web.Session, password, wanted string) []problem.Field {
	if password == wanted {
		return []problem.Field{{Name: "new_password", Code: "password_unchanged"}}
	}
	fields := s.Passwords.Check(ctx, wanted, held.Name, held.Email)
	for n := range fields {
		fields[n].Name = "new_password"
	}
	return fields
}

// SetPassword gives the person a new password from the console and ends what the old one had opened: sessions, pending
// sign-ins, and the wrong codes counted against whoever had it (security.md row 34). Wrong passwords are counted by password
// (passwordBudget), so the new one starts without a delay.
func (s *SignIn) SetPassword(ctx context.Context, tx database.Tx, event audit.Event, userID, hash string) error {
	if err := ForgetCodes(ctx, tx, userID); err != nil {
		return err
	}
	_, err := s.replacePassword(ctx, tx, event.About(userID).Is(audit.PasswordSet, audit.OK), "password_set", hash, "")
	return err
}

// forgiveEvery is how often a password chosen through the mailbox ends the delay and the lock of codes.
const forgiveEvery = 24 * time.Hour

// ChoosePassword gives a person, who is held, the new password that they have chosen through their mailbox. It ends the same,
// and the enrolment link of somebody who was reset: that one may have gone to the same mailbox, and the mailbox alone must not
// open an account (row 49). Whoever resets them makes another one. Wrong codes are forgiven once a day: whoever has the
// mailbox and no second step would have as many guesses as they want else (row 41).
func (s *SignIn) ChoosePassword(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, hash string) error {
	if err := VoidEnrolmentLink(ctx, tx, user.ID); err != nil {
		return err
	}
	forgiven, err := audit.RecentBy(ctx, tx, user.ID, tx.Now.Add(-forgiveEvery), audit.PasswordChanged, audit.ByPasswordLink)
	if err != nil {
		return err
	}
	if !forgiven {
		if err := ForgetCodes(ctx, tx, user.ID); err != nil {
			return err
		}
	}
	_, err = s.replacePassword(ctx, tx, event.About(user.ID).Is(audit.PasswordChanged, audit.OK), "password_changed", hash, "")
	return err
}

// replacePassword ends everything that stands on the password of before but the session to keep, and gives the subject of
// the event another one. It answers how many sessions it ended.
func (s *SignIn) replacePassword(ctx context.Context, tx database.Tx, event audit.Event, why, hash, keep string) (ended int, err error) {
	if err := account.SetPassword(ctx, tx, event.Subject, hash); err != nil {
		return 0, err
	}
	if err := EndPending(ctx, tx, event.Subject); err != nil {
		return 0, err
	}
	if _, err := WithdrawEmail(ctx, tx, event); err != nil {
		return 0, err // whoever asked for it may be whom the password is changed for
	}
	if err := s.Factors.Abandon(ctx, tx, event.Subject); err != nil {
		return 0, err // as may whoever has seen its secret
	}
	if err := audit.Record(ctx, tx, event); err != nil {
		return 0, err
	}
	return s.Sessions.EndOthers(ctx, tx, event, event.Subject, keep, why)
}

// WithdrawEmail ends a change of address that waits for the subject of the event, whoever asked for it, and puts that on
// record; false where none waits.
func WithdrawEmail(ctx context.Context, tx database.Tx, event audit.Event) (bool, error) {
	waited, err := account.WithdrawEmail(ctx, tx, event.Subject)
	if err != nil || !waited {
		return false, err
	}
	return true, audit.Record(ctx, tx, event.Is(audit.EmailWithdrawn, audit.OK))
}
