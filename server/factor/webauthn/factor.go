// Package webauthn is the factor of the security key: a key pair whose private half never leaves its device, and which
// signs a challenge for this site alone (WebAuthn Level 3).
//
// Invariants:
//   - a challenge is 32 random bytes in the database, bound to a person, a ceremony and the session or pending sign-in
//     that asked for it; the first answer to it deletes it, right or wrong, and five minutes by the server's clock end it
//     (security.md rows 24 and 25);
//   - the site that is signed for is that of the configured public URL, never one of a header (row 26);
//   - a credential belongs to one person and is looked for among theirs alone (row 27);
//   - what the device says about its user is read from what it has signed (row 28), and its counter only rises (row 29);
//   - where security keys are off nothing is proved with one and none is added; those that were added are forgotten with
//     2-step verification all the same, so that turning them on again revives nothing.
package webauthn

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
)

// Kind is this factor's machine name.
const Kind factor.Kind = "webauthn"

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Site     *url.URL                     // the public URL; nil turns security keys off
	Brand    func(context.Context) string // what the site is called on the device
	Now      func() time.Time
	Random   io.Reader
	Logger   *slog.Logger
}

// Factor implements factor.Factor, factor.Challenger and factor.Enrollable.
type Factor struct {
	Dependencies
	party *party // nil where security keys are off
}

// New prepares the factor. It fails where security keys are on and the public URL is none that they can sign for.
func New(dependencies Dependencies) (*Factor, error) {
	f := &Factor{Dependencies: dependencies}
	if f.Site == nil {
		return f, nil
	}
	var err error
	f.party, err = newParty(f.Site)
	return f, err
}

// Kind names the factor.
func (f *Factor) Kind() factor.Kind { return Kind }

// Asks says what is given.
func (f *Factor) Asks() string { return "what a security key has signed" }

// Full says that a security key is good for everything.
func (f *Factor) Full() bool { return true }

// Recognises finds nothing: what a security key gives is not typed.
func (f *Factor) Recognises(string) bool { return false }

// Quick finds nothing: Examine does it all, and leaves nothing to guess.
func (f *Factor) Quick(context.Context, factor.Attempt) (factor.Finding, error) { return nil, nil }

// Held lists the person's security keys; none where they are off.
func (f *Factor) Held(ctx context.Context, db bun.IDB, userID string) ([]factor.Held, error) {
	if f.party == nil {
		return nil, nil
	}
	keys, err := keysOf(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	held := make([]factor.Held, len(keys))
	for n, key := range keys {
		held[n] = factor.Held{ID: key.ID, Kind: Kind, Name: key.Name, AddedAt: key.AddedAt, LastUsedAt: key.LastUsedAt}
	}
	return held, nil
}

// Rename calls a security key otherwise; false where the person has no such key.
func (f *Factor) Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error) {
	return renameKey(ctx, tx, userID, id, name)
}

// Remove deletes a security key; false where the person has no such key. What was begun with it is refused.
func (f *Factor) Remove(ctx context.Context, tx database.Tx, userID, id string) (bool, error) {
	return deleteKey(ctx, tx, userID, id)
}

// Retire deletes every security key of the person: none is ever on its way in beside a reset.
func (f *Factor) Retire(ctx context.Context, tx database.Tx, userID string) error {
	return forgetKeys(ctx, tx, userID)
}

// Forget deletes every security key of the person and what was begun; their handle stays, as devices may know it.
func (f *Factor) Forget(ctx context.Context, tx database.Tx, userID string) error {
	return forgetKeys(ctx, tx, userID)
}

// Abandon ends the ceremonies of the person that are under way.
func (f *Factor) Abandon(ctx context.Context, tx database.Tx, userID string) error {
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("end somebody's challenges: %w", err)
	}
	return nil
}

// AfterRestore ends the ceremonies that were under way. A security key's own counter says what is new.
func (f *Factor) AfterRestore(ctx context.Context, tx database.Tx) ([]string, error) {
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return nil, fmt.Errorf("end all challenges: %w", err)
	}
	return nil, nil
}

// Prune deletes challenges that nobody answered in time.
func (f *Factor) Prune(ctx context.Context, tx database.Tx) error { return pruneChallenges(ctx, tx) }
