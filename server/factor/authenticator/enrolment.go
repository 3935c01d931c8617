package authenticator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/web"
)

const (
	// scanFor is how long a pending secret waits for its first code; savedFor is how long a confirmed one waits until
	// its backup codes are saved (security.md, decisions).
	scanFor  = 10 * time.Minute
	savedFor = time.Hour
	// Within is how long an enrolment may take from its beginning to its activation.
	Within = scanFor + savedFor
	// MaxConfirmTries is the budget of codes that one enrolment may be confirmed with.
	MaxConfirmTries = 10
)

// Enrolment is an authenticator app on its way in. A person has at most one. It proves nothing.
type Enrolment struct {
	bun.BaseModel `bun:"table:totp_enrolments,alias:e"`

	ID          string           `bun:"id,pk"`
	UserID      string           `bun:"user_id"`
	SessionID   string           `bun:"session_id"` // the session's stable id
	Name        string           `bun:"name"`
	Label       string           `bun:"label"`
	Replaces    string           `bun:"replaces,nullzero"`
	Lost        bool             `bun:"lost"`   // the phone of the one that it replaces
	Secret      []byte           `bun:"secret"` // sealed
	LastStep    int64            `bun:"last_step"`
	Attempts    int              `bun:"attempts"`
	CreatedAt   database.Instant `bun:"created_at"`
	ExpiresAt   database.Instant `bun:"expires_at"`
	ConfirmedAt database.Instant `bun:"confirmed_at,nullzero"`
}

// Open reports whether the enrolment can still be gone on with.
func (e *Enrolment) Open(now time.Time) bool { return e.ExpiresAt > database.At(now) }

// Switched reports whether the app is active already and only its new backup codes wait to be saved. The row then holds
// no secret any more.
func (e *Enrolment) Switched() bool { return len(e.Secret) == 0 }

// Confirmed reports whether a right code of the new app has been given.
func (e *Enrolment) Confirmed() bool { return !e.ConfirmedAt.IsZero() }

// EnrolmentOf reads the person's enrolment, open or over; nil where there is none.
func EnrolmentOf(ctx context.Context, db bun.IDB, userID string) (*Enrolment, error) {
	found := new(Enrolment)
	err := db.NewSelect().Model(found).Where("e.user_id = ?", userID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an enrolment: %w", err)
	}
	return found, nil
}

// Begun is what an enrolment begins with.
type Begun struct {
	UserID, SessionID, Name, Label, Replaces string
	Lost                                     bool
	Secret                                   []byte
}

// BeginEnrolment stores a new pending secret in place of whatever enrolment the person had before.
func BeginEnrolment(ctx context.Context, tx database.Tx, ring *keyring.Ring, begun Begun) (*Enrolment, error) {
	if err := AbandonEnrolment(ctx, tx, ring, begun.UserID); err != nil {
		return nil, err
	}
	added := &Enrolment{
		ID: tx.NewID(), UserID: begun.UserID, SessionID: begun.SessionID, Name: begun.Name, Label: begun.Label,
		Replaces: begun.Replaces, Lost: begun.Lost, CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(scanFor)),
	}
	sealed, err := ring.SealIn(ctx, tx, begun.Secret, enrolmentsColumn.Of(begun.UserID, added.ID))
	if err != nil {
		return nil, fmt.Errorf("seal a pending secret: %w", err)
	}
	added.Secret = sealed
	if _, err := tx.NewInsert().Model(added).Exec(ctx); err != nil {
		return nil, fmt.Errorf("begin an enrolment: %w", err)
	}
	return added, nil
}

// AbandonEnrolment ends the person's enrolment, if there is one; its codes are recognised for a while.
func AbandonEnrolment(ctx context.Context, tx database.Tx, ring *keyring.Ring, userID string) error {
	old, err := EnrolmentOf(ctx, tx, userID)
	if err != nil || old == nil {
		return err
	}
	if !old.Switched() {
		if err := retire(ctx, tx, ring, old.abandoned(), enrolmentsColumn); err != nil {
			return err
		}
	}
	return endEnrolment(ctx, tx, old.ID)
}

// AbandonSwitched ends the person's enrolment where its app is in force and only codes wait to be saved.
func AbandonSwitched(ctx context.Context, tx database.Tx, userID string) error {
	old, err := EnrolmentOf(ctx, tx, userID)
	if err != nil || old == nil || !old.Switched() {
		return err
	}
	return endEnrolment(ctx, tx, old.ID)
}

// abandoned is the enrolment's secret as it is kept for recognising its codes.
func (e *Enrolment) abandoned() retiredRow {
	return retiredRow{ID: e.ID, UserID: e.UserID, Label: e.Label, Name: e.Name, Secret: e.Secret, Why: diagnosis.Abandoned}
}

func endEnrolment(ctx context.Context, tx database.Tx, id string) error {
	if _, err := tx.NewDelete().Model((*Enrolment)(nil)).Where("id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("end an enrolment: %w", err)
	}
	return nil
}

// PendingSecret opens the secret of a pending enrolment, for the session that began it.
func PendingSecret(ring *keyring.Ring, enrolment *Enrolment) ([]byte, error) {
	secret, err := ring.Open(enrolment.Secret, enrolmentsColumn.Of(enrolment.UserID, enrolment.ID))
	if err != nil {
		return nil, fmt.Errorf("open a pending secret: %w", err)
	}
	return secret, nil
}

// ReserveConfirm counts a try to confirm before the code is looked at; false when the budget is spent.
func ReserveConfirm(ctx context.Context, tx database.Tx, enrolment *Enrolment) (left int, ok bool, err error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*Enrolment)(nil)).Set("attempts = attempts + 1").
		Where("id = ? AND attempts < ?", enrolment.ID, MaxConfirmTries).Exec(ctx))
	if err != nil {
		return 0, false, fmt.Errorf("count a try to confirm: %w", err)
	}
	if touched != 1 {
		return 0, false, nil
	}
	var attempts int
	err = tx.NewSelect().Model((*Enrolment)(nil)).Column("attempts").Where("id = ?", enrolment.ID).Scan(ctx, &attempts)
	if err != nil {
		return 0, false, fmt.Errorf("read the tries to confirm: %w", err)
	}
	return MaxConfirmTries - attempts, true, nil
}

// Confirm takes a step of the new secret, once, binds the enrolment to the session that gave the code and lets it wait
// for the backup codes to be saved. False: the step is gone, or the enrolment is.
func Confirm(ctx context.Context, tx database.Tx, enrolment *Enrolment, step int64, sessionID string, client web.Client) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*Enrolment)(nil)).
		Set("last_step = ?", step).Set("confirmed_at = ?", database.At(tx.Now)).Set("session_id = ?", sessionID).
		Set("expires_at = ?", database.At(tx.Now.Add(savedFor))).Set("attempts = 0").
		Where("LENGTH(secret) > 0"). // not where another code has just made it an app
		Where("id = ? AND last_step < ? AND expires_at > ? AND attempts <= ?", enrolment.ID, step, database.At(tx.Now), MaxConfirmTries).
		Where("NOT EXISTS (SELECT 1 FROM totp_spent_steps AS p WHERE p.secret_id = e.id AND p.step = ?)", step).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("confirm an enrolment: %w", err)
	}
	if touched != 1 {
		return false, nil
	}
	return true, noteSpent(ctx, tx, enrolment.ID, step, used, client)
}

// Switch makes the confirmed enrolment an app that proves the second step, with the step that confirmed it spent. The
// app it replaces, if any, is retired in the same transaction.
func Switch(ctx context.Context, tx database.Tx, ring *keyring.Ring, userID string) error {
	enrolment, err := EnrolmentOf(ctx, tx, userID)
	if err != nil {
		return err
	}
	if enrolment == nil || !enrolment.Confirmed() || enrolment.Switched() {
		return errors.New("switch to a new app: there is no confirmed enrolment")
	}
	sealed, err := move(ctx, tx, ring, enrolment.Secret, userID, enrolment.ID, enrolmentsColumn, appsColumn)
	if err != nil {
		return err
	}
	if enrolment.Replaces != "" {
		if err := retireApps(ctx, tx, ring, userID, diagnosis.Replaced, enrolment.Replaces); err != nil {
			return err
		}
	}
	app := App{
		ID: enrolment.ID, UserID: userID, Name: enrolment.Name, Label: enrolment.Label, Secret: sealed,
		LastStep: enrolment.LastStep, LastUsedAt: enrolment.ConfirmedAt, AddedAt: database.At(tx.Now),
	}
	if _, err := tx.NewInsert().Model(&app).Exec(ctx); err != nil {
		return fmt.Errorf("add an authenticator app: %w", err)
	}
	_, err = tx.NewUpdate().Model((*Enrolment)(nil)).Set("secret = ?", []byte{}).Where("id = ?", enrolment.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("empty a finished enrolment: %w", err)
	}
	return nil
}

// FinishEnrolment deletes the enrolment, whose app is active. False: it is gone, over, not confirmed or not this
// session's; then nothing may be turned on (security.md row 80).
func FinishEnrolment(ctx context.Context, tx database.Tx, id, sessionID string) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*Enrolment)(nil)).
		Where("id = ? AND session_id = ? AND confirmed_at IS NOT NULL AND expires_at > ?", id, sessionID, database.At(tx.Now)).
		Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("finish an enrolment: %w", err)
	}
	return touched == 1, nil
}

// retireApps ends apps of the person: the one named, or all where none is.
func retireApps(ctx context.Context, tx database.Tx, ring *keyring.Ring, userID, why, only string) error {
	list, err := apps(ctx, tx, userID)
	if err != nil {
		return err
	}
	for _, app := range list {
		if only != "" && app.ID != only {
			continue
		}
		row := retiredRow{ID: app.ID, UserID: userID, Label: app.Label, Name: app.Name, Secret: app.Secret, Why: why}
		if err := retire(ctx, tx, ring, row, appsColumn); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*App)(nil)).Where("id = ?", app.ID).Exec(ctx); err != nil {
			return fmt.Errorf("remove an authenticator app: %w", err)
		}
	}
	return nil
}
