package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// RollOut is something that is asked of many people, and how far it is.
type RollOut struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"requirement,roll_out,reminder" doc:"requirement: for a selection of people; roll_out: with a message; reminder: nothing new is asked."`
	State      string     `json:"state" enum:"running,done,stopped"`
	StoppedFor string     `json:"stopped_for" enum:",administrator,not_permitted,restored" doc:"not_permitted: whoever started it is no administrator any more; restored: the installation was."`
	StartedBy  string     `json:"started_by" doc:"A name; empty where they are gone."`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`

	Chosen     bool   `json:"chosen" doc:"The people were chosen one by one; else they match the filter."`
	Query      string `json:"query"`
	Protection string `json:"protection"`
	Role       string `json:"role"`

	Requirement string     `json:"requirement"`
	Deadline    *time.Time `json:"deadline"`
	Reason      string     `json:"reason"`
	Message     []string   `json:"message" nullable:"false"`

	Total     int       `json:"total"`
	Done      int       `json:"done"`
	Changed   int       `json:"changed" doc:"Of reminders: how many were sent."`
	Unchanged int       `json:"unchanged"`
	LeftOut   []LeftOut `json:"left_out" nullable:"false"`
	Mailed    int       `json:"mailed"`

	Asked     int          `json:"asked" doc:"Of a roll-out: of how many people who are still here it was asked."`
	Protected int          `json:"protected" doc:"How many of them have 2-step verification on."`
	History   []RollOutDay `json:"history" nullable:"false" doc:"One a day from its beginning to its deadline, today last; empty in a list."`
}

// RollOutDay is how many of those who are protected now were so at the end of a day (UTC), or by now.
type RollOutDay struct {
	Date      string `json:"date" format:"date"`
	Protected int    `json:"protected"`
}

// listed is how many are listed, and mostDays how far a history goes.
const (
	listed   = 20
	mostDays = 180
)

func (r *RollOuts) outlook(ctx context.Context, caller web.Caller, asked *Asked) (*Outlook, error) {
	p, err := asked.plan(caller)
	if err != nil {
		return nil, err
	}
	if err := p.check(r.Now()); err != nil {
		return nil, err
	}
	of, _, err := r.look(ctx, p, r.Now())
	if err != nil {
		return nil, err
	}
	outlook := &Outlook{
		People: of.people, Changed: of.changed, Unchanged: of.unchanged, LeftOut: leftOut(of.left), Mail: r.Mail.Sends(),
	}
	if outlook.Mail {
		outlook.Mailed = of.mailed
	}
	if p.kind != kindRollOut {
		return outlook, nil
	}
	notice := mail.Notice{Kind: mail.RollOut, Facts: mail.Facts{By: mail.ByAdministrator, Until: &p.asks.Deadline}}
	shown, err := r.Mail.Show(ctx, notice, caller.Session.Name, p.message)
	if err != nil || shown == nil {
		return outlook, err
	}
	outlook.Subject, outlook.Text = shown.Subject, shown.Text
	return outlook, nil
}

func (r *RollOuts) list(ctx context.Context) ([]RollOut, error) {
	var rows []row
	err := r.Database.Read().NewSelect().Model(&rows).OrderExpr("r.id DESC").Limit(listed).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list roll-outs: %w", err)
	}
	by := make([]string, len(rows))
	for n := range rows {
		by[n] = rows[n].ByID
	}
	names, err := r.People.Names(ctx, by)
	if err != nil {
		return nil, err
	}
	list := make([]RollOut, len(rows))
	for n := range rows {
		one, err := describe(&rows[n], names)
		if err != nil {
			return nil, err
		}
		list[n] = *one
	}
	return list, nil
}

// described is one with its history.
func (r *RollOuts) described(ctx context.Context, of *row) (*runOutput, error) {
	names, err := r.People.Names(ctx, []string{of.ByID})
	if err != nil {
		return nil, err
	}
	view, err := describe(of, names)
	if err != nil {
		return nil, err
	}
	if of.Kind == kindRollOut {
		if err := r.watch(ctx, of, view); err != nil {
			return nil, err
		}
	}
	return &runOutput{Body: *view}, nil
}

func describe(of *row, names map[string]string) (*RollOut, error) {
	left, err := countsOf(of.LeftOut)
	if err != nil {
		return nil, err
	}
	view := &RollOut{
		ID: of.ID, Kind: of.Kind, State: of.State, StoppedFor: of.StoppedFor, StartedBy: names[of.ByID], StartedAt: of.CreatedAt.Time(),
		EndedAt: of.EndedAt.OrNil(), Chosen: of.People != "", Query: of.Query, Protection: of.Protection, Role: of.Role,
		Requirement: of.Requirement, Deadline: of.Deadline.OrNil(), Reason: of.Reason,
		Total: of.Total, Done: of.Done, Changed: of.Changed, Unchanged: of.Unchanged, LeftOut: leftOut(left), Mailed: of.Mailed,
		History: []RollOutDay{},
	}
	if view.Message, err = texts(of.Message); err != nil {
		return nil, err
	}
	if view.Message == nil {
		view.Message = []string{}
	}
	return view, nil
}

// watch counts, of those who were asked, how many are protected, by the day since when.
func (r *RollOuts) watch(ctx context.Context, of *row, view *RollOut) error {
	var counted []struct {
		Day   *int64 `bun:"day"`
		Count int    `bun:"count"`
	}
	const day = int64(24 * time.Hour / time.Millisecond)
	people := r.Database.Read().NewSelect().TableExpr("roll_out_people AS p JOIN users AS u ON u.id = p.user_id")
	err := people.ColumnExpr("u.mfa_since / ? AS day, COUNT(*) AS count", day).Where("p.roll_out_id = ?", of.ID).
		GroupExpr("u.mfa_since / ?", day).Scan(ctx, &counted)
	if err != nil {
		return fmt.Errorf("count who is protected of a roll-out: %w", err)
	}
	first := of.CreatedAt.Time().Truncate(24 * time.Hour)
	last := r.Now().UTC()
	if until := of.Deadline.Time(); until.Before(last) {
		last = until
	}
	since := map[int64]int{}
	for _, one := range counted {
		view.Asked += one.Count
		if one.Day == nil {
			continue
		}
		view.Protected += one.Count
		since[max(*one.Day, first.UnixMilli()/day)] += one.Count
	}
	sum := 0
	for date := first; !date.After(last) && len(view.History) < mostDays; date = date.AddDate(0, 0, 1) {
		sum += since[date.UnixMilli()/day]
		view.History = append(view.History, RollOutDay{Date: date.Format(time.DateOnly), Protected: sum})
	}
	return nil
}

// MessageOf reads the message of a roll-out, for its mails.
func MessageOf(db *database.Database) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, id string) ([]string, error) { return message(ctx, db.Read(), id) }
}

func message(ctx context.Context, db bun.IDB, id string) ([]string, error) {
	var stored []string
	if err := db.NewSelect().TableExpr("roll_outs").Column("message").Where("id = ?", id).Scan(ctx, &stored); err != nil {
		return nil, fmt.Errorf("read the message of a roll-out: %w", err)
	}
	if len(stored) == 0 {
		return nil, nil
	}
	return texts(stored[0])
}
