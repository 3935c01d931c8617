package mfa

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/web"
)

// beginnings are how often a person may begin to enrol an app.
var beginnings = audit.Limit{Kind: audit.EnrolmentStarted, Most: 20, Within: time.Hour}

// begin starts an enrolment in place of one that was under way: the newest tab wins, the older ones are told.
func (m *MFA) begin(ctx context.Context, caller web.Caller, with Beginning) (*Started, error) {
	// A backup code is good for putting an app in the place of another, which whoever has that notices. Whoever found the
	// paper gets none of their own beside it (security.md row 38).
	if caller.Session.MFA && caller.Session.FreshWith == string(backupcode.Kind) && with.Replaces == "" {
		return nil, web.ErrAppCodeRequired
	}
	secret, err := totp.NewSecret(m.Random)
	if err != nil {
		return nil, err
	}
	var begun *authenticator.Enrolment
	var number int
	brand := m.Brand(ctx)
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if user.Requirement == account.RequirementOff {
			return ErrNotAllowed
		}
		if err := anewStill(tx, caller, user); err != nil {
			return err
		}
		if err := m.Sessions.StillOpen(ctx, tx, caller.Session.ID); err != nil {
			return err
		}
		if caller.Session.Anew {
			if err := m.Recovery.Enrolling(ctx, tx, user); err != nil {
				return err
			}
		}
		if err := m.roomForAnother(ctx, tx, caller, user, with.Replaces); err != nil {
			return err
		}
		if err := beginnings.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
		if number, err = account.CountEnrolment(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := backupcode.DropPending(ctx, tx, user.ID); err != nil {
			return err
		}
		begun, err = authenticator.BeginEnrolment(ctx, tx, m.Keys, authenticator.Begun{
			UserID: user.ID, SessionID: caller.Session.ID, Name: with.Name, Replaces: with.Replaces, Lost: with.Lost && with.Replaces != "",
			Label: totp.Label(brand, user.Email, number), Secret: secret,
		})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.EnrolmentStarted, audit.OK))
	})
	if err != nil {
		return nil, err
	}
	return started(begun, caller, secret), nil
}

// roomForAnother refuses a sixth app, and the replacing of one that is not there.
func (m *MFA) roomForAnother(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, replaces string) error {
	var held []factor.Held
	if !caller.Session.Anew { // else the new app takes the place of all of them
		var err error
		if held, err = m.Apps.Held(ctx, tx, user.ID); err != nil {
			return err
		}
	}
	if replaces == "" {
		if len(held) >= authenticator.MaxApps {
			return ErrTooManyApps
		}
		return nil
	}
	for _, one := range held {
		if one.ID == replaces {
			return nil
		}
	}
	return ErrNoFactor
}

// current answers the enrolment under way, with its secret as long as it waits for its first code in this session.
func (m *MFA) current(ctx context.Context, caller web.Caller) (*Started, error) {
	enrolment, err := authenticator.EnrolmentOf(ctx, m.Database.Read(), caller.Session.UserID)
	if err != nil {
		return nil, err
	}
	if enrolment == nil || !m.goesOn(enrolment, caller.Session.ID) {
		return nil, ErrNoEnrolment
	}
	if enrolment.Confirmed() || enrolment.SessionID != caller.Session.ID {
		return &Started{EnrolmentView: *viewEnrolment(enrolment, caller.Session.ID)}, nil
	}
	secret, err := authenticator.PendingSecret(m.Keys, enrolment)
	if err != nil {
		return nil, err
	}
	return started(enrolment, caller, secret), nil
}

// giveUp ends the enrolment because the person wants no more of it.
func (m *MFA) giveUp(ctx context.Context, caller web.Caller, enrolmentID string) error {
	return m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		enrolment, err := authenticator.EnrolmentOf(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if enrolment == nil || enrolment.ID != enrolmentID {
			return ErrNoEnrolment
		}
		if err := backupcode.DropPending(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := authenticator.AbandonEnrolment(ctx, tx, m.Keys, user.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.EnrolmentGivenUp, audit.OK))
	})
}

// Started is an enrolment with what the app needs to know, where this session may see it.
type Started struct {
	EnrolmentView
	Issuer     string `json:"issuer,omitempty"`
	Account    string `json:"account,omitempty" doc:"The account as the app shows it."`
	OtpauthURI string `json:"otpauth_uri,omitempty" doc:"What the QR code holds."`
	Secret     string `json:"secret,omitempty" doc:"The key for typing by hand, in Base32 without spaces."`
	Algorithm  string `json:"algorithm,omitempty"`
	Digits     int    `json:"digits,omitempty"`
	Period     int    `json:"period,omitempty" doc:"Seconds that a code lives."`
}

func started(enrolment *authenticator.Enrolment, caller web.Caller, secret []byte) *Started {
	// From the label, not from today's brand: the entry keeps the name it was begun with.
	issuer, name, _ := strings.Cut(enrolment.Label, ": ")
	return &Started{
		EnrolmentView: *viewEnrolment(enrolment, caller.Session.ID),
		Issuer:        issuer, Account: name, OtpauthURI: totp.URI(issuer, name, secret), Secret: totp.Typable(secret),
		Algorithm: "SHA1", Digits: totp.Digits, Period: totp.Period,
	}
}
