// Package protection tells administrators how the account stands: how many have 2-step verification, since when, and
// where a hand is needed. It reads what other rooms keep, and keeps nothing but how many second steps were refused why.
package protection

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
)

const (
	// historyDays is how far the history goes back.
	historyDays = 90
	// named is how many people are told by name.
	named = 20
)

// Figures are the account's at one moment. Disabled people count nowhere.
type Figures struct {
	People    int `json:"people"`
	Protected int `json:"protected" doc:"With 2-step verification on."`
	Overdue   int `json:"overdue" doc:"Required, past the deadline, and not on."`
	DueSoon   int `json:"due_soon" doc:"Required within the next 7 days, and not on."`
	Locked    int `json:"locked" doc:"Wrong codes have locked their codes, until somebody unlocks them."`
	Asking    int `json:"asking" doc:"They ask to get back in, and a decision waits."`

	Administrators            int     `json:"administrators"`
	UnprotectedAdministrators []Named `json:"unprotected_administrators" nullable:"false" doc:"At most 20."`

	History []Day `json:"history" nullable:"false" doc:"One a day, today last; it begins with the account, 90 days ago at the most."`
}

// Named is somebody by name.
type Named struct {
	ID   string `json:"id" bun:"id"`
	Name string `json:"name" bun:"name"`
}

// Day is how many were protected at the end of a day (UTC), or by now.
type Day struct {
	Date      string `json:"date" format:"date"`
	Protected int    `json:"protected"`
}

// Read reads the figures.
func Read(ctx context.Context, db bun.IDB, at time.Time) (*Figures, error) {
	now := database.At(at)
	f := &Figures{UnprotectedAdministrators: []Named{}}
	everybody := func() *bun.SelectQuery { return db.NewSelect().TableExpr("users AS u") }
	disabled := func() *bun.SelectQuery { return everybody().Where("u.disabled_at IS NOT NULL") }
	active := func() *bun.SelectQuery { return everybody().Where("u.disabled_at IS NULL") }
	// As the partial indexes of the user list say it, so that they are used.
	waits := func() *bun.SelectQuery {
		return everybody().Where("u.requirement = 'required' AND u.mfa_since IS NULL AND u.disabled_at IS NULL")
	}
	var gone, goneProtected int
	var err error
	// The few who are disabled are taken off.
	if f.People, f.Protected, err = account.Tally(ctx, db); err != nil {
		return nil, err
	}
	for _, one := range []struct {
		into *int
		of   *bun.SelectQuery
	}{
		{&gone, disabled()},
		{&goneProtected, disabled().Where("u.mfa_since IS NOT NULL")},
		{&f.Administrators, active().Where("u.role = ?", account.Administrator)},
		{&f.Overdue, waits().Where("COALESCE(u.deadline, 0) <= ?", now)},
		{&f.Locked, active().Where("u.id IN (SELECT t.user_id FROM second_step_tries AS t WHERE t.locked_at IS NOT NULL)")},
		{&f.Asking, db.NewSelect().TableExpr("recoveries AS r").Where("r.state = 'proved' AND r.expires_at > ?", now)},
		{&f.DueSoon, waits().Where("COALESCE(u.deadline, 0) > ? AND COALESCE(u.deadline, 0) <= ?", now, database.At(at.Add(account.DueWithin)))},
	} {
		counted, err := one.of.Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("count for protection: %w", err)
		}
		*one.into = int(counted)
	}
	f.People, f.Protected = f.People-gone, f.Protected-goneProtected
	err = active().ColumnExpr("u.id, u.name").Where("u.role = ? AND u.mfa_since IS NULL", account.Administrator).
		OrderExpr("u.sort_name, u.id").Limit(named).Scan(ctx, &f.UnprotectedAdministrators)
	if err != nil {
		return nil, fmt.Errorf("look for unprotected administrators: %w", err)
	}
	f.History, err = history(ctx, db, at, f.Protected)
	return f, err
}

// change is how a kind of event changes the number of the protected.
var change = map[string]int{
	audit.EnrolmentActivated: 1,
	audit.Disabled:           -1,
	audit.Reset:              -1,
}

// history walks back from today's number over the events that changed it.
func history(ctx context.Context, db bun.IDB, at time.Time, protected int) ([]Day, error) {
	today := at.UTC().Truncate(24 * time.Hour)
	var began database.Instant
	// Ids ascend with time. Who asks is somebody, so there is one.
	if err := db.NewSelect().TableExpr("users").Column("created_at").OrderExpr("id").Limit(1).Scan(ctx, &began); err != nil {
		return nil, fmt.Errorf("when the account began: %w", err)
	}
	first := today.AddDate(0, 0, -historyDays)
	if day := began.Time().Truncate(24 * time.Hour); day.After(first) {
		first = day
	}
	kinds := make([]string, 0, len(change))
	for kind := range change {
		kinds = append(kinds, kind)
	}
	var counted []struct {
		Day   int64  `bun:"day"`
		Kind  string `bun:"kind"`
		Count int    `bun:"count"`
	}
	err := db.NewSelect().TableExpr("events").ColumnExpr("at / ? AS day, kind, COUNT(*) AS count", day).
		Where("id >= ? AND result = ? AND kind IN ?", database.FirstID(first), audit.OK, bun.Tuple(kinds)).
		GroupExpr("at / ?, kind", day).Scan(ctx, &counted)
	if err != nil {
		return nil, fmt.Errorf("the history of protection: %w", err)
	}
	changed := map[int64]int{}
	for _, one := range counted {
		changed[one.Day] += change[one.Kind] * one.Count
	}
	days := int(today.Sub(first)/(24*time.Hour)) + 1
	list := make([]Day, days)
	for n := days - 1; n >= 0; n-- {
		date := first.AddDate(0, 0, n)
		list[n] = Day{Date: date.Format(time.DateOnly), Protected: max(protected, 0)}
		protected -= changed[date.UnixMilli()/day]
	}
	return list, nil
}
