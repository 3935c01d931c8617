package session

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// User names a person in answers.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role" enum:"member,administrator"`
}

// Current is the caller's own session.
type Current struct {
	ID           string     `json:"id"`
	User         User       `json:"user"`
	SignedInWith []string   `json:"signed_in_with" nullable:"false" doc:"How this session was proved: password, totp, backup_code, webauthn, enrolment_link."`
	FreshUntil   *time.Time `json:"fresh_until" doc:"Until when acts that need fresh proof are open; null when they are not."`
	FreshWith    string     `json:"fresh_with" doc:"What the last proof was given with."`
	ConfinedTo   *string    `json:"confined_to" enum:"enrolment" doc:"Set while the session may do nothing else."`
	ExpiresAt    time.Time  `json:"expires_at"`
	Recovery     string     `json:"recovery" enum:",asked,proved,approved" doc:"Set while somebody asks to get back into this account, for every browser to know; empty in the session that it has led to."`
	MFA          struct {
		State       string     `json:"state" enum:"off,on"`
		Requirement string     `json:"requirement" enum:"off,allowed,required"`
		Deadline    *time.Time `json:"deadline"`
	} `json:"mfa"`
}

type currentOutput struct{ Body web.Encoded[Current] }

// varying is all by which the answer of a session hangs on the time, while it stays as it is in the database.
type varying struct {
	fresh                bool
	confinedTo, recovery string
}

// written is an answer, and of when it is.
type written struct {
	of   varying
	body web.Encoded[Current]
}

type signedOut struct {
	SetCookie []http.Cookie
}

// Register adds the calls of this room.
func (s *Sessions) Register(api *web.API) {
	web.Register(api, web.Enrolling, huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: "/api/v1/session",
		Summary: "Who is signed in here, and how", Tags: []string{"Session"},
	}, s.current)
	web.Register(api, web.Enrolling, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/v1/session",
		Summary: "Sign out", Tags: []string{"Session"}, DefaultStatus: http.StatusNoContent,
	}, func(ctx context.Context, caller web.Caller, _ *struct{}) (*signedOut, error) {
		err := s.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			_, err := s.End(ctx, tx, caller, caller.Session.UserID, caller.Session.ID, "signed_out")
			return err
		})
		if err != nil {
			return nil, err
		}
		return &signedOut{SetCookie: []http.Cookie{api.ClearSession()}}, nil
	})
	s.registerOpen(api)
}

// current answers who is signed in. It is asked more often than anything else: what was written for a session is given
// again as long as it says the same.
func (s *Sessions) current(_ context.Context, caller web.Caller, _ *struct{}) (*currentOutput, error) {
	session := caller.Session
	now := varying{session.Fresh(s.now()), session.ConfinedTo, session.Recovery}
	held, kept := session.Held.(*held)
	if kept {
		if last := held.written.Load(); last != nil && last.of == now {
			return &currentOutput{Body: last.body}, nil
		}
	}
	body, err := web.Encode(answerOf(session, now.fresh))
	if err != nil {
		return nil, err
	}
	if kept {
		held.written.Store(&written{now, body})
	}
	return &currentOutput{Body: body}, nil
}

func answerOf(held *web.Session, fresh bool) Current {
	answer := Current{
		ID: held.ID, User: User{ID: held.UserID, Name: held.Name, Email: held.Email, Role: held.Role},
		SignedInWith: held.SignedInWith, FreshWith: held.FreshWith, ExpiresAt: held.ExpiresAt, Recovery: held.Recovery,
	}
	if fresh {
		answer.FreshUntil = &held.FreshUntil
	}
	if held.ConfinedTo != "" {
		answer.ConfinedTo = &held.ConfinedTo
	}
	answer.MFA.State = "off"
	if held.MFA {
		answer.MFA.State = "on"
	}
	answer.MFA.Requirement = held.Requirement
	if !held.Deadline.IsZero() && held.Requirement == account.RequirementRequired {
		answer.MFA.Deadline = &held.Deadline
	}
	return answer
}
