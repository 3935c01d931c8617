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

// LinkByMail sends a person a link, as its path with the token, once the transaction is committed. False: no mail leaves,
// and whoever made the link has to hand it over. It fails where mail leaves and their mailbox has had too many.
type LinkByMail func(ctx context.Context, tx database.Tx, user *User, path string, until time.Time) (mailed bool, err error)

// InvitedFor is how long the link of an invitation is good.
const InvitedFor = 72 * time.Hour

// invitationKept is how long a link that is good no more still says why.
const invitationKept = 30 * 24 * time.Hour

// How an invitation ended, before its time was over.
const (
	InvitationJoined    = "joined"
	InvitationReplaced  = "replaced"
	InvitationWithdrawn = "withdrawn"
)

// Invitation is a one-time link by which an invited person sets their password. Only the SHA-256 of its token is stored.
type Invitation struct {
	bun.BaseModel `bun:"table:invitations,alias:i"`

	TokenHash []byte           `bun:"token_hash,pk"`
	UserID    string           `bun:"user_id"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
	EndedAt   database.Instant `bun:"ended_at,nullzero"`
	EndedBy   string           `bun:"ended_by,nullzero"`
}

// Invited reports whether the person was invited and has not joined yet: nobody can sign in as them.
func (u *User) Invited() bool { return u.PasswordHash == "" }

// Invite makes the link of an invited person with this token, and ends those from before: one is good at any time.
func Invite(ctx context.Context, tx database.Tx, userID string, token []byte) (*Invitation, error) {
	if err := EndInvitations(ctx, tx, userID, InvitationReplaced); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(token)
	link := &Invitation{
		TokenHash: hash[:], UserID: userID, CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(InvitedFor)),
	}
	if _, err := tx.NewInsert().Model(link).Exec(ctx); err != nil {
		return nil, fmt.Errorf("make an invitation: %w", err)
	}
	return link, nil
}

// InviteNew makes the first links of people who have just been created, one for each with the token of the same place.
func InviteNew[Token ~[]byte](ctx context.Context, tx database.Tx, people []User, tokens []Token) (expires time.Time, err error) {
	expires = tx.Now.Add(InvitedFor)
	links := make([]Invitation, len(people))
	for n := range people {
		hash := sha256.Sum256(tokens[n])
		links[n] = Invitation{
			TokenHash: hash[:], UserID: people[n].ID, CreatedAt: database.At(tx.Now), ExpiresAt: database.At(expires),
		}
	}
	if len(links) == 0 {
		return expires, nil
	}
	if _, err := tx.NewInsert().Model(&links).Exec(ctx); err != nil {
		return expires, fmt.Errorf("make invitations: %w", err)
	}
	return expires, nil
}

// InvitationBy reads the invitation of a token; nil without an error where there is none.
func InvitationBy(ctx context.Context, db bun.IDB, token []byte) (*Invitation, error) {
	hash := sha256.Sum256(token)
	return invitation(ctx, db.NewSelect().Where("i.token_hash = ?", hash[:]))
}

// InvitationOf reads the last invitation of a person; nil without an error where there is none.
func InvitationOf(ctx context.Context, db bun.IDB, userID string) (*Invitation, error) {
	return invitation(ctx, db.NewSelect().Where("i.user_id = ?", userID).OrderExpr("CASE WHEN i.ended_at IS NULL THEN 0 ELSE 1 END, i.created_at DESC").Limit(1))
}

func invitation(ctx context.Context, query *bun.SelectQuery) (*Invitation, error) {
	link := new(Invitation)
	err := query.Model(link).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an invitation: %w", err)
	}
	return link, nil
}

// EndInvitations ends the links of a person that are not ended yet.
func EndInvitations(ctx context.Context, tx database.Tx, userID, by string) error {
	_, err := tx.NewUpdate().Model((*Invitation)(nil)).Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", by).
		Where("user_id = ? AND ended_at IS NULL", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end invitations: %w", err)
	}
	return nil
}

// VoidInvitations ends the links of everybody that are not ended yet.
func VoidInvitations(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewUpdate().Model((*Invitation)(nil)).Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", InvitationReplaced).
		Where("ended_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("void the invitations: %w", err)
	}
	return nil
}

// Join spends an invitation and gives its person, who is held, a first password. Of any number at once exactly one gets
// true (security.md row 80).
func Join(ctx context.Context, tx database.Tx, link *Invitation, hash string) (bool, error) {
	spent, err := database.Touched(tx.NewUpdate().Model((*Invitation)(nil)).
		Set("ended_at = ?", database.At(tx.Now)).Set("ended_by = ?", InvitationJoined).
		Where("token_hash = ? AND ended_at IS NULL AND expires_at > ?", link.TokenHash, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("spend an invitation: %w", err)
	}
	if spent != 1 {
		return false, nil
	}
	joined, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).
		Set("password_hash = ?", hash).Set("password_changed_at = ?", database.At(tx.Now)).
		Where("id = ? AND password_hash = ''", link.UserID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("join: %w", err)
	}
	return joined == 1, nil
}

// PruneInvitations deletes links that nobody needs to be told about any more.
func PruneInvitations(ctx context.Context, tx database.Tx) error {
	old := database.At(tx.Now.Add(-invitationKept))
	if _, err := tx.NewDelete().Model((*Invitation)(nil)).Where("expires_at <= ?", old).Exec(ctx); err != nil {
		return fmt.Errorf("prune invitations: %w", err)
	}
	return nil
}
