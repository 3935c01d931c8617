package protection

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/clock"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// What administrators are warned of: what would go wrong, some day.
const (
	ServerClock               = "server_clock"               // soon nobody gets in
	AlarmsRaised              = "alarms_raised"              // somebody may have another's password
	SingleAdministrator       = "single_administrator"       // nobody can help them
	UnprotectedAdministrators = "unprotected_administrators" // others than who asks, who is told so anyway
	NoMailServer              = "no_mail_server"             // nobody is told of anything
	MailsGivenUp              = "mails_given_up"             // people were not told of something
	KeyNotKept                = "key_not_kept"               // nobody knows of a copy of the key that seals now
)

// alarmsFor is how long a "This wasn't me" is told of.
const alarmsFor = 7 * 24 * time.Hour

// Warning is something to be seen to.
type Warning struct {
	Kind  string `json:"kind" enum:"server_clock,alarms_raised,single_administrator,unprotected_administrators,no_mail_server,mails_given_up,key_not_kept"`
	Count int    `json:"count" doc:"How many it is about; 1 where it is about one thing."`

	OffsetSeconds int    `json:"offset_seconds,omitempty" doc:"Of a clock: how far it looks off, minus is behind. Of several the worst."`
	Host          string `json:"host,omitempty" doc:"Of a clock: the machine."`
}

// Clocks reads which of the servers' clocks look wrong, the worst first.
type Clocks func(ctx context.Context, db bun.IDB) ([]clock.Wrong, error)

// Warnings are all there are, the gravest first.
type Warnings struct {
	Warnings []Warning `json:"warnings" nullable:"false"`
}

type warningsOutput struct{ Body *Warnings }

// RegisterWarnings adds the call for warnings. primary is the id of the key that seals now.
func RegisterWarnings(api *web.API, db *database.Database, now func() time.Time, primary func() uint32, wrong Clocks) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "get-warnings", Method: http.MethodGet, Path: "/api/v1/protection/warnings",
		Summary: "What would go wrong some day, and can be seen to now", Tags: []string{"Installation"},
	}, func(ctx context.Context, caller web.Caller, _ *struct{}) (*warningsOutput, error) {
		warnings, err := Warn(ctx, db.Read(), caller.Session.UserID, now(), primary(), wrong)
		return &warningsOutput{Body: warnings}, err
	})
}

// Warn looks for what administrators are warned of; who asks is counted neither among the unprotected ones nor among those
// who said that something wasn't them.
func Warn(ctx context.Context, db bun.IDB, asks string, at time.Time, primary uint32, wrong Clocks) (*Warnings, error) {
	var administrators []struct {
		ID        string
		Protected bool
	}
	// They are few: the index by role finds them.
	err := db.NewSelect().TableExpr("users AS u").ColumnExpr("u.id, u.mfa_since IS NOT NULL AS protected").
		Where("u.role = ? AND u.disabled_at IS NULL AND u.password_hash <> ''", account.Administrator).Scan(ctx, &administrators)
	if err != nil {
		return nil, fmt.Errorf("look at the administrators: %w", err)
	}
	open := 0
	for _, one := range administrators {
		if !one.Protected && one.ID != asks {
			open++
		}
	}
	leaves, err := mail.Leaves(ctx, db)
	if err != nil {
		return nil, err
	}
	givenUp, err := mail.GivenUp(ctx, db, at)
	if err != nil {
		return nil, err
	}
	alarms, err := audit.CountPeople(ctx, db, audit.AlarmRaised, at.Add(-alarmsFor), asks)
	if err != nil {
		return nil, err
	}
	kept, err := keyring.KeptElsewhere(ctx, db, primary)
	if err != nil {
		return nil, err
	}

	clocks, err := wrong(ctx, db)
	if err != nil {
		return nil, err
	}

	found := &Warnings{Warnings: []Warning{}}
	warn := func(kind string, count int) {
		if count > 0 {
			found.Warnings = append(found.Warnings, Warning{Kind: kind, Count: count})
		}
	}
	if len(clocks) > 0 {
		found.Warnings = append(found.Warnings, Warning{
			Kind: ServerClock, Count: len(clocks), OffsetSeconds: int(clocks[0].Off.Round(time.Second) / time.Second), Host: clocks[0].Host,
		})
	}
	warn(AlarmsRaised, alarms)
	warn(KeyNotKept, one(kept.IsZero()))
	warn(SingleAdministrator, one(len(administrators) == 1))
	warn(UnprotectedAdministrators, open)
	warn(MailsGivenUp, givenUp)
	warn(NoMailServer, one(!leaves))
	return found, nil
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
