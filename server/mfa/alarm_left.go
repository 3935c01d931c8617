package mfa

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// What "This wasn't me" asks for beyond the sessions that it ends.
const (
	leftPassword = "password"
	leftApps     = "apps" // each of them looked at, or new
	leftCodes    = "codes"
)

// alarm is the last "This wasn't me" of a person that they have not said to be over.
type alarm struct {
	bun.BaseModel `bun:"table:alarms,alias:a"`

	UserID      string           `bun:"user_id,pk"`
	RaisedAt    database.Instant `bun:"raised_at"`
	AppsKnownAt database.Instant `bun:"apps_known_at,nullzero"`
}

// AlarmView is what is left to do after "This wasn't me", whichever browser asks.
type AlarmView struct {
	At   time.Time `json:"at"`
	Left []string  `json:"left" nullable:"false" enum:"password,apps,codes" doc:"What is still as it was when the alarm was raised, in the order to see to it: the password, the apps and security keys that the person has not looked at, the backup codes."`
}

type settleInput struct {
	web.PersonPath
	Body struct {
		Done string `json:"done" enum:"apps,all" doc:"apps: each app and security key is the person's own. all: whatever is left need not be done."`
	}
}

func (m *MFA) registerAlarmLeft(api *web.API, operation describe) {
	settle := operation("settle-not-me", http.MethodPatch, securityPath+"/not-me", "Say of what is left after This wasn't me that it need not be done")
	settle.DefaultStatus = http.StatusNoContent
	settle.Description = "Changes nothing where nothing is left. 403 `new_browser` in a browser that the person had not signed in with before they pressed it."
	web.RegisterOwn(api, web.SignedIn, settle,
		func(ctx context.Context, caller web.Caller, in *settleInput) (*struct{}, error) {
			return nil, m.settle(ctx, caller, in.Body.Done)
		})
}

// raise keeps that the person has pressed it; all is to be looked at anew.
func raise(ctx context.Context, tx database.Tx, userID string) error {
	_, err := tx.NewInsert().Model(&alarm{UserID: userID, RaisedAt: database.At(tx.Now)}).
		On("CONFLICT (user_id) DO UPDATE").Set("raised_at = EXCLUDED.raised_at, apps_known_at = NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep an alarm: %w", err)
	}
	return nil
}

// settle takes the person's word. It is on record, since somebody else could have given it.
func (m *MFA) settle(ctx context.Context, caller web.Caller, done string) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		raised, err := alarmOf(ctx, tx, user.ID)
		if err != nil || raised == nil {
			return err
		}
		// A stranger who has signed in again would else put the person at ease.
		knew, err := session.KnewBrowser(ctx, tx, user.ID, caller.BrowserID, raised.RaisedAt.Time())
		if err != nil {
			return err
		}
		if !knew {
			return ErrNewBrowser
		}
		var touched int64
		if done == leftApps {
			touched, err = database.Touched(tx.NewUpdate().Model((*alarm)(nil)).Set("apps_known_at = ?", database.At(tx.Now)).
				Where("user_id = ? AND apps_known_at IS NULL", user.ID).Exec(ctx))
		} else {
			touched, err = database.Touched(tx.NewDelete().Model((*alarm)(nil)).Where("user_id = ?", user.ID).Exec(ctx))
		}
		if err != nil {
			return fmt.Errorf("settle an alarm: %w", err)
		}
		if touched == 0 {
			return nil
		}
		settled := audit.By(caller).Is(audit.AlarmSettled, audit.OK)
		settled.Data = map[string]any{"done": done}
		return audit.Record(ctx, tx, settled)
	})
}

// alarmLeft answers what is left of the person's last alarm; nil where nothing is.
func alarmLeft(ctx context.Context, db bun.IDB, user *account.User, mfa *View) (*AlarmView, error) {
	raised, err := alarmOf(ctx, db, user.ID)
	if err != nil || raised == nil {
		return nil, err
	}
	view := &AlarmView{At: raised.RaisedAt.Time(), Left: raised.left(user, mfa)}
	if len(view.Left) == 0 {
		return nil, nil
	}
	return view, nil
}

// alarmOf reads somebody's last alarm; nil where there is none.
func alarmOf(ctx context.Context, db bun.IDB, userID string) (*alarm, error) {
	raised := new(alarm)
	err := db.NewSelect().Model(raised).Where("a.user_id = ?", userID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an alarm: %w", err)
	}
	return raised, nil
}

func (a *alarm) left(user *account.User, mfa *View) []string {
	var left []string
	if user.PasswordChangedAt <= a.RaisedAt {
		left = append(left, leftPassword)
	}
	if mfa.State != "on" || user.Requirement == account.RequirementOff {
		return left // no second step is asked for, so none of these opens anything
	}
	at := a.RaisedAt.Time()
	before := func(factor FactorView) bool { return !factor.AddedAt.After(at) }
	if a.AppsKnownAt.IsZero() && slices.ContainsFunc(mfa.Factors, before) {
		left = append(left, leftApps)
	}
	if made := mfa.BackupCodes.CreatedAt; made != nil && !made.After(at) {
		left = append(left, leftCodes)
	}
	return left
}
