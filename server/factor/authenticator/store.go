package authenticator

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/web"
)

const (
	// MaxApps is how many authenticator apps a person may have (security.md, app codes).
	MaxApps = 5
	// keptRetired is how many earlier secrets of a person are kept to recognise their codes, and for how long.
	keptRetired    = 5
	keptRetiredFor = 90 * 24 * time.Hour
	// spentFor is how long a spent step is kept: the search goes 14 hours each way (guidance.md), and a burned step
	// must outlast its own coming.
	spentFor = 30 * time.Hour
)

// App is an authenticator app that may prove the second step.
type App struct {
	bun.BaseModel `bun:"table:totp_apps,alias:a"`

	ID         string           `bun:"id,pk"`
	UserID     string           `bun:"user_id"`
	Name       string           `bun:"name"`
	Label      string           `bun:"label"`
	Secret     []byte           `bun:"secret"` // sealed
	LastStep   int64            `bun:"last_step"`
	LastUsedAt database.Instant `bun:"last_used_at,nullzero"`
	AddedAt    database.Instant `bun:"added_at"`
}

type spentRow struct {
	bun.BaseModel `bun:"table:totp_spent_steps,alias:p"`

	SecretID  string           `bun:"secret_id,pk"`
	Step      int64            `bun:"step,pk"`
	How       string           `bun:"how"`
	SpentAt   database.Instant `bun:"spent_at"`
	Browser   string           `bun:"browser"`
	BrowserID []byte           `bun:"browser_id,nullzero"`
}

// How a step was spent.
const (
	used   = "used"
	burned = "burned"
)

// retiredRow is a secret that proves nothing any more. It has a table of its own, which the accepting path never reads.
type retiredRow struct {
	bun.BaseModel `bun:"table:totp_retired,alias:r"`

	ID        string           `bun:"id,pk"`
	UserID    string           `bun:"user_id"`
	Label     string           `bun:"label"`
	Name      string           `bun:"name"`
	Secret    []byte           `bun:"secret"` // sealed
	Why       string           `bun:"why"`    // as diagnosis.Secret has it
	RetiredAt database.Instant `bun:"retired_at"`
}

// The columns that hold sealed secrets; a secret sealed for one opens in no other (security.md row 61).
var (
	appsColumn       = keyring.Column{Purpose: "totp", Table: "totp_apps", Name: "secret"}
	enrolmentsColumn = keyring.Column{Purpose: "totp", Table: "totp_enrolments", Name: "secret"}
	retiredColumn    = keyring.Column{Purpose: "totp", Table: "totp_retired", Name: "secret"}
)

// SealedColumns are what this room keeps sealed, for whoever changes the key.
func SealedColumns() []keyring.Column {
	return []keyring.Column{appsColumn, enrolmentsColumn, retiredColumn}
}

// move seals a secret for another column; the one it lay in no longer opens it.
func move(ctx context.Context, tx database.Tx, ring *keyring.Ring, sealed []byte, userID, id string, from, to keyring.Column) ([]byte, error) {
	secret, err := ring.Open(sealed, from.Of(userID, id))
	if err != nil {
		return nil, fmt.Errorf("open a secret of %s: %w", from, err)
	}
	moved, err := ring.SealIn(ctx, tx, secret, to.Of(userID, id))
	if err != nil {
		return nil, fmt.Errorf("seal a secret for %s: %w", to, err)
	}
	return moved, nil
}

func apps(ctx context.Context, db bun.IDB, userID string) ([]App, error) {
	rows, err := readApps.Query(ctx, db, userID)
	if err != nil {
		return nil, fmt.Errorf("read authenticator apps: %w", err)
	}
	defer rows.Close()
	var list []App
	for rows.Next() {
		_, app, err := scanApp(rows)
		if err != nil {
			return nil, fmt.Errorf("read an authenticator app: %w", err)
		}
		list = append(list, app)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read authenticator apps: %w", err)
	}
	return list, nil
}

func scanApp(rows *sql.Rows) (userID string, app App, err error) {
	err = rows.Scan(&app.UserID, &app.ID, &app.Name, &app.Label, &app.Secret, &app.LastStep, &app.LastUsedAt, &app.AddedAt)
	return app.UserID, app, err
}

const selectApps = `SELECT user_id, id, name, label, secret, last_step, last_used_at, added_at
	FROM totp_apps WHERE user_id IN (?) ORDER BY added_at, id`

// Every second step by an app asks these.
var (
	readApps = database.Prepare(selectApps)
	takeStep = database.Prepare(`UPDATE totp_apps SET last_step = ?, last_used_at = ? WHERE id = ? AND user_id = ? AND last_step < ?
		AND NOT EXISTS (SELECT 1 FROM totp_spent_steps AS p WHERE p.secret_id = totp_apps.id AND p.step = ?)
		AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = totp_apps.user_id AND u.reset_at IS NOT NULL)`)
	addSpentStep = database.Prepare(`INSERT INTO totp_spent_steps (secret_id, step, how, spent_at, browser, browser_id)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
)

// spend takes a step of an app: once, never going back, never a burned one (security.md row 11), and none of before a
// reset. It is the only way in which a code is accepted.
func spend(ctx context.Context, tx database.Tx, userID, appID string, step int64, client web.Client) (bool, error) {
	touched, err := database.Touched(takeStep.Exec(ctx, tx, step, int64(database.At(tx.Now)), appID, userID, step, step))
	if err != nil {
		return false, fmt.Errorf("spend a step: %w", err)
	}
	if touched != 1 {
		return false, nil
	}
	return true, noteSpent(ctx, tx, appID, step, used, client)
}

// noteSpent remembers where a step went, for the diagnosis; for a burned one it is also what refuses it.
func noteSpent(ctx context.Context, tx database.Tx, secretID string, step int64, how string, client web.Client) error {
	_, err := addSpentStep.Exec(ctx, tx, secretID, step, how, int64(database.At(tx.Now)), client.Browser, client.BrowserID)
	if err != nil {
		return fmt.Errorf("note a spent step: %w", err)
	}
	return nil
}

// known is the app as the diagnosis sees it, but for its secret and its spent steps.
func (a *App) known() diagnosis.Secret {
	return diagnosis.Secret{
		ID: a.ID, Name: a.Name, Label: a.Label, State: diagnosis.Active, LastStep: a.LastStep, LastUsedAt: a.LastUsedAt.Time(),
	}
}

// known is the same of an app that is being enrolled.
func (e *Enrolment) known() diagnosis.Secret {
	return diagnosis.Secret{ID: e.ID, Name: e.Name, Label: e.Label, State: diagnosis.Pending, LastStep: e.LastStep}
}

// gather reads and opens every secret of the person's that a code may be of: active, pending, retired.
func gather(ctx context.Context, db bun.IDB, ring *keyring.Ring, userID string, now time.Time) ([]diagnosis.Secret, error) {
	var secrets []diagnosis.Secret
	add := func(known diagnosis.Secret, sealed []byte, column keyring.Column) error {
		key, err := ring.Open(sealed, column.Of(userID, known.ID))
		if err != nil {
			return fmt.Errorf("open a secret of %s: %w", column, err)
		}
		known.Key = key
		secrets = append(secrets, known)
		return nil
	}
	active, err := apps(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	for _, app := range active {
		if err := add(app.known(), app.Secret, appsColumn); err != nil {
			return nil, err
		}
	}
	enrolment, err := EnrolmentOf(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	if enrolment != nil && len(enrolment.Secret) > 0 {
		known := enrolment.known()
		if !enrolment.Open(now) {
			known.State, known.RetiredAt, known.Why = diagnosis.Retired, enrolment.ExpiresAt.Time(), diagnosis.Abandoned
		}
		if err := add(known, enrolment.Secret, enrolmentsColumn); err != nil {
			return nil, err
		}
	}
	var old []retiredRow
	err = db.NewSelect().Model(&old).
		Where("r.user_id = ? AND r.retired_at > ?", userID, database.At(now.Add(-keptRetiredFor))).
		OrderExpr("r.retired_at DESC, r.id DESC").Limit(keptRetired).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read retired secrets: %w", err)
	}
	for _, row := range old {
		known := diagnosis.Secret{
			ID: row.ID, Name: row.Name, Label: row.Label, State: diagnosis.Retired, RetiredAt: row.RetiredAt.Time(), Why: row.Why,
		}
		if err := add(known, row.Secret, retiredColumn); err != nil {
			return nil, err
		}
	}
	return secrets, addSpent(ctx, db, secrets)
}

// addSpent fills in which steps of the secrets are gone.
func addSpent(ctx context.Context, db bun.IDB, secrets []diagnosis.Secret) error {
	if len(secrets) == 0 {
		return nil
	}
	ids := make([]string, len(secrets))
	for n := range secrets {
		ids[n] = secrets[n].ID
	}
	var rows []spentRow
	if err := db.NewSelect().Model(&rows).Where("p.secret_id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return fmt.Errorf("read spent steps: %w", err)
	}
	for n := range secrets {
		for _, row := range rows {
			if row.SecretID != secrets[n].ID {
				continue
			}
			if secrets[n].Spent == nil {
				secrets[n].Spent = map[int64]diagnosis.Spent{}
			}
			secrets[n].Spent[row.Step] = diagnosis.Spent{
				At: row.SpentAt.Time(), Browser: row.Browser, BrowserID: row.BrowserID, Burned: row.How == burned,
			}
		}
	}
	return nil
}

// retire keeps a secret for recognising its codes, and nothing else, and drops the person's oldest beyond five.
func retire(ctx context.Context, tx database.Tx, ring *keyring.Ring, row retiredRow, from keyring.Column) error {
	sealed, err := move(ctx, tx, ring, row.Secret, row.UserID, row.ID, from, retiredColumn)
	if err != nil {
		return err
	}
	row.Secret, row.RetiredAt = sealed, database.At(tx.Now)
	if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("retire a secret: %w", err)
	}
	kept := tx.NewSelect().Model((*retiredRow)(nil)).Column("id").
		Where("user_id = ?", row.UserID).OrderExpr("retired_at DESC, id DESC").Limit(keptRetired)
	_, err = tx.NewDelete().Model((*retiredRow)(nil)).Where("user_id = ? AND id NOT IN (?)", row.UserID, kept).Exec(ctx)
	if err != nil {
		return fmt.Errorf("drop the oldest retired secrets: %w", err)
	}
	return nil
}
