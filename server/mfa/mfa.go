// Package mfa is a person's own 2-step verification: the wizard that turns it on, the Security page, backup codes, and
// turning it off again.
//
// Invariants:
//   - only activation turns it on, after a code of the new app and "I have saved them": the app, the codes and the
//     person's row change in one transaction, or none does;
//   - whoever stops anywhere before is where they were: an app or codes in force stay in force;
//   - whoever was reset has nothing in force until they have enrolled anew, in a session that an enrolment link and the
//     password have opened (web.Session.Anew). Whoever has lost everything and was approved enrols in such a session too, and
//     keeps what is in force until then. In both, activation removes everything from before it, and nothing else does;
//   - only the person themself enrols, confirms, activates, makes codes or disables; an administrator is refused there;
//   - every change of factors ends the person's other sessions and pending sign-ins, and gives the session that made
//     it a new token, in the same transaction (security.md rows 31 and 34).
package mfa

import (
	"context"
	"io"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/web"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Keys     *keyring.Ring
	Apps     *authenticator.Factor
	Codes    *backupcode.Issuer
	Factors  factor.Set
	Sessions *session.Sessions
	SignIn   *signin.SignIn
	Recovery *recovery.Recoveries
	ByMail   account.LinkByMail // of an enrolment link
	Stops    *stop.Stops
	Mails    bool // whether mail leaves the installation
	Brand    func(context.Context) string
	Now      func() time.Time
	Random   io.Reader
}

// MFA is the room.
type MFA struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *MFA { return &MFA{dependencies} }

// FactorsChanged ends what was open under the old factors and gives this session a new token. It is a factor.Changed.
func (m *MFA) FactorsChanged(ctx context.Context, tx database.Tx, caller web.Caller, why string) (session.Token, error) {
	if err := m.endElsewhere(ctx, tx, caller, why); err != nil {
		return nil, err
	}
	return m.Sessions.Rekey(ctx, tx, caller.Session)
}

func (m *MFA) endElsewhere(ctx context.Context, tx database.Tx, caller web.Caller, why string) error {
	if err := signin.EndPending(ctx, tx, caller.Session.UserID); err != nil {
		return err
	}
	_, err := m.Sessions.EndOthers(ctx, tx, audit.By(caller), caller.Session.UserID, caller.Session.ID, why)
	return err
}
