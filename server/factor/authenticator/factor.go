// Package authenticator is the factor of the authenticator app: a secret shared once, and a code of it every 30 seconds
// (RFC 6238).
//
// Invariants:
//   - a step is accepted once and never after a later one, by one conditional write (spend), wherever the code was
//     given: signing in, fresh proof, confirming (security.md rows 11 and 12);
//   - a step that the diagnosis recognised in the future is burned: that one is never accepted, no other suffers;
//   - the server's clock alone decides, the window is at most one step each side and never moves (row 14);
//   - a pending secret and a retired one prove nothing; they only help to say why a code was refused.
package authenticator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/web"
)

// Kind is this factor's machine name.
const Kind factor.Kind = "totp"

// Factor implements factor.Factor.
type Factor struct {
	db     *database.Database
	apps   *database.Lookup[string, App]
	ring   *keyring.Ring
	window int64
	now    func() time.Time
	logger *slog.Logger
}

// New prepares the factor. Window is how many steps each side of now are accepted, 0 or 1.
func New(db *database.Database, ring *keyring.Ring, window int, now func() time.Time, logger *slog.Logger) *Factor {
	return &Factor{db: db, apps: database.NewLookup(db, selectApps, scanApp), ring: ring, window: int64(window), now: now, logger: logger}
}

// Kind names the factor.
func (f *Factor) Kind() factor.Kind { return Kind }

// Asks says what is typed.
func (f *Factor) Asks() string { return "a code of the authenticator app" }

// Full says that a code is good for everything.
func (f *Factor) Full() bool { return true }

// Recognises reports whether the response is six digits.
func (f *Factor) Recognises(response string) bool {
	_, ok := totp.Shape(response)
	return ok
}

// Quick looks for the code among the person's apps, within the window alone.
func (f *Factor) Quick(ctx context.Context, attempt factor.Attempt) (factor.Finding, error) {
	code, ok := totp.Shape(attempt.Response)
	if !ok {
		return nil, errNotACode
	}
	list, err := f.apps.Find(ctx, attempt.UserID)
	if err != nil {
		return nil, fmt.Errorf("look up authenticator apps: %w", err)
	}
	secrets := make([]diagnosis.Secret, len(list))
	for n := range list {
		secrets[n] = list[n].known()
		secrets[n].Key, err = f.ring.Open(list[n].Secret, appsColumn.Of(list[n].UserID, list[n].ID))
		if err != nil {
			return nil, fmt.Errorf("open the secret of an app: %w", err)
		}
	}
	// Which steps are burned is not asked: taking one finds that out, and is what decides.
	match := diagnosis.Acceptable(diagnosis.Question{Code: code, Now: f.now(), Window: f.window, Secrets: secrets})
	if match == nil {
		return nil, nil
	}
	return &finding{factor: f, attempt: attempt, code: code, appID: match.SecretID, step: match.Step}, nil
}

// acceptable looks for the code in the window of the secrets. Which steps are gone is read only where one matches.
func (f *Factor) acceptable(ctx context.Context, q diagnosis.Question) (*diagnosis.Match, error) {
	q.Now, q.Window = f.now(), f.window
	if diagnosis.Acceptable(q) == nil {
		return nil, nil
	}
	if err := addSpent(ctx, f.db.Read(), q.Secrets); err != nil {
		return nil, err
	}
	return diagnosis.Acceptable(q), nil
}

// Examine finds out why the code is not one that can be spent, or that it is one after all.
func (f *Factor) Examine(ctx context.Context, attempt factor.Attempt) (factor.Finding, error) {
	code, ok := totp.Shape(attempt.Response)
	if !ok {
		return nil, errNotACode
	}
	result, err := f.examine(ctx, f.db.Read(), f.now(), attempt, code, "")
	if err != nil {
		return nil, err
	}
	found := &finding{factor: f, attempt: attempt, code: code, result: result}
	if result.Match != nil {
		found.appID, found.step = result.Match.SecretID, result.Match.Step
	}
	return found, nil
}

var errNotACode = errors.New("examine a code: not one by its shape")

// examine compares the code with all that is known of the person. Enrolling names the pending secret that is being
// confirmed; empty where the active ones are asked for.
func (f *Factor) examine(ctx context.Context, db bun.IDB, now time.Time, attempt factor.Attempt, code, enrolling string) (diagnosis.Result, error) {
	secrets, err := gather(ctx, db, f.ring, attempt.UserID, now)
	if err != nil {
		return diagnosis.Result{}, err
	}
	return diagnosis.Examine(diagnosis.Question{
		Code: code, Now: now, Window: f.window, Secrets: secrets, Enrolling: enrolling,
		BrowserID: attempt.Client.BrowserID, BrowserNow: attempt.BrowserNow,
	}), nil
}

// finding is a code and what it is.
type finding struct {
	factor  *Factor
	attempt factor.Attempt
	code    string
	appID   string // set where a step of this app may be spent
	step    int64
	result  diagnosis.Result // set where the code was diagnosed
}

// maxMatches is more steps than one code can be in the windows of a person's apps.
const maxMatches = 3 * MaxApps

// Spend takes the step, or answers why not, and burns a step that was recognised in the future.
func (f *finding) Spend(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error) {
	result := f.result
	appID, step := f.appID, f.step
	for tries := 0; appID != ""; tries++ {
		taken, err := spend(ctx, tx, f.attempt.UserID, appID, step, f.attempt.Client)
		if taken {
			f.appID, f.step = appID, step
		}
		if err != nil || taken {
			return nil, err
		}
		if tries == maxMatches {
			return nil, errors.New("spend a step: it can't be taken and looks free")
		}
		// Another request took it between. The rows say why, unless the code is that of another free step as well.
		if result, err = f.factor.examine(ctx, tx, tx.Now, f.attempt, f.code, ""); err != nil {
			return nil, err
		}
		appID = ""
		if result.Match != nil {
			appID, step = result.Match.SecretID, result.Match.Step
		}
	}
	return result.Diagnosis, burn(ctx, tx, result.Burn, f.attempt.Client)
}

// Test takes the step as Spend does, since whoever saw the code typed could use it, and says what is to be known of it.
func (f *finding) Test(ctx context.Context, tx database.Tx) (*factor.Tested, *diagnosis.Diagnosis, error) {
	why, err := f.Spend(ctx, tx)
	if err != nil || why != nil {
		return nil, why, err
	}
	list, err := apps(ctx, tx, f.attempt.UserID)
	if err != nil {
		return nil, nil, err
	}
	for _, app := range list {
		if app.ID != f.appID {
			continue
		}
		next := max(totp.Step(tx.Now), app.LastStep) + 1
		wait := int(math.Ceil(totp.Begin(next).Sub(tx.Now).Seconds()))
		offset := int(f.step-totp.Step(tx.Now)) * totp.Period
		return &factor.Tested{Name: app.Name, Label: app.Label, OffsetSeconds: &offset, NextCodeInSeconds: &wait}, nil, nil
	}
	return nil, nil, errors.New("test a code: its app is gone while the person is held")
}

func burn(ctx context.Context, tx database.Tx, step *diagnosis.Burn, client web.Client) error {
	if step == nil {
		return nil
	}
	return noteSpent(ctx, tx, step.SecretID, step.Step, burned, client)
}

// Held lists the active apps.
func (f *Factor) Held(ctx context.Context, db bun.IDB, userID string) ([]factor.Held, error) {
	list, err := apps(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	held := make([]factor.Held, len(list))
	for n, app := range list {
		held[n] = factor.Held{ID: app.ID, Kind: Kind, Name: app.Name, Label: app.Label, AddedAt: app.AddedAt, LastUsedAt: app.LastUsedAt}
	}
	return held, nil
}

// Retire retires every app, whose codes are still recognised.
func (f *Factor) Retire(ctx context.Context, tx database.Tx, userID string) error {
	return retireApps(ctx, tx, f.ring, userID, diagnosis.Replaced, "")
}

// Forget retires every app and abandons an enrolment.
func (f *Factor) Forget(ctx context.Context, tx database.Tx, userID string) error {
	if err := AbandonEnrolment(ctx, tx, f.ring, userID); err != nil {
		return err
	}
	return retireApps(ctx, tx, f.ring, userID, diagnosis.Disabled, "")
}

// Abandon abandons an enrolment.
func (f *Factor) Abandon(ctx context.Context, tx database.Tx, userID string) error {
	return AbandonEnrolment(ctx, tx, f.ring, userID)
}

// AfterRestore raises each app's last step to the last one that a code could have been given for by now, and gives up
// the enrolments that were under way. Codes of the steps to come are good; nobody loses anything.
func (f *Factor) AfterRestore(ctx context.Context, tx database.Tx) ([]string, error) {
	last := totp.Step(tx.Now) + f.window
	_, err := tx.NewUpdate().Model((*App)(nil)).Set("last_step = ?", last).Where("last_step < ?", last).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("raise the last steps: %w", err)
	}
	if _, err := tx.NewDelete().Model((*Enrolment)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return nil, fmt.Errorf("give up enrolments: %w", err)
	}
	return nil, nil
}

// Prune retires the secrets of enrolments that are over and deletes what is too old to help anybody.
func (f *Factor) Prune(ctx context.Context, tx database.Tx) error {
	var over []Enrolment
	err := tx.NewSelect().Model(&over).Where("e.expires_at <= ?", database.At(tx.Now)).OrderExpr("e.expires_at").Limit(500).Scan(ctx)
	if err != nil {
		return fmt.Errorf("look for enrolments that are over: %w", err)
	}
	for _, enrolment := range over {
		if err := f.runOut(ctx, tx, &enrolment); err != nil {
			return err
		}
	}
	old := database.At(tx.Now.Add(-keptRetiredFor))
	if _, err := tx.NewDelete().Model((*retiredRow)(nil)).Where("retired_at <= ?", old).Exec(ctx); err != nil {
		return fmt.Errorf("prune retired secrets: %w", err)
	}
	spent := database.At(tx.Now.Add(-spentFor))
	if _, err := tx.NewDelete().Model((*spentRow)(nil)).Where("spent_at <= ?", spent).Exec(ctx); err != nil {
		return fmt.Errorf("prune spent steps: %w", err)
	}
	return nil
}

// runOut ends an enrolment whose time is over, unless it was confirmed meanwhile. One whose secret does not open has no
// codes to recognise; it must not keep the others from being pruned.
func (f *Factor) runOut(ctx context.Context, tx database.Tx, enrolment *Enrolment) error {
	touched, err := database.Touched(tx.NewDelete().Model((*Enrolment)(nil)).
		Where("id = ? AND expires_at <= ?", enrolment.ID, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("prune an enrolment: %w", err)
	}
	if touched != 1 || enrolment.Switched() {
		return nil
	}
	if _, err := PendingSecret(f.ring, enrolment); err != nil {
		f.logger.ErrorContext(ctx, "an enrolment that ran out was deleted unread", "enrolment", enrolment.ID, "cause", err)
		return nil
	}
	return retire(ctx, tx, f.ring, enrolment.abandoned(), enrolmentsColumn)
}
