package signin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

type setupInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"100" doc:"From the setup link that the start printed."`
		Name     string `json:"name" maxLength:"400"`
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"4096"`
	}
}

type credentialsInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"1000"`
		Password string `json:"password" maxLength:"4096"`
	}
}

// Step is how far a sign-in came.
type Step struct {
	State     string        `json:"state" enum:"signed_in,second_step,enrolment_required,enrolment_link_required"`
	Methods   []factor.Kind `json:"methods,omitempty" doc:"What the second step can be proved with, the usual one first."`
	Labels    []string      `json:"labels,omitempty" doc:"The entries to look for in the authenticator app."`
	Recovery  string        `json:"recovery,omitempty" enum:"asked,proved,approved" doc:"The person has asked to get back in; once it is approved the enrolment link is taken in place of the second step."`
	Ended     string        `json:"recovery_ended,omitempty" enum:"refused,stopped,expired" doc:"How their last request has ended, of which they may not know yet."`
	Locked    bool          `json:"codes_locked,omitempty" doc:"No code is taken until somebody unlocks them."`
	ExpiresAt *time.Time    `json:"expires_at,omitempty" doc:"Until when the second step, or the enrolment link, may be given."`
}

type stepOutput struct {
	SetCookie []http.Cookie
	Body      Step
}

type codeInput struct {
	Body struct {
		Code       string     `json:"code" maxLength:"200" doc:"A code of the authenticator app or a backup code; its shape tells."`
		BrowserNow *time.Time `json:"browser_now,omitempty" doc:"What the browser's clock says; it helps to explain a refusal and changes no decision."`
	}
}

type credentialInput struct {
	Body struct {
		Credential web.Foreign `json:"credential" doc:"What the browser answered to the options, as toJSON of its PublicKeyCredential gives it."`
	}
}

type optionsOutput struct {
	Body struct {
		Options json.RawMessage `json:"options" doc:"For navigator.credentials.get: publicKey has what parseRequestOptionsFromJSON takes. Good once, for five minutes, in this place."`
	}
}

// Accepted is an accepted second step.
type Accepted struct {
	State                string      `json:"state" enum:"signed_in"`
	Method               factor.Kind `json:"method" doc:"Which kind of factor it was."`
	BackupCodesRemaining *int        `json:"backup_codes_remaining,omitempty" doc:"Where a backup code was used: how many are left."`
}

type acceptedOutput struct {
	SetCookie []http.Cookie
	Body      Accepted
}

type proofInput struct {
	Body struct {
		Password   string      `json:"password" maxLength:"4096"`
		Code       string      `json:"code,omitempty" maxLength:"200" doc:"Needed where 2-step verification is on."`
		Credential web.Foreign `json:"credential,omitempty" doc:"In place of a code: what the browser answered to the options for a proof."`
		BrowserNow *time.Time  `json:"browser_now,omitempty"`
	}
}

// Fresh is a fresh proof.
type Fresh struct {
	FreshUntil           time.Time   `json:"fresh_until"`
	Method               factor.Kind `json:"method"`
	BackupCodesRemaining *int        `json:"backup_codes_remaining,omitempty"`
}

type freshOutput struct {
	SetCookie []http.Cookie
	Body      Fresh
}

type cookiesOutput struct {
	SetCookie []http.Cookie
}

// Register adds the calls of this room.
func (s *SignIn) Register(api *web.API) {
	operation := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Sign in"}}
	}

	web.Register(api, web.Public, operation("set-up", http.MethodPost, "/api/v1/setup", "Make the first administrator"),
		func(ctx context.Context, caller web.Caller, in *setupInput) (*stepOutput, error) {
			caller, cookies, err := s.knowBrowser(api, caller)
			if err != nil {
				return nil, err
			}
			token, err := s.setup(ctx, caller, in.Body.Token, in.Body.Name, in.Body.Email, in.Body.Password)
			if err != nil {
				return nil, err
			}
			return &stepOutput{SetCookie: append(cookies, api.SessionCookie(token)), Body: Step{State: StateSignedIn}}, nil
		})

	web.Register(api, web.Public, operation("sign-in", http.MethodPost, "/api/v1/sign-in", "Give e-mail address and password"),
		func(ctx context.Context, caller web.Caller, in *credentialsInput) (*stepOutput, error) {
			caller, cookies, err := s.knowBrowser(api, caller)
			if err != nil {
				return nil, err
			}
			came, err := s.password(ctx, caller, in.Body.Email, in.Body.Password)
			if err != nil {
				return nil, err
			}
			if came.state == StateSecondStep || came.state == StateLinkRequired {
				cookies = append(cookies, api.PendingCookie(came.token))
			} else {
				cookies = append(cookies, api.SessionCookie(came.token), api.ClearPending())
			}
			return &stepOutput{SetCookie: cookies, Body: came.describe()}, nil
		})

	web.Register(api, web.Pending, operation("get-sign-in", http.MethodGet, "/api/v1/sign-in", "What the pending sign-in waits for"),
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*stepOutput, error) {
			user, err := account.ByID(ctx, s.Database.Read(), caller.Pending.UserID)
			if err != nil {
				return nil, err
			}
			if user == nil {
				return nil, account.ErrNoUser
			}
			waits, err := s.waitsFor(ctx, s.Database.Read(), user)
			if err != nil {
				return nil, err
			}
			waits.expires = caller.Pending.ExpiresAt
			return &stepOutput{Body: waits.describe()}, nil
		})

	abandon := operation("abandon-sign-in", http.MethodDelete, "/api/v1/sign-in", "Start again")
	abandon.DefaultStatus = http.StatusNoContent
	web.Register(api, web.Pending, abandon,
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*cookiesOutput, error) {
			if err := s.abandon(ctx, caller); err != nil {
				return nil, err
			}
			return &cookiesOutput{SetCookie: []http.Cookie{api.ClearPending()}}, nil
		})

	s.registerPassword(api)
	s.registerSecondSteps(api, operation)
	s.registerLink(api, operation)
	s.registerProof(api, operation)
	s.registerCodeCheck(api, operation)
}

type describe func(id, method, path, summary string) huma.Operation

// registerSecondSteps adds the calls that take a second step: one for each kind of factor, and a call before it where
// the kind is one that signs a challenge.
func (s *SignIn) registerSecondSteps(api *web.API, operation describe) {
	accepted := func(done *proved, err error) (*acceptedOutput, error) {
		if err != nil {
			return nil, err
		}
		return &acceptedOutput{
			SetCookie: []http.Cookie{api.SessionCookie(done.token), api.ClearPending()},
			Body:      Accepted{State: done.state, Method: done.kind, BackupCodesRemaining: done.remaining},
		}, nil
	}
	for _, one := range s.Factors {
		name := strings.ReplaceAll(string(one.Kind()), "_", "-")
		give := operation("sign-in-"+name, http.MethodPost, "/api/v1/sign-in/"+name, "Give "+one.Asks())
		challenger, ok := one.(factor.Challenger)
		if !ok {
			web.Register(api, web.Pending, give,
				func(ctx context.Context, caller web.Caller, in *codeInput) (*acceptedOutput, error) {
					return accepted(s.secondStep(ctx, caller, response{asked: one.Kind(), text: in.Body.Code, browserNow: moment(in.Body.BrowserNow)}))
				})
			continue
		}
		web.Register(api, web.Pending, give,
			func(ctx context.Context, caller web.Caller, in *credentialInput) (*acceptedOutput, error) {
				return accepted(s.secondStep(ctx, caller, response{signed: challenger, text: string(in.Body.Credential)}))
			})
		web.Register(api, web.Pending, operation("sign-in-"+name+"-options", http.MethodPost, give.Path+"/options", "Begin to give "+one.Asks()),
			func(ctx context.Context, caller web.Caller, _ *struct{}) (*optionsOutput, error) {
				return options(challenger.Challenge(ctx, factor.Attempt{
					UserID: caller.Pending.UserID, Ceremony: factor.SignIn, Holder: caller.Pending.ID, Client: caller.Client,
				}))
			})
	}
}

func (s *SignIn) registerProof(api *web.API, operation describe) {
	web.Register(api, web.Enrolling, operation("prove", http.MethodPost, "/api/v1/session/proof", "Give fresh proof for ten minutes"),
		func(ctx context.Context, caller web.Caller, in *proofInput) (*freshOutput, error) {
			given := response{asked: "totp", text: in.Body.Code, browserNow: moment(in.Body.BrowserNow)}
			if len(in.Body.Credential) > 0 {
				if in.Body.Code != "" {
					return nil, account.ErrInvalid.For(problem.Field{Name: "credential", Code: "invalid"})
				}
				given = response{signed: s.Factors.Challenger(), text: string(in.Body.Credential)}
			}
			done, err := s.proof(ctx, caller, in.Body.Password, given, nothingElse)
			if err != nil {
				return nil, err
			}
			return &freshOutput{
				SetCookie: []http.Cookie{api.SessionCookie(done.token)},
				Body:      Fresh{FreshUntil: done.until, Method: done.kind, BackupCodesRemaining: done.remaining},
			}, nil
		})
	challenger := s.Factors.Challenger()
	if challenger == nil {
		return
	}
	web.Register(api, web.Enrolling, operation("prove-options", http.MethodPost, "/api/v1/session/proof/options", "Begin to give "+challenger.Asks()+" for fresh proof"),
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*optionsOutput, error) {
			return options(challenger.Challenge(ctx, factor.Attempt{
				UserID: caller.Session.UserID, Ceremony: factor.Proof, Holder: caller.Session.ID, Client: caller.Client,
			}))
		})
}

func options(made json.RawMessage, err error) (*optionsOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &optionsOutput{}
	out.Body.Options = made
	return out, nil
}

// knowBrowser gives a browser that has none the cookie by which it is known again, and lets the call know it already.
func (s *SignIn) knowBrowser(api *web.API, caller web.Caller) (web.Caller, []http.Cookie, error) {
	if caller.BrowserID != nil {
		return caller, nil, nil
	}
	token, err := session.NewToken(s.Random)
	if err != nil {
		return caller, nil, err
	}
	hash := sha256.Sum256(token)
	caller.BrowserID = hash[:]
	return caller, []http.Cookie{api.BrowserCookie(token)}, nil
}

func (s *step) describe() Step {
	described := Step{State: s.state, Recovery: s.request, Ended: s.ended, Locked: s.locked}
	if s.asked != nil {
		described.Methods, described.Labels = s.asked.methods, s.asked.labels
	}
	if !s.expires.IsZero() {
		described.ExpiresAt = &s.expires
	}
	return described
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
