package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/keyring"
)

// Code is what an authenticator app of somebody of the demo shows.
type Code struct {
	Label   string // the entry in the app
	Name    string // what the person calls the device
	Pending bool   // being set up: it proves nothing yet
	Code    string
	For     time.Duration // how long it is shown
}

// Asked says whose codes are asked for, and in which demo: an empty folder is the one that runs.
type Asked struct {
	Folder, Email string
	Now           func() time.Time
	Random        io.Reader
}

// Codes plays the person's phone: it opens their secrets with the demo's own key ring. Nobody's code is nothing, and
// no error.
func Codes(ctx context.Context, asked Asked) (codes []Code, err error) {
	found, err := find(asked.Folder)
	if err != nil {
		return nil, err
	}
	ring, err := keyring.OpenExisting(filepath.Join(found.Data, keys), "")
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, database.Options{URL: found.DatabaseURL, Folder: found.Data, Now: asked.Now, Random: asked.Random})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	key, err := account.EmailKey(asked.Email)
	if err != nil {
		return nil, errors.New("that is no e-mail address")
	}
	user, err := account.ByEmailKey(ctx, db.Read(), key)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, errors.New("nobody of the demo has that e-mail address: its start printed them")
	}
	return shown(ctx, db.Read(), ring, user.ID, asked.Now())
}

// sealedApp is an app's secret as it is stored; the columns are those of the authenticator room.
type sealedApp struct {
	ID, Name, Label string
	Secret          []byte
	Pending         bool
}

// shown computes what each app of the person shows, the last used one first.
func shown(ctx context.Context, db bun.IDB, ring *keyring.Ring, userID string, now time.Time) ([]Code, error) {
	var sealed []sealedApp
	err := db.NewRaw("SELECT id, name, label, secret, FALSE AS pending FROM totp_apps WHERE user_id = ? ORDER BY last_used_at DESC, id DESC", userID).
		Scan(ctx, &sealed)
	if err != nil {
		return nil, fmt.Errorf("read the apps: %w", err)
	}
	enrolment, err := authenticator.EnrolmentOf(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	if enrolment != nil && !enrolment.Switched() && enrolment.Open(now) {
		sealed = append(sealed, sealedApp{ID: enrolment.ID, Name: enrolment.Name, Label: enrolment.Label, Secret: enrolment.Secret, Pending: true})
	}
	codes := make([]Code, len(sealed))
	for n, app := range sealed {
		column := "totp_apps.secret"
		if app.Pending {
			column = "totp_enrolments.secret"
		}
		secret, err := ring.Open(app.Secret, keyring.Binding{Purpose: "totp", Column: column, User: userID, Record: app.ID})
		if err != nil {
			return nil, fmt.Errorf("open the secret of an app: %w", err)
		}
		step := totp.Step(now)
		codes[n] = Code{
			Label: app.Label, Name: app.Name, Pending: app.Pending, Code: totp.Code(secret, step), For: totp.Begin(step + 1).Sub(now),
		}
	}
	return codes, nil
}
