package account

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

type listInput struct {
	Query      string     `query:"query" maxLength:"200" doc:"Beginnings of words of name and e-mail address."`
	Protection Protection `query:"protection" enum:"on,off,enrolling" doc:"The state of 2-step verification."`
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
	LastSignInAt *time.Time `json:"last_sign_in_at"`
	MFA          RowMFA     `json:"mfa"`
}

// RowMFA is somebody's protection at a glance.
type RowMFA struct {
	State                string     `json:"state" enum:"off,enrolling,on"`
	Requirement          string     `json:"requirement" enum:"off,allowed,required"`
	Deadline             *time.Time `json:"deadline"`
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
			answer.Users[n] = page.People[n].row()
		}
		if page.Next != "" {
			answer.NextCursor = &page.Next
		}
		return &listOutput{Body: answer}, nil
	})
	registerName(api, db)
}

type nameInput struct {
	web.PersonPath
	Body struct {
		Name string `json:"name" maxLength:"400"`
	}
}

// renamings are how often a person may change their name.
var renamings = audit.Limit{Kind: audit.NameChanged, Most: 20, Within: time.Hour}

func registerName(api *web.API, db *database.Database) {
	rename := huma.Operation{
		OperationID: "change-user", Method: http.MethodPatch, Path: "/api/v1/users/{id}",
		Summary: "Change my name", Tags: []string{"Users"}, DefaultStatus: http.StatusNoContent,
		Description: "429 `too_many_changes` after 20 changes within an hour.",
	}
	web.RegisterOwn(api, web.SignedIn, rename, func(ctx context.Context, caller web.Caller, in *nameInput) (*struct{}, error) {
		if fields := CheckName(in.Body.Name); len(fields) > 0 {
			return nil, ErrInvalid.For(fields...)
		}
		return nil, db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			user, err := Hold(ctx, tx, caller.Session.UserID)
			if err != nil {
				return err
			}
			changed, err := Rename(ctx, tx, user, in.Body.Name)
			if err != nil || !changed {
				return err
			}
			if err := renamings.Refuse(ctx, tx, user.ID); err != nil {
				return err
			}
			return audit.Record(ctx, tx, audit.By(caller).Is(audit.NameChanged, audit.OK))
		})
	})
}

func (l *Listed) row() Row {
	row := Row{
		ID: l.ID, Name: l.Name, Email: l.Email, Role: l.Role, Disabled: !l.DisabledAt.IsZero(),
		LastSignInAt: moment(l.LastSignInAt),
		MFA: RowMFA{
			State: "off", Requirement: l.Requirement, Since: moment(l.MFASince), BackupCodesRemaining: l.BackupCodesRemaining,
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
		row.MFA.Deadline = moment(l.Deadline)
	}
	return row
}

func moment(at database.Instant) *time.Time {
	if at.IsZero() {
		return nil
	}
	t := at.Time()
	return &t
}
