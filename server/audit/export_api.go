package audit

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

type exportInput struct {
	Filters
	Format string `query:"format" enum:"jsonl,csv" default:"jsonl" doc:"jsonl: an object a line, as the audit log has them. csv: a row an event, in which a cell that a spreadsheet would compute begins with an apostrophe."`
}

const (
	jsonLinesType = "application/x-ndjson"
	csvType       = "text/csv; charset=utf-8"
)

func registerExport(api *web.API, db *database.Database, people People) {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	web.Register(api, web.FreshAdministrator, huma.Operation{
		OperationID: "export-events", Method: http.MethodGet, Path: "/api/v1/audit/export",
		Summary: "The audit log as a file", Tags: []string{"Audit log"},
		Description: "All events that fit, the newest first, written while they are read. The header `" + web.EventsHeader +
			"` tells how many they are. That somebody took them is an event itself.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The events, in the form that was asked for.",
			Content:     map[string]*huma.MediaType{jsonLinesType: text, "text/csv": text},
			Headers: map[string]*huma.Header{web.EventsHeader: {
				Description: "How many events fit.", Schema: &huma.Schema{Type: huma.TypeInteger},
			}},
		}},
	}, func(ctx context.Context, caller web.Caller, in *exportInput) (*web.Stream, error) {
		search, err := in.search(ctx, people)
		if err != nil {
			return nil, err
		}
		event := By(caller).Is(LogExported, OK)
		event.Data = map[string]any{"format": in.Format}
		err = db.Write(ctx, func(ctx context.Context, tx database.Tx) error { return Record(ctx, tx, event) })
		if err != nil {
			return nil, err
		}
		stream := &web.Stream{ContentType: jsonLinesType}
		if stream.Events, err = search.Count(ctx, db.Read()); err != nil {
			return nil, err
		}
		var out bytes.Buffer
		form := JSONLines(&out)
		if in.Format == "csv" {
			stream.ContentType = csvType
			if form, err = CSV(&out); err != nil {
				return nil, err
			}
		}
		stream.Next = search.pages(db, people, &out, form)
		return stream, nil
	})
}

// pages writes the events that fit into out, a page each time, and answers it.
func (s Search) pages(db *database.Database, people People, out *bytes.Buffer, form Export) func(ctx context.Context) ([]byte, error) {
	more := true
	return func(ctx context.Context) ([]byte, error) {
		if !more {
			return nil, nil
		}
		out.Reset()
		var err error
		if more, err = s.next(ctx, db.Read(), people, form.Write); err != nil {
			return nil, err
		}
		if err := form.Flush(); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	}
}
