package audit

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

type listInput struct {
	web.PersonPath
	Cursor string `query:"cursor" maxLength:"26" doc:"From the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// EventView is one event as the person it is about reads it.
type EventView struct {
	ID         string         `json:"id"`
	At         time.Time      `json:"at"`
	Kind       string         `json:"kind" doc:"See docs/events.md."`
	Result     string         `json:"result" enum:"ok,refused,fault"`
	Method     string         `json:"method" doc:"password, or the kind of factor; may be empty."`
	Reason     string         `json:"reason" doc:"Why it was refused, or what made it necessary; may be empty."`
	Actor      string         `json:"actor" enum:"self,other,console,nobody" doc:"Who did it: the person, somebody else of the account, the console, or somebody who had proved nothing yet."`
	Browser    string         `json:"browser"`
	Address    string         `json:"address"`
	Here       bool           `json:"here" doc:"The session that asks did it."`
	NewBrowser bool           `json:"new_browser" doc:"A sign-in with a browser that was never seen with this person."`
	Data       map[string]any `json:"data" doc:"Small facts that the kind defines."`
}

// EventPage is a page of events, the newest first.
type EventPage struct {
	Events     []EventView `json:"events" nullable:"false"`
	NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
}

type listOutput struct{ Body EventPage }

// Register adds the calls of this room.
func Register(api *web.API, db *database.Database, people People) {
	registerSearch(api, db, people)
	registerExport(api, db, people)
	web.Register(api, web.SignedIn, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/api/v1/users/{id}/security/events",
		Summary: "What happened lately on a person's account", Tags: []string{"Security"},
	}, func(ctx context.Context, caller web.Caller, in *listInput) (*listOutput, error) {
		who, err := caller.Visible(in.ID)
		if err != nil {
			return nil, err
		}
		rows, err := about(ctx, db.Read(), who, in.Cursor, in.Limit+1)
		if err != nil {
			return nil, err
		}
		page := EventPage{Events: make([]EventView, 0, in.Limit)}
		if len(rows) > in.Limit {
			rows = rows[:in.Limit]
			page.NextCursor = &rows[in.Limit-1].ID
		}
		for n := range rows {
			view, err := rows[n].view(caller.Session.ID)
			if err != nil {
				return nil, err
			}
			page.Events = append(page.Events, view)
		}
		return &listOutput{Body: page}, nil
	})
}

func (r *row) view(session string) (EventView, error) {
	facts, err := r.facts()
	if err != nil {
		return EventView{}, err
	}
	view := EventView{
		ID: r.ID, At: r.At.Time(), Kind: r.Kind, Result: r.Result, Method: r.Method, Reason: r.Reason, Actor: r.by(),
		Browser: r.Browser, Address: r.Address, Here: r.SessionID != "" && r.SessionID == session, Data: facts,
	}
	view.NewBrowser, _ = facts["new_browser"].(bool)
	if view.Actor == "other" { // where an administrator sits is not for everybody
		view.Browser, view.Address = "", ""
	}
	return view, nil
}
