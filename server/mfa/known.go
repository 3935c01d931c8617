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

func (m *MFA) registerKnown(api *web.API, operation describe) {
	known := operation("know-sign-in", http.MethodPost, securityPath+"/events/{event}/known", "That was me: a sign-in with a new browser was my own")
	known.DefaultStatus = http.StatusNoContent
	known.Description = "The event `sign_in.known` then says so in every browser. Only one that the person had signed in with before answers for a new one, since a stranger could else answer for their own: from any other nothing is kept. 429 `too_many_changes` after 20 within an hour."
	web.RegisterOwn(api, web.SignedIn, known,
		func(ctx context.Context, caller web.Caller, in *knownInput) (*struct{}, error) {
			return nil, m.know(ctx, caller, in.Event)
		})
}

// answers are how often a person may say so.
var answers = audit.Limit{Kind: audit.SignInKnown, Most: 20, Within: time.Hour}

// know records that a sign-in was the person's own; whoever lists the events finds the answer among them.
func (m *MFA) know(ctx context.Context, caller web.Caller, eventID string) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
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
		if knew, err := session.KnewBrowser(ctx, tx, user.ID, caller.BrowserID, at); err != nil || !knew {
			return err
		}
		if err := answers.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
		known := audit.By(caller).Is(audit.SignInKnown, audit.OK)
		known.Data = map[string]any{"event": eventID}
		return audit.Record(ctx, tx, known)
	})
}
