package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// EmailProvedFor is how long the link is good by which somebody proves a new address.
const EmailProvedFor = 24 * time.Hour

// EmailChange is an address that a person is to have once it is proved. Only the SHA-256 of its token is stored.
type EmailChange struct {
	bun.BaseModel `bun:"table:email_changes,alias:c"`

	UserID    string           `bun:"user_id,pk"`
	TokenHash []byte           `bun:"token_hash"`
	Email     string           `bun:"email"`
	AskedBy   string           `bun:"asked_by"` // the person, or an administrator
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
}

// AskEmail lets an address wait for its proof with this token; what waited before is void.
func AskEmail(ctx context.Context, tx database.Tx, userID, email, askedBy string, token []byte) (*EmailChange, error) {
	if _, err := WithdrawEmail(ctx, tx, userID); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(token)
	asked := &EmailChange{
		UserID: userID, TokenHash: hash[:], Email: email, AskedBy: askedBy,
		CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(EmailProvedFor)),
	}
	if _, err := tx.NewInsert().Model(asked).Exec(ctx); err != nil {
		return nil, fmt.Errorf("ask for a change of address: %w", err)
	}
	return asked, nil
}

// EmailChangeOf reads the address of a person that waits; nil without an error where none does.
func EmailChangeOf(ctx context.Context, db bun.IDB, userID string, now time.Time) (*EmailChange, error) {
	asked := new(EmailChange)
	err := db.NewSelect().Model(asked).Where("c.user_id = ? AND c.expires_at > ?", userID, database.At(now)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a change of address: %w", err)
	}
	return asked, nil
}

// WithdrawEmail ends what waits; false where nothing does.
func WithdrawEmail(ctx context.Context, tx database.Tx, userID string) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*EmailChange)(nil)).Where("user_id = ?", userID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("withdraw a change of address: %w", err)
	}
	return touched == 1, nil
}

// ProveEmail spends the token of the person's change and answers the address; empty where it is not this person's, was
// spent, or is too old. Of any number at once exactly one gets the address (security.md row 80).
func ProveEmail(ctx context.Context, tx database.Tx, userID string, token []byte) (string, error) {
	hash := sha256.Sum256(token)
	var proved []string
	err := tx.NewRaw("DELETE FROM email_changes WHERE user_id = ? AND token_hash = ? AND expires_at > ? RETURNING email",
		userID, hash[:], database.At(tx.Now)).Scan(ctx, &proved)
	if err != nil {
		return "", fmt.Errorf("prove an address: %w", err)
	}
	if len(proved) == 0 {
		return "", nil
	}
	return proved[0], nil
}

// SetEmail gives a person, who is held, another address, by which they sign in and are found. ErrEmailTaken where somebody
// else has it.
func SetEmail(ctx context.Context, tx database.Tx, user *User, email string) error {
	email = strings.TrimSpace(email)
	key, err := EmailKey(email)
	if err != nil {
		return fmt.Errorf("set an address: %w", err)
	}
	taken, err := ByEmailKey(ctx, tx, key)
	if err != nil {
		return err
	}
	if taken != nil && taken.ID != user.ID {
		return ErrEmailTaken
	}
	user.Email, user.EmailKey = email, key
	if _, err := tx.NewUpdate().Model(user).Column("email", "email_key").WherePK().Exec(ctx); err != nil {
		if database.Unique(err) {
			return ErrEmailTaken.Because(err)
		}
		return fmt.Errorf("set an address: %w", err)
	}
	if err := endPasswordLinks(ctx, tx, user.ID, PasswordLinkWithdrawn); err != nil {
		return err // they went to the mailbox of before
	}
	return index(ctx, tx, user)
}

// PruneEmailChanges deletes those that were not proved in time.
func PruneEmailChanges(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*EmailChange)(nil)).Where("expires_at <= ?", database.At(tx.Now)).Exec(ctx); err != nil {
		return fmt.Errorf("prune changes of addresses: %w", err)
	}
	return nil
}

// VoidEmailChanges ends everybody's.
func VoidEmailChanges(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*EmailChange)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("void the changes of addresses: %w", err)
	}
	return nil
}
