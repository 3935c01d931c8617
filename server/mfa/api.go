package mfa

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/web"
)

type personOutput struct{ Body Person }

type pageOutput struct{ Body Page }

type beginInput struct {
	web.PersonPath
	Body *Beginning // may be absent
}

// Beginning is what an enrolment may begin with.
type Beginning struct {
	Name     string `json:"name,omitempty" maxLength:"60" doc:"What the person calls the device."`
	Replaces string `json:"replaces,omitempty" maxLength:"40" doc:"The factor that the new one takes the place of."`
	Lost     bool   `json:"lost,omitempty" doc:"With replaces: the phone with that app is lost."`
}

type startedOutput struct{ Body Started }

// EnrolmentPath names an enrolment of a person.
type EnrolmentPath struct {
	web.PersonPath
	Enrolment string `path:"enrolment" maxLength:"40"`
}

type confirmInput struct {
	EnrolmentPath
	Body struct {
		Code       string     `json:"code" maxLength:"200" doc:"Six digits of the new app."`
		BrowserNow *time.Time `json:"browser_now,omitempty" doc:"What the browser's clock says; it helps to explain a refusal and changes no decision."`
	}
}

// Confirmation is a confirmed enrolment.
type Confirmation struct {
	State       string   `json:"state" enum:"confirmed,active" doc:"confirmed: the codes wait to be saved; active: the app is in force."`
	BackupCodes []string `json:"backup_codes" nullable:"false" doc:"Ten codes in the order of their numbers, or none."`
	Set         string   `json:"backup_code_set,omitempty" doc:"Names the set, for activate."`
}

func (c *confirmation) describe() Confirmation {
	if c.codes == nil {
		return Confirmation{State: c.state, BackupCodes: []string{}}
	}
	return Confirmation{State: c.state, BackupCodes: c.codes.Shown, Set: c.codes.ID}
}

type confirmOutput struct {
	SetCookie []http.Cookie
	Body      Confirmation
}

// Codes are shown this once.
type Codes struct {
	BackupCodes []string `json:"backup_codes" nullable:"false" doc:"Ten codes in the order of their numbers."`
	Set         string   `json:"backup_code_set" doc:"Names the set, for activate."`
}

// Saved says which set was saved.
type Saved struct {
	Set string `json:"backup_code_set,omitempty" maxLength:"40" doc:"The set that the page shows; where a newer one has been made since, nothing is activated. May be left out."`
}

// named is the set that a body names; empty where it names none.
func (s *Saved) named() string {
	if s == nil {
		return ""
	}
	return s.Set
}

type savedInput struct {
	web.PersonPath
	Body *Saved // may be absent
}

type activateInput struct {
	EnrolmentPath
	Body *Saved // may be absent
}

type codesOutput struct{ Body Codes }

// Activation is 2-step verification turned on.
type Activation struct {
	State             string `json:"state" enum:"on"`
	NextCodeInSeconds int    `json:"next_code_in_seconds" doc:"Until the app shows a code that the next sign-in takes."`
}

type activateOutput struct {
	SetCookie []http.Cookie
	Body      Activation
}

type ownPasswordInput struct {
	web.PersonPath
	Body struct {
		Password string `json:"password" maxLength:"4096"`
	}
}

// State is what 2-step verification is after an act.
type State struct {
	State string `json:"state" enum:"off,on"`
}

type stateOutput struct {
	SetCookie []http.Cookie
	Body      State
}

type requirementInput struct {
	web.PersonPath
	Body struct {
		Requirement string     `json:"requirement" enum:"off,allowed,required"`
		Deadline    *time.Time `json:"deadline,omitempty" doc:"With required: until when; without one it holds at once."`
		Reason      string     `json:"reason,omitempty" maxLength:"2000" doc:"Why; needed with off. It is kept on record, where the person can read it."`
	}
}

const (
	personPath   = "/api/v1/users/{id}"
	securityPath = personPath + "/security"
	enrolments   = securityPath + "/enrolments"
)

// Register adds the calls of this room.
func (m *MFA) Register(api *web.API) {
	operation := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Security"}}
	}

	web.Register(api, web.Enrolling, operation("get-user", http.MethodGet, personPath, "A person and the state of their 2-step verification"),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*personOutput, error) {
			page, err := m.look(ctx, caller, in.ID)
			if err != nil {
				return nil, err
			}
			return &personOutput{Body: page.Person}, nil
		})
	web.Register(api, web.Enrolling, operation("get-security", http.MethodGet, securityPath, "A person's Security page"),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*pageOutput, error) {
			page, err := m.look(ctx, caller, in.ID)
			if err != nil {
				return nil, err
			}
			return &pageOutput{Body: *page}, nil
		})
	m.registerEnrolment(api, operation)
	m.registerCodes(api, operation)
	m.registerFactors(api, operation)
	m.registerAlarm(api, operation)
	m.registerAlarmLeft(api, operation)
	m.registerKnown(api, operation)
	m.registerReset(api, operation)

	web.RegisterOwn(api, web.FreshByApp, operation("disable", http.MethodPost, securityPath+"/disable", "Turn 2-step verification off"),
		func(ctx context.Context, caller web.Caller, in *ownPasswordInput) (*stateOutput, error) {
			token, err := m.disable(ctx, caller, in.Body.Password)
			if err != nil {
				return nil, err
			}
			return &stateOutput{SetCookie: []http.Cookie{api.SessionCookie(token)}, Body: State{State: "off"}}, nil
		})

	require := operation("set-requirement", http.MethodPut, securityPath+"/requirement", "Say what is asked of a person")
	require.DefaultStatus = http.StatusNoContent
	web.Register(api, web.FreshAdministrator, require,
		func(ctx context.Context, caller web.Caller, in *requirementInput) (*struct{}, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			to := Requirement{Level: in.Body.Requirement, Reason: in.Body.Reason}
			if in.Body.Deadline != nil {
				to.Deadline = *in.Body.Deadline
			}
			return nil, m.setRequirement(ctx, caller, id, to)
		})
}

func (m *MFA) look(ctx context.Context, caller web.Caller, id string) (*Page, error) {
	who, err := caller.Visible(id)
	if err != nil {
		return nil, err
	}
	return m.page(ctx, caller.Session, who)
}

type describe func(id, method, path, summary string) huma.Operation

func (m *MFA) registerEnrolment(api *web.API, operation describe) {
	begin := operation("begin-enrolment", http.MethodPost, enrolments, "Begin to enrol an authenticator app")
	begin.DefaultStatus = http.StatusCreated
	begin.Description = "429 `too_many_changes` after 20 beginnings within an hour."
	web.RegisterOwn(api, web.FreshEnrolling, begin,
		func(ctx context.Context, caller web.Caller, in *beginInput) (*startedOutput, error) {
			var with Beginning
			if in.Body != nil {
				with = *in.Body
			}
			with.Name = strings.TrimSpace(with.Name)
			if fields := account.CheckLegible(with.Name); len(fields) > 0 {
				return nil, account.ErrInvalid.For(fields...)
			}
			started, err := m.begin(ctx, caller, with)
			if err != nil {
				return nil, err
			}
			return &startedOutput{Body: *started}, nil
		})
	web.RegisterOwn(api, web.Enrolling, operation("get-enrolment", http.MethodGet, enrolments+"/current", "The enrolment under way"),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*startedOutput, error) {
			started, err := m.current(ctx, caller)
			if err != nil {
				return nil, err
			}
			return &startedOutput{Body: *started}, nil
		})
	giveUp := operation("give-up-enrolment", http.MethodDelete, enrolments+"/{enrolment}", "Give an enrolment up")
	giveUp.DefaultStatus = http.StatusNoContent
	web.RegisterOwn(api, web.Enrolling, giveUp,
		func(ctx context.Context, caller web.Caller, in *EnrolmentPath) (*struct{}, error) {
			return nil, m.giveUp(ctx, caller, in.Enrolment)
		})
	web.RegisterOwn(api, web.Enrolling, operation("confirm-enrolment", http.MethodPost, enrolments+"/{enrolment}/confirm", "Give a code of the new app"),
		func(ctx context.Context, caller web.Caller, in *confirmInput) (*confirmOutput, error) {
			var browserNow time.Time
			if in.Body.BrowserNow != nil {
				browserNow = *in.Body.BrowserNow
			}
			done, err := m.confirm(ctx, caller, in.Enrolment, in.Body.Code, browserNow)
			if err != nil {
				return nil, err
			}
			return &confirmOutput{
				SetCookie: []http.Cookie{api.SessionCookie(done.token)},
				Body:      done.describe(),
			}, nil
		})
	web.RegisterOwn(api, web.Enrolling, operation("renew-enrolment-codes", http.MethodPost, enrolments+"/{enrolment}/backup-codes", "A fresh unsaved set in place of the unsaved one"),
		func(ctx context.Context, caller web.Caller, in *EnrolmentPath) (*codesOutput, error) {
			codes, err := m.renew(ctx, caller, in.Enrolment)
			if err != nil {
				return nil, err
			}
			return &codesOutput{Body: Codes{BackupCodes: codes.Shown, Set: codes.ID}}, nil
		})
	web.RegisterOwn(api, web.Enrolling, operation("activate-enrolment", http.MethodPost, enrolments+"/{enrolment}/activate", "The codes are saved: turn 2-step verification on"),
		func(ctx context.Context, caller web.Caller, in *activateInput) (*activateOutput, error) {
			done, err := m.activate(ctx, caller, in.Enrolment, in.Body.named())
			if err != nil {
				return nil, err
			}
			return &activateOutput{
				SetCookie: []http.Cookie{api.SessionCookie(done.token)},
				Body:      Activation{State: "on", NextCodeInSeconds: done.nextSeconds},
			}, nil
		})
}

func (m *MFA) registerCodes(api *web.API, operation describe) {
	web.RegisterOwn(api, web.FreshByApp, operation("new-backup-codes", http.MethodPost, securityPath+"/backup-codes", "Make new backup codes, which wait to be saved"),
		func(ctx context.Context, caller web.Caller, in *ownPasswordInput) (*codesOutput, error) {
			codes, err := m.newCodes(ctx, caller, in.Body.Password)
			if err != nil {
				return nil, err
			}
			return &codesOutput{Body: Codes{BackupCodes: codes.Shown, Set: codes.ID}}, nil
		})
	web.RegisterOwn(api, web.SignedIn, operation("activate-backup-codes", http.MethodPost, securityPath+"/backup-codes/activate", "The new codes are saved: the old ones die"),
		func(ctx context.Context, caller web.Caller, in *savedInput) (*stateOutput, error) {
			token, err := m.saveCodes(ctx, caller, in.Body.named())
			if err != nil {
				return nil, err
			}
			return &stateOutput{SetCookie: []http.Cookie{api.SessionCookie(token)}, Body: State{State: "on"}}, nil
		})
	keep := operation("keep-backup-codes", http.MethodDelete, securityPath+"/backup-codes/waiting", "Throw new backup codes away that wait to be saved")
	keep.DefaultStatus = http.StatusNoContent
	web.RegisterOwn(api, web.SignedIn, keep,
		func(ctx context.Context, caller web.Caller, _ *web.PersonPath) (*struct{}, error) {
			return nil, m.keepCodes(ctx, caller)
		})
}
