package mfa

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// Person is what there is to see about one person.
type Person struct {
	User     session.User `json:"user"`
	Disabled bool         `json:"disabled" doc:"The account is closed: the password is right, and nothing opens."`
	// Invited names an invitation that waits; null for who has joined.
	Invited *InvitedView `json:"invited" doc:"Set while the person has not joined yet: nobody can sign in as them."`
	MFA     View         `json:"mfa"`
	// EmailChange is an address that waits to be proved.
	EmailChange *EmailChangeView `json:"email_change" doc:"Set while another address waits to be proved."`
	Mails       bool             `json:"mails" doc:"Mail leaves the installation. Where it does not, nobody proves an address of their own."`
}

// EmailChangeView is an address that a person is to have once it is proved.
type EmailChangeView struct {
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when its link is good."`
	Asked     string    `json:"asked" enum:"self,administrator" doc:"Who asked for it."`
}

// InvitedView is somebody's invitation without its link.
type InvitedView struct {
	ExpiresAt *time.Time `json:"expires_at" doc:"Until when the last link is good; null where it is good no more."`
}

// Page is the Security page's content.
type Page struct {
	Person
	Enrolment    *EnrolmentView    `json:"enrolment" doc:"An enrolment that can be gone on with; null without one."`
	CodesWaiting *CodesWaitingView `json:"codes_waiting" doc:"New backup codes of one's own that were shown, not saved, and are not the enrolment's: those of before are good until then. Null without any."`
	Reset        *ResetView        `json:"reset" doc:"Set from a reset until the person has enrolled anew."`
	Alarm        *AlarmView        `json:"alarm" doc:"What is left to do after This wasn't me; null where nothing is, and for everybody but the person."`
	CodesBlocked *signin.Blocked   `json:"codes_blocked" doc:"Set while wrong codes have brought a delay or the lock, where an administrator looks at somebody."`
}

// CodesWaitingView is a set of backup codes that is good for nothing yet.
type CodesWaitingView struct {
	MadeAt time.Time `json:"made_at"`
}

// ResetView is a reset that waits for the person to enrol anew.
type ResetView struct {
	At        time.Time  `json:"at"`
	LinkUntil *time.Time `json:"link_until" doc:"Until when the enrolment link is good; null where it was used or is too old."`
}

// View is the state of somebody's 2-step verification.
type View struct {
	State       string       `json:"state" enum:"off,enrolling,on"`
	Requirement string       `json:"requirement" enum:"off,allowed,required"`
	Deadline    *time.Time   `json:"deadline" doc:"Where it is required: until when; null means at once."`
	Since       *time.Time   `json:"since" doc:"Since when it is on."`
	Factors     []FactorView `json:"factors" nullable:"false"`
	BackupCodes CodesView    `json:"backup_codes"`
}

// FactorView is one factor that a person holds.
type FactorView struct {
	ID         string      `json:"id"`
	Kind       factor.Kind `json:"kind"`
	Name       string      `json:"name" doc:"What the person called it; may be empty."`
	Label      string      `json:"label" doc:"How the entry is called in the app."`
	AddedAt    time.Time   `json:"added_at"`
	LastUsedAt *time.Time  `json:"last_used_at"`
}

// CodesView is the set of backup codes in force.
type CodesView struct {
	Total     int        `json:"total"`
	Remaining int        `json:"remaining"`
	CreatedAt *time.Time `json:"created_at" doc:"When the set was saved; null without one."`
}

// EnrolmentView is an enrolment without its secret.
type EnrolmentView struct {
	ID        string    `json:"id"`
	State     string    `json:"state" enum:"pending,confirmed" doc:"pending: waits for a code; confirmed: waits for the backup codes to be saved."`
	Name      string    `json:"name"`
	Label     string    `json:"label"`
	ExpiresAt time.Time `json:"expires_at"`
	Here      bool      `json:"here" doc:"Whether this session began it, or took it up."`
	Replaces  *string   `json:"replaces" doc:"The factor that it replaces."`
	Lost      bool      `json:"lost" doc:"Whether the phone with the app that it replaces is lost."`
}

func (m *MFA) page(ctx context.Context, viewer *web.Session, userID string) (*Page, error) {
	db := m.Database.Read()
	user, err := account.ByID(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, account.ErrNoUser
	}
	enrolment, err := authenticator.EnrolmentOf(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	page := &Page{Person: Person{
		User:     session.User{ID: user.ID, Name: user.Name, Email: user.Email, Role: user.Role},
		Disabled: !user.DisabledAt.IsZero(), Mails: m.Mails,
	}}
	asked, err := account.EmailChangeOf(ctx, db, user.ID, m.Now())
	if err != nil {
		return nil, err
	}
	if asked != nil {
		page.EmailChange = &EmailChangeView{Email: asked.Email, ExpiresAt: asked.ExpiresAt.Time(), Asked: "administrator"}
		if asked.AskedBy == user.ID {
			page.EmailChange.Asked = "self"
		}
	}
	if user.Invited() {
		link, err := account.InvitationOf(ctx, db, user.ID)
		if err != nil {
			return nil, err
		}
		page.Invited = &InvitedView{}
		if link != nil && link.EndedAt.IsZero() && link.ExpiresAt > database.At(m.Now()) {
			page.Invited.ExpiresAt = link.ExpiresAt.OrNil()
		}
	}
	if enrolment != nil && m.goesOn(enrolment, viewer.ID) {
		page.Enrolment = viewEnrolment(enrolment, viewer.ID)
	}
	if page.CodesWaiting, err = m.codesWaiting(ctx, db, viewer, user, page.Enrolment); err != nil {
		return nil, err
	}
	if user.Reset() {
		until, err := signin.LinkUntil(ctx, db, user.ID, m.Now())
		if err != nil {
			return nil, err
		}
		page.Reset = &ResetView{At: user.ResetAt.Time(), LinkUntil: until.OrNil()}
	}
	if user.ID != viewer.UserID {
		if page.CodesBlocked, err = signin.CodesBlocked(ctx, db, user.ID, m.Now()); err != nil {
			return nil, err
		}
	}
	page.MFA, err = m.view(ctx, db, user, page.Enrolment != nil)
	if err != nil {
		return nil, err
	}
	if viewer.UserID != user.ID {
		return page, nil
	}
	if viewer.Anew {
		page.MFA.startOver(page.Enrolment != nil)
	}
	page.Alarm, err = alarmLeft(ctx, db, user, &page.MFA)
	return page, err
}

// codesWaiting is the set that the person has seen and not saved, where no enrolment to go on with says so already.
func (m *MFA) codesWaiting(ctx context.Context, db bun.IDB, viewer *web.Session, user *account.User, enrolment *EnrolmentView) (*CodesWaitingView, error) {
	confirmed := enrolment != nil && enrolment.State == stateConfirmed
	if user.ID != viewer.UserID || viewer.Anew || !user.MFA() || user.Reset() || confirmed {
		return nil, nil
	}
	waits, err := backupcode.Unsaved(ctx, db, user.ID, m.Now())
	if err != nil || waits == nil {
		return nil, err
	}
	return &CodesWaitingView{MadeAt: waits.MadeAt}, nil
}

// goesOn reports whether an enrolment is one to go on with in this session. One whose app is active already and whose
// new codes were shown in another session is not: the old codes live, and new ones are one press away.
func (m *MFA) goesOn(enrolment *authenticator.Enrolment, sessionID string) bool {
	return enrolment.Open(m.Now()) && (!enrolment.Switched() || enrolment.SessionID == sessionID)
}

func (m *MFA) view(ctx context.Context, db bun.IDB, user *account.User, enrolling bool) (View, error) {
	view := View{State: "off", Requirement: user.Requirement, Factors: []FactorView{}}
	switch {
	case user.MFA():
		view.State, view.Since = "on", user.MFASince.OrNil()
	case enrolling:
		view.State = "enrolling"
	}
	if user.Requirement == account.RequirementRequired {
		view.Deadline = user.Deadline.OrNil()
	}
	if user.Reset() {
		return view, nil // what is kept of before is in force no more
	}
	held, err := m.Factors.Held(ctx, db, user.ID)
	if err != nil {
		return View{}, err
	}
	for _, one := range held {
		if one.Total > 0 {
			view.BackupCodes = CodesView{Total: one.Total, Remaining: one.Remaining, CreatedAt: one.AddedAt.OrNil()}
			continue
		}
		view.Factors = append(view.Factors, FactorView{
			ID: one.ID, Kind: one.Kind, Name: one.Name, Label: one.Label,
			AddedAt: one.AddedAt.Time(), LastUsedAt: one.LastUsedAt.OrNil(),
		})
	}
	return view, nil
}

// startOver shows 2-step verification as whoever enrols anew has it: what was before is lost to them, and nothing for a session
// to see that a link has opened.
func (v *View) startOver(enrolling bool) {
	v.State, v.Since, v.Factors, v.BackupCodes = "off", nil, []FactorView{}, CodesView{}
	if enrolling {
		v.State = "enrolling"
	}
}

func viewEnrolment(enrolment *authenticator.Enrolment, sessionID string) *EnrolmentView {
	view := &EnrolmentView{
		ID: enrolment.ID, State: "pending", Name: enrolment.Name, Label: enrolment.Label,
		ExpiresAt: enrolment.ExpiresAt.Time(), Here: enrolment.SessionID == sessionID, Lost: enrolment.Lost,
	}
	if enrolment.Confirmed() {
		view.State = "confirmed"
	}
	if enrolment.Replaces != "" {
		view.Replaces = &enrolment.Replaces
	}
	return view
}
