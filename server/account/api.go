package account

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

type listInput struct {
	Query      string     `query:"query" maxLength:"200" doc:"Beginnings of words of name and e-mail address."`
	Protection Protection `query:"protection" enum:"on,off,enrolling,required_not_yet,overdue,due,few_codes,locked,disabled,invited" doc:"The state of 2-step verification, or of the account. required_not_yet: all of whom it is required and who have not turned it on; overdue: those of them whose deadline has passed; due: the overdue, and those whose deadline is within 7 days; few_codes: fewer than four backup codes left; locked: by wrong codes."`
	Role       string     `query:"role" enum:"member,administrator"`
	Sort       string     `query:"sort" enum:"name,email" default:"name"`
	Cursor     string     `query:"cursor" maxLength:"600" doc:"From the page before."`
	Limit      int        `query:"limit" minimum:"1" maximum:"100" default:"25"`
}

// Row is one person of the list.
type Row struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Email        string     `json:"email"`
	Role         string     `json:"role" enum:"member,administrator"`
	Disabled     bool       `json:"disabled"`
	Invited      bool       `json:"invited" doc:"They have not joined yet, so nobody can sign in as them."`
	LastSignInAt *time.Time `json:"last_sign_in_at"`
	MFA          RowMFA     `json:"mfa"`
}

// RowMFA is somebody's protection at a glance.
type RowMFA struct {
	State                string     `json:"state" enum:"off,enrolling,on"`
	Requirement          string     `json:"requirement" enum:"off,allowed,required"`
	Deadline             *time.Time `json:"deadline"`
	Overdue              bool       `json:"overdue" doc:"It is required, the deadline has passed, and it is not on."`
	Locked               bool       `json:"locked" doc:"Wrong codes have locked codes."`
	Since                *time.Time `json:"since"`
	BackupCodesRemaining int        `json:"backup_codes_remaining"`
}

// Listing is a page of people.
type Listing struct {
	Users      []Row   `json:"users" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
	Total      int     `json:"total" doc:"How many match; 1001 means more than a thousand."`
}

type listOutput struct{ Body Listing }

// Register adds the calls of this room.
func Register(api *web.API, db *database.Database, now func() time.Time) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/api/v1/users",
		Summary: "The people of the account", Tags: []string{"Users"},
	}, func(ctx context.Context, _ web.Caller, in *listInput) (*listOutput, error) {
		page, err := List(ctx, db.Read(), database.At(now()), Query{
			Text: in.Query, Protection: in.Protection, Role: in.Role, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit,
		})
		if err != nil {
			return nil, err
		}
		answer := Listing{Users: make([]Row, len(page.People)), Total: page.Total}
		for n := range page.People {
			answer.Users[n] = page.People[n].row(now())
		}
		if page.Next != "" {
			answer.NextCursor = &page.Next
		}
		return &listOutput{Body: answer}, nil
	})
}

func (l *Listed) row(now time.Time) Row {
	row := Row{
		ID: l.ID, Name: l.Name, Email: l.Email, Role: l.Role, Disabled: !l.DisabledAt.IsZero(), Invited: l.Invited(),
		LastSignInAt: l.LastSignInAt.OrNil(),
		MFA: RowMFA{
			State: "off", Requirement: l.Requirement, Overdue: l.MustEnrol(now), Locked: l.Locked, Since: l.MFASince.OrNil(),
			BackupCodesRemaining: l.BackupCodesRemaining,
		},
	}
	switch {
	case l.MFA():
		row.MFA.State = "on"
	case l.Enrolling:
		row.MFA.State = "enrolling"
	}
	if l.Reset() {
		row.MFA.BackupCodesRemaining = 0 // those of before are kept until they are replaced, and open nothing
	}
	if l.Requirement == RequirementRequired {
		row.MFA.Deadline = l.Deadline.OrNil()
	}
	return row
}
