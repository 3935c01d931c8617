package signin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
)

// Wrong second steps, per account over all factors and all places (security.md, decisions): ten an hour, then a delay
// that doubles, and a lock at fifty in a row.
const (
	codesAnHour      = 10
	codesWindow      = time.Hour
	firstCodeDelay   = time.Minute
	longestCodeDelay = time.Hour
	codesInARow      = 50
	// Tests of a code, which nothing depends on, stop before they bring a delay or the lock (code_check.go).
	testsAnHour = 8
	testsInARow = 40
)

type codeTries struct {
	bun.BaseModel `bun:"table:second_step_tries,alias:t"`

	UserID          string           `bun:"user_id,pk"`
	WindowStartedAt database.Instant `bun:"window_started_at"`
	Failures        int              `bun:"failures"`
	InARow          int              `bun:"in_a_row"`
	DelayMS         int64            `bun:"delay_ms"`
	BlockedUntil    database.Instant `bun:"blocked_until"`
	LockedAt        database.Instant `bun:"locked_at,nullzero"`
}

// Every code asks some of these.
var (
	// The row is left as it is while a delay or the lock holds, which the row itself tells.
	countTry = database.Prepare(`INSERT INTO second_step_tries AS t (user_id, window_started_at, failures, in_a_row) VALUES (?, ?, 1, 1)
		ON CONFLICT (user_id) DO UPDATE SET
			failures = t.failures + CASE WHEN t.blocked_until > ? OR t.locked_at IS NOT NULL THEN 0 ELSE 1 END,
			in_a_row = t.in_a_row + CASE WHEN t.blocked_until > ? OR t.locked_at IS NOT NULL THEN 0 ELSE 1 END
		RETURNING ` + triesColumns)
	weighTries = database.Prepare(`UPDATE second_step_tries SET window_started_at = ?, failures = ?, delay_ms = ?, blocked_until = ?,
		locked_at = ? WHERE user_id = ?`)
	// Of several right ones at once the first ends the row, and each takes its own try back.
	endRow = database.Prepare(`UPDATE second_step_tries SET failures = failures - CASE WHEN failures > 0 THEN ? ELSE 0 END, in_a_row = 0,
		delay_ms = 0, blocked_until = 0, locked_at = NULL WHERE user_id = ? AND (in_a_row > 0 OR ? > 0)`)
	readTries = database.Prepare("SELECT " + triesColumns + " FROM second_step_tries WHERE user_id = ?")
)

const triesColumns = "window_started_at, failures, in_a_row, delay_ms, blocked_until, locked_at"

// reserveCode counts a second step as failed before it is looked at, and says how many are left in the hour; a try
// that turns out right is taken back by acceptCode. While a delay or the lock holds it counts nothing and refuses.
func reserveCode(ctx context.Context, tx database.Tx, userID string) (left int, refusal *diagnosis.Diagnosis, err error) {
	now := int64(database.At(tx.Now))
	tries, err := scanTries(ctx, tx, countTry, userID, now, now, now)
	if err != nil {
		return 0, nil, fmt.Errorf("count a code: %w", err)
	}
	if refusal := tries.refusal(tx.Now); refusal != nil {
		return 0, refusal, nil
	}
	if !tries.punish(tx.Now) {
		return max(0, codesAnHour-tries.Failures), nil, nil
	}
	_, err = weighTries.Exec(ctx, tx, int64(tries.WindowStartedAt), tries.Failures, tries.DelayMS, int64(tries.BlockedUntil),
		tries.LockedAt.OrNull(), userID)
	if err != nil {
		return 0, nil, fmt.Errorf("weigh a counted code: %w", err)
	}
	return max(0, codesAnHour-tries.Failures), nil, nil
}

// punish decides from the counts what the next try has to wait for, and reports whether that has changed the row.
func (t *codeTries) punish(now time.Time) bool {
	before := *t
	quiet := t.DelayMS == 0 || now.Sub(t.BlockedUntil.Time()) >= codesWindow
	if quiet && now.Sub(t.WindowStartedAt.Time()) >= codesWindow {
		t.WindowStartedAt, t.Failures, t.DelayMS = database.At(now), 1, 0
	}
	if t.Failures >= codesAnHour {
		t.DelayMS = min(max(t.DelayMS*2, firstCodeDelay.Milliseconds()), longestCodeDelay.Milliseconds())
		t.BlockedUntil = database.At(now) + database.Instant(t.DelayMS)
	}
	if t.InARow >= codesInARow {
		t.LockedAt = database.At(now)
	}
	return *t != before
}

// refusal is nil while codes may be tried.
func (t *codeTries) refusal(now time.Time) *diagnosis.Diagnosis {
	if t == nil {
		return nil
	}
	if !t.LockedAt.IsZero() {
		return &diagnosis.Diagnosis{Reason: diagnosis.TooManyAttempts, Locked: true}
	}
	wait := t.BlockedUntil.Time().Sub(now)
	if t.BlockedUntil.IsZero() || wait <= 0 {
		return nil
	}
	return tooMany(wait)
}

// keptFromTests refuses a test where counting it would use up what is kept for signing in; nil where it would not.
func (t *codeTries) keptFromTests(now time.Time) *diagnosis.Diagnosis {
	if refusal := t.refusal(now); refusal != nil || t == nil {
		return refusal
	}
	if t.InARow >= testsInARow {
		return &diagnosis.Diagnosis{Reason: diagnosis.TooManyAttempts, KeptForSignIn: true}
	}
	// As punish begins the hour anew: not while a delay is less than an hour ago, since the next failure would bring another.
	until := t.WindowStartedAt.Time()
	if t.DelayMS != 0 && t.BlockedUntil.Time().After(until) {
		until = t.BlockedUntil.Time()
	}
	over := until.Add(codesWindow).Sub(now)
	if t.Failures < testsAnHour || over <= 0 {
		return nil
	}
	kept := tooMany(over)
	kept.KeptForSignIn = true
	return kept
}

func tooMany(wait time.Duration) *diagnosis.Diagnosis {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return &diagnosis.Diagnosis{Reason: diagnosis.TooManyAttempts, RetryAfterSeconds: &seconds}
}

// releaseCode takes a counted code back that was not looked at, and a delay or the lock only where the counts that are
// left would not have brought it.
func releaseCode(ctx context.Context, tx database.Tx, userID string) error {
	_, err := tx.NewUpdate().Model((*codeTries)(nil)).
		Set("failures = failures - 1").Set("in_a_row = in_a_row - 1").
		Set("blocked_until = CASE WHEN failures <= ? THEN 0 ELSE blocked_until END", codesAnHour).
		Set("locked_at = CASE WHEN in_a_row <= ? THEN NULL ELSE locked_at END", codesInARow).
		Where("user_id = ? AND in_a_row > 0 AND failures > 0", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("take a counted code back: %w", err)
	}
	return nil
}

// acceptCode ends the row of failures, and takes the try back that was counted for the right code itself: also the
// lock, where that try was the fiftieth. A lock from before lets no code come this far, but a security key's signature,
// which lifts it.
func acceptCode(ctx context.Context, tx database.Tx, userID string, counted bool) error {
	own := 0
	if counted {
		own = 1
	}
	if _, err := endRow.Exec(ctx, tx, own, userID, own); err != nil {
		return fmt.Errorf("end the row of wrong codes: %w", err)
	}
	return nil
}

// ForgetCodes forgets wrong codes, the delay and the lock, for the acts that may (security.md, wrong second steps).
func ForgetCodes(ctx context.Context, tx database.Tx, userID string) error {
	if _, err := tx.NewDelete().Model((*codeTries)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("forget wrong codes: %w", err)
	}
	return nil
}

// readCodeTries reads the person's wrong codes; nil where none was ever counted.
func readCodeTries(ctx context.Context, db bun.IDB, userID string) (*codeTries, error) {
	tries, err := scanTries(ctx, db, readTries, userID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the wrong codes: %w", err)
	}
	return tries, nil
}

func scanTries(ctx context.Context, db bun.IDB, statement *database.Statement, args ...any) (*codeTries, error) {
	tries := new(codeTries)
	return tries, statement.Scan(ctx, db, args, &tries.WindowStartedAt, &tries.Failures, &tries.InARow,
		&tries.DelayMS, &tries.BlockedUntil, &tries.LockedAt)
}
