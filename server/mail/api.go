package mail

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/uptrace/bun"

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
	GivenUp      int        `json:"given_up" doc:"How many of the last 7 days were never taken, or too late."`
	LastProblem  string     `json:"last_problem" doc:"What the mail server said of the last mail that it did not take, among those that wait or were given up."`
}

type stateOutput struct{ Body MailState }

// Sender is what whoever waits for a mail may know: anybody can have one sent to themselves, and look.
type Sender struct {
	Sends bool   `json:"sends" doc:"A mail server is set."`
	From  string `json:"from" doc:"The address that mails come from; empty where none are sent."`
}

type senderOutput struct{ Body Sender }

// Register adds the calls of this room.
func (m *Mail) Register(api *web.API) {
	web.Register(api, web.Public, huma.Operation{
		OperationID: "get-mail-sender", Method: http.MethodGet, Path: "/api/v1/mail/sender",
		Summary: "Which address mails come from", Tags: []string{"Installation"},
	}, func(context.Context, web.Caller, *struct{}) (*senderOutput, error) {
		sender := Sender{Sends: m.Sends()}
		if sender.Sends {
			sender.From = m.Settings.From.Address
		}
		return &senderOutput{Body: sender}, nil
	})
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

// lately is how long a mail that was given up is told of: what is older was told, or is no news.
const lately = 7 * 24 * time.Hour

// GivenUp counts the mails that were given up lately.
func GivenUp(ctx context.Context, db bun.IDB, now time.Time) (int, error) {
	count, err := db.NewSelect().Model((*row)(nil)).Where("sent_at IS NULL AND given_up_at > ?", database.At(now.Add(-lately))).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the mails that were given up: %w", err)
	}
	return int(count), nil
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
		ColumnExpr("count(CASE WHEN given_up_at > ? THEN 1 END) AS given_up", database.At(m.Now().Add(-lately))).
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
