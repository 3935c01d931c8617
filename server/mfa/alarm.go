package mfa

import (
	"context"
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

type alarmInput struct {
	web.PersonPath
	Body *struct { // may be absent
		Event string `json:"event,omitempty" maxLength:"40" doc:"The event that was not theirs."`
	}
}

// Alarm is what "This wasn't me" has done.
type Alarm struct {
	SessionsEnded int `json:"sessions_ended" doc:"How many other sessions were open, and no longer are."`
}

type alarmOutput struct {
	SetCookie []http.Cookie
	Body      Alarm
}

func (m *MFA) registerAlarm(api *web.API, operation describe) {
	alarm := operation("not-me", http.MethodPost, securityPath+"/not-me", "This wasn't me: end every other session")
	alarm.Description = "Takes no fresh proof, since it only takes away, up to the fourth within an hour. The session that asks gets a new token, in case somebody has a copy of the old one."
	web.RegisterOwn(api, web.SignedIn, alarm,
		func(ctx context.Context, caller web.Caller, in *alarmInput) (*alarmOutput, error) {
			event := ""
			if in.Body != nil {
				event = in.Body.Event
			}
			token, ended, err := m.notMe(ctx, caller, event)
			if err != nil {
				return nil, err
			}
			return &alarmOutput{SetCookie: []http.Cookie{api.SessionCookie(token)}, Body: Alarm{SessionsEnded: ended}}, nil
		})
}

// unproven are the alarms that a person may raise without fresh proof: enough for a fright, and too few for a thief to
// end every session and sign-in of the owner's as soon as it is there.
var unproven = audit.Limit{Kind: audit.AlarmRaised, Most: 3, Within: time.Hour}

// notMe ends everything of the person's that is open elsewhere and puts it on record, with the event that they did not
// know. It names the event only where it is about them: what is sent here is otherwise not kept.
func (m *MFA) notMe(ctx context.Context, caller web.Caller, eventID string) (token session.Token, ended int, err error) {
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if err := unproven.AskProof(ctx, tx, caller); err != nil {
			return err
		}
		raised := audit.By(caller).Is(audit.AlarmRaised, audit.OK)
		if eventID != "" {
			theirs, err := audit.IsAbout(ctx, tx, eventID, user.ID)
			if err != nil {
				return err
			}
			if !theirs {
				return ErrNoEvent
			}
			raised.Data = map[string]any{"event": eventID}
		}
		if err := audit.Record(ctx, tx, raised); err != nil {
			return err
		}
		if err := raise(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := m.Recovery.Supersede(ctx, tx, audit.By(caller), user, "not_me"); err != nil {
			return err
		}
		if _, err := signin.WithdrawEmail(ctx, tx, audit.By(caller)); err != nil {
			return err
		}
		// Whoever was here may have seen the secret of what was begun, and its codes.
		if err := m.Factors.Abandon(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := session.ForgetOtherBrowsers(ctx, tx, user.ID, caller.BrowserID); err != nil {
			return err
		}
		if err := signin.EndPending(ctx, tx, user.ID); err != nil {
			return err
		}
		if ended, err = m.Sessions.EndOthers(ctx, tx, audit.By(caller), user.ID, caller.Session.ID, "not_me"); err != nil {
			return err
		}
		token, err = m.Sessions.Rekey(ctx, tx, caller.Session)
		return err
	})
	return token, ended, err
}
