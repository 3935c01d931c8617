package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// PasswordLinkFor is how long the link for a forgotten password is good.
const PasswordLinkFor = time.Hour

// passwordLinkKept is how long a link that is good no more still says why.
const passwordLinkKept = 30 * 24 * time.Hour

// How a link for a forgotten password ended, before its time was over.
const (
	PasswordLinkUsed      = "used"
	PasswordLinkReplaced  = "replaced"
	PasswordLinkWithdrawn = "withdrawn" // the password was changed otherwise
)

// PasswordLink is a one-time link by which a person who can read their mail sets a new password. Only the SHA-256 of its
// token is stored.
type PasswordLink struct {
	bun.BaseModel `bun:"table:password_links,alias:l"`

	TokenHash []byte           `bun:"token_hash,pk"`
	UserID    string           `bun:"user_id"`
	EmailKey  string           `bun:"email_key"` // of the mailbox that it went to
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
	EndedAt   database.Instant `bun:"ended_at,nullzero"`
	EndedBy   string           `bun:"ended_by,nullzero"`
}

// MakePasswordLink makes the link of a person, who is held, with this token, and ends those from before: one is good at any
// time.
func MakePasswordLink(ctx context.Context, tx database.Tx, user *User, token []byte) error {
	if err := endPasswordLinks(ctx, tx, user.ID, PasswordLinkReplaced); err != nil {
		return err
	}
	hash := sha256.Sum256(token)
	link := &PasswordLink{
		TokenHash: hash[:], UserID: user.ID, EmailKey: user.EmailKey,
		CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(PasswordLinkFor)),
	}
	if _, err := tx.NewInsert().Model(link).Exec(ctx); err != nil {
		return fmt.Errorf("make a password link: %w", err)
	}
	return nil
}

// PasswordLinkBy reads the link of a token; nil without an error where there is none.
func PasswordLinkBy(ctx context.Context, db bun.IDB, token []byte) (*PasswordLink, error) {
	hash := sha256.Sum256(token)
	link := new(PasswordLink)
	err := db.NewSelect().Model(link).Where("l.token_hash = ?", hash[:]).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a password link: %w", err)
	}
	return link, nil
}

// SpendPasswordLink uses a link. Of any number at once exactly one gets true (security.md row 80).
func SpendPasswordLink(ctx context.Context, tx database.Tx, link *PasswordLink) (bool, error) {
	spent, err := database.Touched(tx.NewUpdate().Model((*PasswordLink)(nil)).
		Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", PasswordLinkUsed).
		Where("token_hash = ? AND ended_at IS NULL AND expires_at > ?", link.TokenHash, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("spend a password link: %w", err)
	}
	return spent == 1, nil
}

func endPasswordLinks(ctx context.Context, tx database.Tx, userID, by string) error {
	_, err := tx.NewUpdate().Model((*PasswordLink)(nil)).Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", by).
		Where("user_id = ? AND ended_at IS NULL", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end password links: %w", err)
	}
	return nil
}

// VoidPasswordLinks ends the links of everybody that are not ended yet.
func VoidPasswordLinks(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewUpdate().Model((*PasswordLink)(nil)).Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", PasswordLinkReplaced).
		Where("ended_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("void the password links: %w", err)
	}
	return nil
}

// PrunePasswordLinks deletes links that nobody needs to be told about any more.
func PrunePasswordLinks(ctx context.Context, tx database.Tx) error {
	old := database.At(tx.Now.Add(-passwordLinkKept))
	if _, err := tx.NewDelete().Model((*PasswordLink)(nil)).Where("expires_at <= ?", old).Exec(ctx); err != nil {
		return fmt.Errorf("prune password links: %w", err)
	}
	return nil
}
