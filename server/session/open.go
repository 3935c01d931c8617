package session

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// ErrNoSession refuses to end a session that is not one of the person's, or no longer.
var ErrNoSession = problem.New(http.StatusNotFound, "no_session", "There is no such session, or it has ended already.")

// SessionView is one place where a person is signed in.
type SessionView struct {
	ID           string    `json:"id"`
	Current      bool      `json:"current" doc:"The session that asks."`
	Browser      string    `json:"browser" doc:"Browser and system, such as Firefox on Linux."`
	Address      string    `json:"address"`
	SignedInWith []string  `json:"signed_in_with" nullable:"false"`
	CreatedAt    time.Time `json:"created_at"`
	LastSeenAt   time.Time `json:"last_seen_at" doc:"To the minute."`
}

type listOutput struct {
	Body struct {
		Sessions []SessionView `json:"sessions" nullable:"false" doc:"The one that asks first, then the last seen."`
	}
}

type sessionPath struct {
	web.PersonPath
	Session string `path:"session" maxLength:"40"`
}

type endedOutput struct {
	Body struct {
		Ended int `json:"ended"`
	}
}

func (s *Sessions) registerOpen(api *web.API) {
	const (
		path       = "/api/v1/users/{id}/sessions"
		needsProof = "One's own need fresh proof from the eleventh ending of other sessions within an hour on; an administrator needs it for somebody else's, given with the app."
	)
	operation := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Session"}}
	}
	web.Register(api, web.SignedIn, operation("list-sessions", http.MethodGet, path, "Where a person is signed in"),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*listOutput, error) {
			who, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			views, err := s.open(ctx, caller, who)
			if err != nil {
				return nil, err
			}
			out := &listOutput{}
			out.Body.Sessions = views
			return out, nil
		})
	one := operation("end-session", http.MethodDelete, path+"/{session}", "End a session")
	one.DefaultStatus = http.StatusNoContent
	one.Description = needsProof
	web.Register(api, web.SignedIn, one,
		func(ctx context.Context, caller web.Caller, in *sessionPath) (*signedOut, error) {
			who, err := api.Reach(caller, in.ID)
			if err != nil {
				return nil, err
			}
			err = s.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
				why := endedByAdministrator
				if who == caller.Session.UserID {
					why = endedByPerson
				}
				if in.Session != caller.Session.ID { // whoever signs out here keeps nobody out
					if err := mayEnd(ctx, tx, caller, who); err != nil {
						return err
					}
				}
				ended, err := s.End(ctx, tx, caller, who, in.Session, why)
				if err == nil && !ended {
					err = ErrNoSession
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			if in.Session == caller.Session.ID {
				return &signedOut{SetCookie: []http.Cookie{api.ClearSession()}}, nil
			}
			return &signedOut{}, nil
		})
	others := operation("end-other-sessions", http.MethodDelete, path, "End all my other sessions, or all of somebody's")
	others.Description = needsProof
	web.Register(api, web.SignedIn, others,
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*endedOutput, error) {
			who, err := api.Reach(caller, in.ID)
			if err != nil {
				return nil, err
			}
			out := &endedOutput{}
			err = s.db.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
				keep, why := "", endedByAdministrator
				if who == caller.Session.UserID {
					keep, why = caller.Session.ID, endedByPerson
				}
				if err := mayEnd(ctx, tx, caller, who); err != nil {
					return err
				}
				out.Body.Ended, err = s.EndOthers(ctx, tx, audit.By(caller), who, keep, why)
				return err
			})
			if err != nil {
				return nil, err
			}
			return out, nil
		})
}

// The reasons of an ending that was asked for by itself.
const (
	endedByPerson        = "ended_by_person"
	endedByAdministrator = "ended_by_administrator"
)

// unproven are the endings that a person may ask for without fresh proof: enough to tidy up, and too few for a thief to
// end every session of the owner's as soon as it is there.
var unproven = audit.Limit{Kind: audit.SessionEnded, Reason: endedByPerson, Most: 10, Within: time.Hour}

// mayEnd holds the person, so that of endings at once each is counted. An administrator has proved that they may end
// somebody's.
func mayEnd(ctx context.Context, tx database.Tx, caller web.Caller, userID string) error {
	if userID != caller.Session.UserID {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
	}
	if _, err := account.Hold(ctx, tx, userID); err != nil || userID != caller.Session.UserID {
		return err
	}
	return unproven.AskProof(ctx, tx, caller)
}

// mostOpen bounds the list; who has more sessions than this ends them all.
const mostOpen = 100

// open lists the person's sessions that a request could still use.
func (s *Sessions) open(ctx context.Context, caller web.Caller, userID string) ([]SessionView, error) {
	held, role := caller.Session, caller.Session.Role
	if userID != held.UserID {
		user, err := account.ByID(ctx, s.db.Read(), userID)
		if err != nil {
			return nil, err
		}
		if user == nil {
			return nil, account.ErrNoUser
		}
		role = user.Role
	}
	life := s.settings.of(role)
	now := database.At(s.now())
	var rows []row
	err := s.db.Read().NewSelect().Model(&rows).
		Where("s.user_id = ? AND s.expires_at > ?", userID, now).
		Where("s.created_at > ? AND s.last_seen_at > ?",
			now-database.Instant(life.Absolute.Milliseconds()), now-database.Instant(life.Idle.Milliseconds())).
		OrderExpr("CASE WHEN s.id = ? THEN 0 ELSE 1 END, s.last_seen_at DESC, s.id DESC", held.ID).Limit(mostOpen).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	views := make([]SessionView, len(rows))
	for n, one := range rows {
		views[n] = SessionView{
			ID: one.ID, Current: one.ID == held.ID, Browser: one.Browser, Address: one.Address,
			SignedInWith: strings.Split(one.SignedInWith, ","), CreatedAt: one.CreatedAt.Time(), LastSeenAt: one.LastSeenAt.Time(),
		}
	}
	return views, nil
}
