package signin

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// Wrong passwords slow down one account from one network, and never lock anything, so that nobody without the
// password can keep the owner out (security.md rows 41 and 45).
const (
	freePasswords    = 5
	firstDelay       = time.Second
	longestDelay     = 15 * time.Minute
	passwordsForgive = 24 * time.Hour // without a try, the failures are forgotten
)

type passwordTries struct {
	bun.BaseModel `bun:"table:password_tries,alias:p"`

	Key          []byte           `bun:"key,pk"`
	Failures     int              `bun:"failures"`
	BlockedUntil database.Instant `bun:"blocked_until"`
	LastAt       database.Instant `bun:"last_at"`
}

// Every password asks some of these.
var (
	// The row is left as it is while a delay runs, which the row itself tells.
	countPassword = database.Prepare(`INSERT INTO password_tries AS t (key, failures, blocked_until, last_at) VALUES (?, 1, 0, ?)
		ON CONFLICT (key) DO UPDATE SET
			failures = CASE WHEN t.blocked_until > ? THEN t.failures WHEN t.last_at <= ? THEN 1 ELSE t.failures + 1 END,
			last_at = CASE WHEN t.blocked_until > ? THEN t.last_at ELSE EXCLUDED.last_at END
		RETURNING failures, blocked_until`)
	delayPasswords  = database.Prepare("UPDATE password_tries SET blocked_until = ? WHERE key = ?")
	uncountPassword = database.Prepare("UPDATE password_tries SET failures = failures - 1, blocked_until = 0 WHERE key = ? AND failures > 0")
	forgetPasswords = database.Prepare("DELETE FROM password_tries WHERE key = ?")
)

// passwordBudget names what wrong passwords are counted for: the password that a person has now, so that a new one starts
// without the delays of before from wherever it is given, and the canonical name where there is nobody.
func passwordBudget(user *account.User, name string) string {
	if user == nil {
		return "name:" + name
	}
	return fmt.Sprintf("user:%s:%d", user.ID, user.PasswordChangedAt)
}

// passwordKey names a budget from a network.
// It is hashed, so that the table holds no names that were only tried.
func passwordKey(accountName, network string) []byte {
	sum := sha256.Sum256([]byte(accountName + "\x00" + network))
	return sum[:]
}

// reservePassword counts a password before it is checked. While a delay runs it counts nothing and says how long.
func reservePassword(ctx context.Context, tx database.Tx, key []byte) (wait time.Duration, err error) {
	now, forgiven := int64(database.At(tx.Now)), int64(database.At(tx.Now.Add(-passwordsForgive)))
	var tries passwordTries
	err = countPassword.Scan(ctx, tx, database.Args{key, now, now, forgiven, now}, &tries.Failures, &tries.BlockedUntil)
	if err != nil {
		return 0, fmt.Errorf("count a password: %w", err)
	}
	if wait := tries.BlockedUntil.Time().Sub(tx.Now); wait > 0 {
		return wait, nil
	}
	if tries.Failures < freePasswords {
		return 0, nil
	}
	delay := longestDelay
	if doublings := tries.Failures - freePasswords; doublings < 10 {
		delay = min(firstDelay<<doublings, longestDelay)
	}
	if _, err = delayPasswords.Exec(ctx, tx, int64(database.At(tx.Now.Add(delay))), key); err != nil {
		return 0, fmt.Errorf("delay the next password: %w", err)
	}
	return 0, nil
}

// releasePassword takes a counted password back that could not be checked.
func releasePassword(ctx context.Context, tx database.Tx, key []byte) error {
	if _, err := uncountPassword.Exec(ctx, tx, key); err != nil {
		return fmt.Errorf("take a counted password back: %w", err)
	}
	return nil
}

// clearPasswords forgets the failures after a right password.
func clearPasswords(ctx context.Context, tx database.Tx, key []byte) error {
	if _, err := forgetPasswords.Exec(ctx, tx, key); err != nil {
		return fmt.Errorf("forget the passwords tried: %w", err)
	}
	return nil
}
