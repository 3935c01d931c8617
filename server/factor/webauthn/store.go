package webauthn

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"
	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
)

// key is a security key in force.
type key struct {
	bun.BaseModel `bun:"table:webauthn_keys,alias:k"`

	ID             string           `bun:"id,pk"`
	UserID         string           `bun:"user_id"`
	Name           string           `bun:"name"`
	CredentialID   []byte           `bun:"credential_id"`
	Record         string           `bun:"record"`
	SignCount      int64            `bun:"sign_count"`
	UserVerified   bool             `bun:"user_verified"`
	BackupEligible bool             `bun:"backup_eligible"`
	BackupState    bool             `bun:"backup_state"`
	Transports     string           `bun:"transports"`
	Attachment     string           `bun:"attachment"`
	AAGUID         []byte           `bun:"aaguid"`
	AddedAt        database.Instant `bun:"added_at"`
	LastUsedAt     database.Instant `bun:"last_used_at,nullzero"`
	CloneWarnedAt  database.Instant `bun:"clone_warned_at,nullzero"`
}

// newKey is the row of a credential that was registered just now.
func newKey(tx database.Tx, userID, name string, credential *lib.Credential) (*key, error) {
	record, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("write a credential down: %w", err)
	}
	transports := make([]string, len(credential.Transport))
	for n, transport := range credential.Transport {
		transports[n] = string(transport)
	}
	return &key{
		ID: tx.NewID(), UserID: userID, Name: name, CredentialID: credential.ID, Record: string(record),
		SignCount: int64(credential.Authenticator.SignCount), UserVerified: credential.Flags.UserVerified,
		BackupEligible: credential.Flags.BackupEligible, BackupState: credential.Flags.BackupState,
		Transports: strings.Join(transports, ","), Attachment: string(credential.Authenticator.Attachment),
		AAGUID: credential.Authenticator.AAGUID, AddedAt: database.At(tx.Now),
	}, nil
}

// credential is the key as the library knows it: what was registered, with what has changed since.
func (k *key) credential() (*lib.Credential, error) {
	credential := new(lib.Credential)
	if err := json.Unmarshal([]byte(k.Record), credential); err != nil {
		return nil, fmt.Errorf("read a credential: %w", err)
	}
	credential.ID = k.CredentialID
	credential.Authenticator.SignCount = uint32(k.SignCount)
	credential.Flags.UserVerified = k.UserVerified
	credential.Flags.BackupEligible = k.BackupEligible
	credential.Flags.BackupState = k.BackupState
	return credential, nil
}

func keysOf(ctx context.Context, db bun.IDB, userID string) ([]key, error) {
	var keys []key
	if err := db.NewSelect().Model(&keys).Where("k.user_id = ?", userID).OrderExpr("k.added_at, k.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the security keys of a person: %w", err)
	}
	return keys, nil
}

// addKey stores a new key; false where its credential id is somebody's already, the person's own too.
func addKey(ctx context.Context, tx database.Tx, added *key) (bool, error) {
	touched, err := database.Touched(tx.NewInsert().Model(added).On("CONFLICT (credential_id) DO NOTHING").Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("add a security key: %w", err)
	}
	return touched == 1, nil
}

// notReset is part of whatever accepts a key: after a reset none of before is.
const notReset = "NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = k.user_id AND u.reset_at IS NOT NULL)"

// useKey notes a use, where the counter has risen since the last one or the device keeps none.
func useKey(ctx context.Context, tx database.Tx, used *key, now *lib.Credential) (bool, error) {
	count := int64(now.Authenticator.SignCount)
	touched, err := database.Touched(tx.NewUpdate().Model((*key)(nil)).
		Set("sign_count = ?", count).Set("backup_state = ?", now.Flags.BackupState).Set("last_used_at = ?", database.At(tx.Now)).
		Where("id = ? AND user_id = ? AND (sign_count < ? OR (sign_count = 0 AND ? = 0))", used.ID, used.UserID, count, count).
		Where(notReset).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("note the use of a security key: %w", err)
	}
	return touched == 1, nil
}

// warnOfClone notes that the counter did not rise, and the use where it is accepted all the same; false where the key
// has been removed.
func warnOfClone(ctx context.Context, tx database.Tx, used *key, accepted bool) (bool, error) {
	update := tx.NewUpdate().Model((*key)(nil)).Set("clone_warned_at = ?", database.At(tx.Now)).
		Where("id = ? AND user_id = ?", used.ID, used.UserID).Where(notReset)
	if accepted {
		update = update.Set("last_used_at = ?", database.At(tx.Now))
	}
	touched, err := database.Touched(update.Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("note that a security key may have a copy: %w", err)
	}
	return touched == 1, nil
}

func renameKey(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*key)(nil)).Set("name = ?", name).
		Where("id = ? AND user_id = ?", id, userID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("rename a security key: %w", err)
	}
	return touched == 1, nil
}

func deleteKey(ctx context.Context, tx database.Tx, userID, id string) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*key)(nil)).Where("id = ? AND user_id = ?", id, userID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("remove a security key: %w", err)
	}
	return touched == 1, nil
}

func forgetKeys(ctx context.Context, tx database.Tx, userID string) error {
	if _, err := tx.NewDelete().Model((*key)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("forget security keys: %w", err)
	}
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("forget challenges: %w", err)
	}
	return nil
}

type handle struct {
	bun.BaseModel `bun:"table:webauthn_handles,alias:h"`

	UserID    string           `bun:"user_id,pk"`
	Handle    []byte           `bun:"handle"`
	CreatedAt database.Instant `bun:"created_at"`
}

// giveHandle gives the person a handle where they have none.
func giveHandle(ctx context.Context, tx database.Tx, userID string, random []byte) error {
	given := handle{UserID: userID, Handle: random, CreatedAt: database.At(tx.Now)}
	if _, err := tx.NewInsert().Model(&given).On("CONFLICT (user_id) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("give a person a handle: %w", err)
	}
	return nil
}

// personOf reads somebody with their handle and keys. Without a handle they have no keys either.
func personOf(ctx context.Context, db bun.IDB, user *account.User) (*person, error) {
	var known handle
	err := db.NewSelect().Model(&known).Where("h.user_id = ?", user.ID).Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the handle of a person: %w", err)
	}
	keys, err := keysOf(ctx, db, user.ID)
	if err != nil {
		return nil, err
	}
	return newPerson(user, known.Handle, keys)
}

// register is the ceremony that adds a key, beside those that a factor proves something in.
const register factor.Ceremony = "register"

// challenge is a ceremony that was begun.
type challenge struct {
	bun.BaseModel `bun:"table:webauthn_challenges,alias:c"`

	ID        string           `bun:"id,pk"`
	UserID    string           `bun:"user_id"`
	Ceremony  factor.Ceremony  `bun:"ceremony"`
	Holder    string           `bun:"holder"`
	Challenge []byte           `bun:"challenge"`
	Data      string           `bun:"data"`
	Network   string           `bun:"network"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
}

// session is what the library wants to see again.
func (c *challenge) session() (lib.SessionData, error) {
	var data lib.SessionData
	if err := json.Unmarshal([]byte(c.Data), &data); err != nil {
		return data, fmt.Errorf("read a challenge: %w", err)
	}
	return data, nil
}

// Limits of what can be begun and not finished (security.md row 47). One network's is what is refused: who only has the
// password must not keep the owner from beginning elsewhere. Beyond the person's the oldest gives way, so that the rows are
// bounded wherever it is begun from.
const (
	begunFromANetwork = 10
	begunByAPerson    = 100
)

// keep stores a ceremony that begins. The caller holds the person.
func (c *challenge) keep(ctx context.Context, tx database.Tx, data *lib.SessionData) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write a challenge down: %w", err)
	}
	c.ID, c.Data, c.CreatedAt, c.ExpiresAt = tx.NewID(), string(text), database.At(tx.Now), database.At(tx.Now.Add(challengeFor))
	if err := c.makeRoom(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
		return fmt.Errorf("keep a challenge: %w", err)
	}
	return nil
}

func (c *challenge) makeRoom(ctx context.Context, tx database.Tx) error {
	now := database.At(tx.Now)
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("user_id = ? AND expires_at <= ?", c.UserID, now).Exec(ctx); err != nil {
		return fmt.Errorf("delete challenges that are over: %w", err)
	}
	var begun []challenge
	err := tx.NewSelect().Model(&begun).Column("id", "network", "expires_at").Where("c.user_id = ?", c.UserID).
		OrderExpr("c.expires_at, c.id").Scan(ctx)
	if err != nil {
		return fmt.Errorf("count challenges: %w", err)
	}
	here := 0
	var first database.Instant
	for _, one := range begun {
		if one.Network == c.Network {
			if here == 0 {
				first = one.ExpiresAt
			}
			here++
		}
	}
	if here >= begunFromANetwork {
		return errTooManyBegun.After(max(time.Second, first.Time().Sub(tx.Now)))
	}
	if len(begun) < begunByAPerson {
		return nil
	}
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("id = ?", begun[0].ID).Exec(ctx); err != nil {
		return fmt.Errorf("give up the oldest challenge: %w", err)
	}
	return nil
}

// begun reads the ceremony that a challenge is of, where it is this person's, this ceremony's and this place's, and not
// over; nil where there is none such.
func begun(ctx context.Context, db bun.IDB, now time.Time, attempt factor.Attempt, signed protocol.CollectedClientData) (*challenge, error) {
	raw, err := decodeChallenge(signed.Challenge)
	if err != nil {
		return nil, nil //nolint:nilerr // no challenge of ours reads like this
	}
	return oneBegun(ctx, db, now, attempt, "c.challenge = ?", raw)
}

func begunByID(ctx context.Context, db bun.IDB, now time.Time, attempt factor.Attempt, id string) (*challenge, error) {
	return oneBegun(ctx, db, now, attempt, "c.id = ?", id)
}

func oneBegun(ctx context.Context, db bun.IDB, now time.Time, attempt factor.Attempt, where string, value any) (*challenge, error) {
	found := new(challenge)
	err := db.NewSelect().Model(found).Where(where, value).
		Where("c.user_id = ? AND c.ceremony = ? AND c.holder = ? AND c.expires_at > ?",
			attempt.UserID, attempt.Ceremony, attempt.Holder, database.At(now)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a challenge: %w", err)
	}
	return found, nil
}

// spend deletes the challenge because it was answered; false where another answer was first, or it is over.
func (c *challenge) spend(ctx context.Context, tx database.Tx) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*challenge)(nil)).
		Where("id = ? AND expires_at > ?", c.ID, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("spend a challenge: %w", err)
	}
	return touched == 1, nil
}

func pruneChallenges(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*challenge)(nil)).Where("expires_at <= ?", database.At(tx.Now)).Exec(ctx); err != nil {
		return fmt.Errorf("prune challenges: %w", err)
	}
	return nil
}
