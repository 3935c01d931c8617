package help

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type tallyOutput struct {
	Body struct {
		Articles []Tally `json:"articles" nullable:"false"`
	}
}

type sentencesInput struct {
	Article string `query:"article" maxLength:"100" doc:"Of one article alone."`
	Done    bool   `query:"done" doc:"Those that are done with, in place of those that are not."`
	Cursor  string `query:"cursor" maxLength:"26" doc:"next_cursor of the page before."`
	Limit   int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
}

type sentencesOutput struct {
	Body struct {
		Sentences  []Sentence `json:"sentences" nullable:"false"`
		NextCursor *string    `json:"next_cursor"`
	}
}

type markInput struct {
	Sentence string `path:"sentence" maxLength:"40"`
	Body     struct {
		Done bool `json:"done"`
	}
}

// Register adds the pages and the calls of this room. The articles are read by Open.
func (h *Help) Register(api *web.API) {
	web.RegisterPages(api, Prefix, h.page)

	operation := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Help"}, DefaultStatus: status}
	}
	web.Register(api, web.Administrator, operation("get-help-votes", http.MethodGet, "/api/v1/help/votes", "What readers of the help answered", http.StatusOK),
		func(ctx context.Context, _ web.Caller, _ *struct{}) (*tallyOutput, error) {
			tallies, err := h.tallies(ctx, h.Database.Read(), h.Now())
			if err != nil {
				return nil, err
			}
			out := &tallyOutput{}
			out.Body.Articles = tallies
			return out, nil
		})
	web.Register(api, web.Administrator, operation("list-help-sentences", http.MethodGet, "/api/v1/help/sentences", "What readers of the help wrote", http.StatusOK),
		func(ctx context.Context, _ web.Caller, in *sentencesInput) (*sentencesOutput, error) {
			list, more, err := h.sentences(ctx, h.Database.Read(), in.Article, in.Done, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &sentencesOutput{}
			out.Body.Sentences = list
			if more {
				out.Body.NextCursor = &list[len(list)-1].ID
			}
			return out, nil
		})
	web.Register(api, web.Administrator, operation("mark-help-sentence", http.MethodPatch, "/api/v1/help/sentences/{sentence}", "Mark a sentence as done, or not", http.StatusNoContent),
		func(ctx context.Context, _ web.Caller, in *markInput) (*struct{}, error) {
			return nil, h.mark(ctx, in.Sentence, in.Body.Done)
		})
}
