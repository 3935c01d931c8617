package mail

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// MailState is how mail fares, for administrators.
type MailState struct {
	Sends        bool       `json:"sends" doc:"A mail server is set. Without one the rest is empty."`
	Server       string     `json:"server" doc:"Host and port."`
	From         string     `json:"from"`
	Language     string     `json:"language" doc:"Of the words: en."`
	Waiting      int        `json:"waiting" doc:"How many mails are due and were not taken yet."`
	WaitingSince *time.Time `json:"waiting_since" doc:"Of the oldest of them."`
	GivenUp      int        `json:"given_up" doc:"How many of the last 30 days were never taken, or too late."`
	LastProblem  string     `json:"last_problem" doc:"What the mail server said of the last mail that it did not take, among those that wait or were given up."`
}

type stateOutput struct{ Body MailState }

// Register adds the call of this room.
func (m *Mail) Register(api *web.API) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "get-mail", Method: http.MethodGet, Path: "/api/v1/mail",
		Summary: "Whether mail leaves, and what waits", Tags: []string{"Installation"},
	}, func(ctx context.Context, _ web.Caller, _ *struct{}) (*stateOutput, error) {
		state, err := m.state(ctx)
		if err != nil {
			return nil, err
		}
		return &stateOutput{Body: *state}, nil
	})
}

func (m *Mail) state(ctx context.Context) (*MailState, error) {
	state := &MailState{Sends: m.Sends()}
	if !state.Sends {
		return state, nil
	}
	state.Server = net.JoinHostPort(m.Settings.Server.Host, strconv.Itoa(m.Settings.Server.Port))
	state.From, state.Language = m.Settings.From.Address, m.Settings.Language
	var counted struct {
		Waiting, GivenUp int
		Since            database.Instant
	}
	err := m.Database.Read().NewSelect().Model((*row)(nil)).
		ColumnExpr("count(CASE WHEN given_up_at IS NULL THEN 1 END) AS waiting").
		ColumnExpr("count(given_up_at) AS given_up").
		ColumnExpr("min(CASE WHEN given_up_at IS NULL THEN due_at END) AS since").
		Where("sent_at IS NULL AND due_at <= ?", database.At(m.Now())).Scan(ctx, &counted)
	if err != nil {
		return nil, fmt.Errorf("count the mails that wait: %w", err)
	}
	state.Waiting, state.GivenUp = counted.Waiting, counted.GivenUp
	if since := counted.Since.Time(); !since.IsZero() {
		state.WaitingSince = &since
	}
	if state.Waiting+state.GivenUp == 0 {
		return state, nil
	}
	var problems []string
	err = m.Database.Read().NewSelect().Model((*row)(nil)).Column("problem").
		Where("sent_at IS NULL AND problem <> ''").OrderExpr("due_at DESC, id DESC").Limit(1).Scan(ctx, &problems)
	if err != nil {
		return nil, fmt.Errorf("look for the last problem with mail: %w", err)
	}
	if len(problems) > 0 {
		state.LastProblem = problems[0]
	}
	return state, nil
}
