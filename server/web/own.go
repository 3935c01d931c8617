package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// nothing is the input of an operation that takes none.
type nothing struct{}

// healthOutput is the answer of the two health checks.
type healthOutput struct {
	Body struct {
		Status string `json:"status" enum:"ok"`
	}
}

// readyOutput is the answer of whoever can serve, with what looks wrong all the same.
type readyOutput struct {
	Body struct {
		Status             string `json:"status" enum:"ok"`
		Warning            string `json:"warning,omitempty" doc:"What to see to, though the server can serve."`
		ClockOffsetSeconds int    `json:"clock_offset_seconds,omitempty" doc:"By how much this server's clock looks wrong to the browsers of those who sign in; minus is behind. Absent while nothing looks wrong."`
	}
}

type timeOutput struct {
	Body struct {
		Now string `json:"now" format:"date-time" doc:"The server's time, with milliseconds." example:"2026-01-02T03:04:05.678Z"`
	}
}

type documentOutput struct{ Body Encoded[json.RawMessage] }

// registerOwn adds the operations of this package.
func (a *API) registerOwn() {
	Register(a, Public, huma.Operation{OperationID: "health", Method: http.MethodGet, Path: "/healthz",
		Summary: "Is the process alive", Tags: []string{"server"}},
		func(context.Context, Caller, *nothing) (*healthOutput, error) { return healthy(), nil })

	Register(a, Public, huma.Operation{OperationID: "ready", Method: http.MethodGet, Path: "/readyz",
		Summary: "Can the server serve", Description: "503 `not_ready` while its database can't be reached. It stays 200 where there is a warning.", Tags: []string{"server"}},
		func(ctx context.Context, _ Caller, _ *nothing) (*readyOutput, error) {
			if a.ready != nil {
				if err := a.ready(ctx); err != nil {
					return nil, notReady.Because(err)
				}
			}
			return a.serves(), nil
		})

	Register(a, Public, huma.Operation{OperationID: "time", Method: http.MethodGet, Path: "/api/v1/time",
		Summary: "The server's time", Tags: []string{"server"}},
		func(context.Context, Caller, *nothing) (*timeOutput, error) {
			out := &timeOutput{}
			out.Body.Now = a.now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
			return out, nil
		})

	Register(a, Public, huma.Operation{OperationID: "openapi", Method: http.MethodGet, Path: "/api/openapi.json",
		Summary: "This document", Tags: []string{"server"},
		Responses: map[string]*huma.Response{"200": {
			Description: "The OpenAPI 3.1 document.",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}},
		}}},
		func(context.Context, Caller, *nothing) (*documentOutput, error) {
			return &documentOutput{Body: Encoded[json.RawMessage]{a.OpenAPI()}}, nil
		})
}

// serves says that the server can, and what its administrators should see to.
func (a *API) serves() *readyOutput {
	out := &readyOutput{}
	out.Body.Status = "ok"
	if a.clockOff == nil {
		return out
	}
	off := int(a.clockOff() / time.Second)
	out.Body.ClockOffsetSeconds = off
	switch {
	case off < 0:
		out.Body.Warning = fmt.Sprintf("The server's clock looks %d seconds behind.", -off)
	case off > 0:
		out.Body.Warning = fmt.Sprintf("The server's clock looks %d seconds ahead.", off)
	}
	return out
}

func healthy() *healthOutput {
	out := &healthOutput{}
	out.Body.Status = "ok"
	return out
}
