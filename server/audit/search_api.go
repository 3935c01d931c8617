package audit

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// Filters are what the audit log is narrowed by, over HTTP.
type Filters struct {
	Person  string    `query:"person" maxLength:"254" doc:"Who did it or whom it is about: an id, or the e-mail address of somebody of the account."`
	Actor   string    `query:"actor" maxLength:"254" doc:"Who did it, likewise."`
	Kind    string    `query:"kind" maxLength:"60" doc:"See docs/events.md."`
	Result  string    `query:"result" enum:"ok,refused,fault"`
	Address string    `query:"address" maxLength:"45" doc:"From where: the whole address."`
	From    time.Time `query:"from" doc:"What happened from then on."`
	To      time.Time `query:"to" doc:"What happened before then."`
}

func (f Filters) search(ctx context.Context, people People) (search Search, err error) {
	search = Search{Kind: f.Kind, Result: f.Result, Address: f.Address, From: f.From, To: f.To}
	if search.Person, err = people.Identify(ctx, f.Person); err != nil {
		return Search{}, err
	}
	search.Actor, err = people.Identify(ctx, f.Actor)
	return search, err
}

type searchInput struct {
	Filters
	Cursor string `query:"cursor" maxLength:"26" doc:"From the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// EntryPage is a page of the audit log, the newest event first.
type EntryPage struct {
	Events     []Entry `json:"events" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

type searchOutput struct{ Body EntryPage }

func registerSearch(api *web.API, db *database.Database, people People) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "search-events", Method: http.MethodGet, Path: "/api/v1/audit",
		Summary: "The audit log: what happened on the account", Tags: []string{"Audit log"},
	}, func(ctx context.Context, _ web.Caller, in *searchInput) (*searchOutput, error) {
		search, err := in.search(ctx, people)
		if err != nil {
			return nil, err
		}
		// The cursor names a place in an order that every administrator may read: a forged one only starts elsewhere.
		search.Before = in.Cursor
		entries, more, err := search.Find(ctx, db.Read(), people, in.Limit)
		if err != nil {
			return nil, err
		}
		page := EntryPage{Events: entries}
		if more {
			page.NextCursor = &entries[len(entries)-1].ID
		}
		return &searchOutput{Body: page}, nil
	})
}
