package protection

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// Refusals are where people get stuck: second steps at signing in that were refused, by reason. What the limits refuse
// unseen is not among them.
type Refusals struct {
	CountedUntil *time.Time    `json:"counted_until,omitempty" doc:"Up to when it is told: ten minutes ago, as only then it is known who got in. Absent where nothing was counted yet."`
	Days         []RefusedDay  `json:"days" nullable:"false" doc:"One a day (UTC), 30 of them, today last."`
	Reasons      []RefusedCode `json:"reasons" nullable:"false" doc:"What stopped people the most often first."`
}

// RefusedDay is how many were refused on a day.
type RefusedDay struct {
	Date  string `json:"date" format:"date"`
	Codes int    `json:"codes"`
}

// RefusedCode is one reason in those days.
type RefusedCode struct {
	Reason string `json:"reason" doc:"As in a diagnosis."`
	Codes  int    `json:"codes" doc:"Second steps that were refused for it."`
	Stops  int    `json:"stops" doc:"How many times it stopped somebody: refusals of one person within ten minutes of each other are one."`
	GotIn  int    `json:"got_in" doc:"How many of those got in within ten minutes after."`
	Days   []int  `json:"days" nullable:"false" doc:"Codes for each of the days."`
}

type refusalsOutput struct{ Body *Refusals }

// RegisterRefusals adds the call for where people get stuck.
func RegisterRefusals(api *web.API, db *database.Database, now func() time.Time) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "get-refusals", Method: http.MethodGet, Path: "/api/v1/protection/refusals",
		Summary: "Where people get stuck: refused second steps by reason", Tags: []string{"Users"},
	}, func(ctx context.Context, _ web.Caller, _ *struct{}) (*refusalsOutput, error) {
		found, err := ReadRefusals(ctx, db.Read(), now())
		return &refusalsOutput{Body: found}, err
	})
}

// ReadRefusals reads what was counted: a row a day and reason.
func ReadRefusals(ctx context.Context, db bun.IDB, at time.Time) (*Refusals, error) {
	found := &Refusals{Days: make([]RefusedDay, refusalDays), Reasons: []RefusedCode{}}
	last, err := countedUntil(ctx, db)
	if err != nil {
		return nil, err
	}
	if until, ok := database.TimeOf(last); ok {
		found.CountedUntil = &until
	}
	today := int64(database.At(at)) / day
	first := today - refusalDays + 1
	for n := range found.Days {
		found.Days[n].Date = time.UnixMilli((first + int64(n)) * day).UTC().Format(time.DateOnly)
	}
	var counts []count
	if err := db.NewSelect().Model(&counts).Where("day >= ? AND day <= ?", first, today).OrderExpr("reason").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read refusals: %w", err)
	}
	for _, one := range counts {
		if len(found.Reasons) == 0 || found.Reasons[len(found.Reasons)-1].Reason != one.Reason {
			found.Reasons = append(found.Reasons, RefusedCode{Reason: one.Reason, Days: make([]int, refusalDays)})
		}
		reason := &found.Reasons[len(found.Reasons)-1]
		reason.Codes, reason.Stops, reason.GotIn = reason.Codes+one.Codes, reason.Stops+one.Stops, reason.GotIn+one.GotIn
		reason.Days[one.Day-first] += one.Codes
		found.Days[one.Day-first].Codes += one.Codes
	}
	slices.SortStableFunc(found.Reasons, func(a, b RefusedCode) int {
		return cmp.Or(cmp.Compare(b.Stops, a.Stops), cmp.Compare(b.Codes, a.Codes))
	})
	return found, nil
}
