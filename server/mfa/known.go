package mfa

import (
	"context"
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

type knownInput struct {
	web.PersonPath
	Event string `path:"event" maxLength:"40"`
}

// Known is what became of "That was me".
type Known struct {
	Everywhere bool `json:"everywhere" doc:"It holds in every browser. False: this browser is no older than the sign-in, and nothing is kept."`
}

type knownOutput struct{ Body Known }

func (m *MFA) registerKnown(api *web.API, operation describe) {
	known := operation("know-sign-in", http.MethodPost, securityPath+"/events/{event}/known", "That was me: a sign-in with a new browser was my own")
	known.Description = "Only a browser that the person had signed in with before answers for a new one: a stranger could else answer for their own. 429 `too_many_changes` after 20 within an hour."
	web.RegisterOwn(api, web.SignedIn, known,
		func(ctx context.Context, caller web.Caller, in *knownInput) (*knownOutput, error) {
			everywhere, err := m.know(ctx, caller, in.Event)
			if err != nil {
				return nil, err
			}
			return &knownOutput{Body: Known{Everywhere: everywhere}}, nil
		})
}

// answers are how often a person may say so.
var answers = audit.Limit{Kind: audit.SignInKnown, Most: 20, Within: time.Hour}

// know records that a sign-in was the person's own; whoever lists the events finds the answer among them.
func (m *MFA) know(ctx context.Context, caller web.Caller, eventID string) (everywhere bool, err error) {
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		at, theirs, err := audit.SignInAt(ctx, tx, eventID, user.ID)
		if err != nil {
			return err
		}
		if !theirs {
			return ErrNoEvent
		}
		if everywhere, err = session.KnewBrowser(ctx, tx, user.ID, caller.BrowserID, at); err != nil || !everywhere {
			return err
		}
		if err := answers.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
		known := audit.By(caller).Is(audit.SignInKnown, audit.OK)
		known.Data = map[string]any{"event": eventID}
		return audit.Record(ctx, tx, known)
	})
	return everywhere, err
}
