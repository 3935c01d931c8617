package account

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/problem"
)

// Passwords hashes and checks passwords at the installation's cost.
type Passwords struct {
	Pool  *hashing.Pool
	Cost  hashing.Params
	Brand func(context.Context) string // one of the words that a password must not be about

	decoy string // what an unknown name is checked against, at the same cost (security.md row 6)
}

// NewPasswords prepares the checking of passwords.
func NewPasswords(pool *hashing.Pool, cost hashing.Params, brand func(context.Context) string) *Passwords {
	return &Passwords{Pool: pool, Cost: cost, Brand: brand, decoy: hashing.Decoy(cost)}
}

// Verify reports whether the password is this person's. Without a person, and for one who has not
// joined yet, it does the same work and says no.
func (p *Passwords) Verify(ctx context.Context, user *User, password string) (bool, error) {
	stored := p.decoy
	known := user != nil && !user.Invited()
	if known {
		stored = user.PasswordHash
	}
	right, err := p.Pool.Verify(ctx, password, stored)
	if err != nil {
		return false, err
	}
	return right && known, nil
}

// Check says what is wrong with a new password, if anything.
func (p *Passwords) Check(ctx context.Context, password, name, email string) []problem.Field {
	return PasswordRules{Brand: p.Brand(ctx)}.Check(password, name, email)
}

// New checks a new password against the rules and hashes it. A refused one is a 422 with its fields.
func (p *Passwords) New(ctx context.Context, password, name, email string) (string, error) {
	if fields := p.Check(ctx, password, name, email); len(fields) > 0 {
		return "", ErrInvalid.For(fields...)
	}
	return p.Pool.Hash(ctx, password, p.Cost)
}

// Upgrade hashes a right password anew when the installation's cost has risen; empty when there is nothing to do.
func (p *Passwords) Upgrade(ctx context.Context, user *User, password string) (string, error) {
	if !hashing.NeedsRehash(user.PasswordHash, p.Cost) {
		return "", nil
	}
	return p.Pool.Hash(ctx, password, p.Cost)
}

// StoreUpgrade puts the upgraded hash in place of the one that was checked, unless the password changed meanwhile.
func StoreUpgrade(ctx context.Context, tx database.Tx, user *User, upgraded string) error {
	if upgraded == "" {
		return nil
	}
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("password_hash = ?", upgraded).
		Where("id = ? AND password_hash = ?", user.ID, user.PasswordHash).Exec(ctx)
	if err != nil {
		return fmt.Errorf("raise the cost of a password hash: %w", err)
	}
	return nil
}

// SetPassword gives the person a new password, and withdraws every link to choose one. Who calls it ends what the old one
// had opened. The time of the change always rises, so that it tells two passwords apart where the hash can't: one password
// may be hashed anew.
func SetPassword(ctx context.Context, tx database.Tx, userID, hash string) error {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).
		Set("password_hash = ?", hash).
		Set("password_changed_at = CASE WHEN password_changed_at >= ? THEN password_changed_at + 1 ELSE ? END", database.At(tx.Now), database.At(tx.Now)).
		Where("id = ?", userID).Exec(ctx))
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	if touched != 1 {
		return ErrNoUser
	}
	if err := endPasswordLinks(ctx, tx, userID, PasswordLinkWithdrawn); err != nil {
		return err
	}
	return EndInvitations(ctx, tx, userID, InvitationJoined) // who was invited has a password now
}
