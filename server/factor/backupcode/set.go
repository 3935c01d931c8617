package backupcode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/hashing"
)

// Count is how many codes a set has.
const Count = 10

// Draft is a set that has been drawn and hashed and is not stored yet. Its shown codes exist nowhere else.
type Draft struct {
	ID     string   // of the set, once Put has stored it
	Shown  []string // "XXXXX-XXXXX-XXXXX", in the order of their numbers 1 to 10
	hashes []codeRow
}

// Pending is a set that was shown and is not saved: it is good for nothing yet, and its codes are shown no second time.
type Pending struct {
	MadeAt time.Time
}

// Issuer makes sets.
type Issuer struct {
	db     *database.Database
	pool   *hashing.Pool
	cost   hashing.Params
	random io.Reader
}

// NewIssuer prepares the making of sets.
func NewIssuer(db *database.Database, pool *hashing.Pool, cost hashing.Params, random io.Reader) *Issuer {
	return &Issuer{db: db, pool: pool, cost: cost, random: random}
}

// Draft draws 10 codes for the person and hashes them, outside any transaction, since that takes ten argon2id.
func (i *Issuer) Draft(ctx context.Context, userID string) (*Draft, error) {
	taken, err := selectors(ctx, i.db.Read(), userID)
	if err != nil {
		return nil, err
	}
	codes, err := Generate(i.random, func(selector string) bool { return taken[selector] }, Count)
	if err != nil {
		return nil, err
	}
	draft := &Draft{hashes: make([]codeRow, Count)}
	work, ctx := errgroup.WithContext(ctx)
	for n, code := range codes {
		draft.Shown = append(draft.Shown, code.Shown())
		work.Go(func() error {
			hash, err := i.pool.Hash(ctx, code.Secret(), i.cost)
			draft.hashes[n] = codeRow{UserID: userID, Position: n + 1, Selector: code.Selector(), Hash: hash}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return draft, nil
}

// Put stores the draft as the person's one pending set, in place of another pending one. The enrolment is empty where
// codes are renewed on their own.
func (d *Draft) Put(ctx context.Context, tx database.Tx, userID, sessionID, enrolmentID string) error {
	if err := DropPending(ctx, tx, userID); err != nil {
		return err
	}
	set := setRow{
		ID: tx.NewID(), UserID: userID, EnrolmentID: enrolmentID, SessionID: sessionID,
		State: pending, CreatedAt: database.At(tx.Now),
	}
	if _, err := tx.NewInsert().Model(&set).Exec(ctx); err != nil {
		return fmt.Errorf("store a set of backup codes: %w", err)
	}
	d.ID = set.ID
	rows := make([]codeRow, len(d.hashes))
	for n, code := range d.hashes {
		code.ID, code.SetID = tx.NewID(), set.ID
		rows[n] = code
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("store backup codes: %w", err)
	}
	return nil
}

// Waiting answers the id of the person's pending set that was shown in this session, for this enrolment (empty: codes
// renewed on their own); empty where there is none.
func Waiting(ctx context.Context, db bun.IDB, userID, sessionID, enrolmentID string) (string, error) {
	var ids []string
	err := db.NewSelect().Model((*setRow)(nil)).Column("id").
		Where("user_id = ? AND state = ? AND session_id = ? AND COALESCE(enrolment_id, '') = ?", userID, pending, sessionID, enrolmentID).
		Scan(ctx, &ids)
	if err != nil {
		return "", fmt.Errorf("look for a set that waits: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

// Unsaved answers the person's set that was shown and is not saved; nil where none waits.
func Unsaved(ctx context.Context, db bun.IDB, userID string, now time.Time) (*Pending, error) {
	found := new(setRow)
	err := db.NewSelect().Model(found).
		Where("user_id = ? AND state = ? AND created_at > ?", userID, pending, database.At(now.Add(-pendingFor))).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the set that waits: %w", err)
	}
	return &Pending{MadeAt: found.CreatedAt.Time()}, nil
}

// Activate puts a pending set in force; the set before it dies in the same transaction. The caller holds the person.
func Activate(ctx context.Context, tx database.Tx, userID, setID string) error {
	if err := retire(ctx, tx, userID); err != nil {
		return err
	}
	touched, err := database.Touched(tx.NewUpdate().Model((*setRow)(nil)).
		Set("state = ?", active).Set("activated_at = ?", database.At(tx.Now)).
		Where("id = ? AND user_id = ? AND state = ?", setID, userID, pending).Exec(ctx))
	if err != nil {
		return fmt.Errorf("activate backup codes: %w", err)
	}
	if touched != 1 {
		return errRaced // rolls the retirement back
	}
	return account.NoteFewCodes(ctx, tx, userID, Count)
}

// DropPending deletes the person's pending set, whose codes never were good for anything.
func DropPending(ctx context.Context, tx database.Tx, userID string) error {
	_, err := tx.NewDelete().Model((*setRow)(nil)).Where("user_id = ? AND state = ?", userID, pending).Exec(ctx)
	if err != nil {
		return fmt.Errorf("drop the pending backup codes: %w", err)
	}
	return nil
}

// DropUnsaved deletes the set that Unsaved answers; false where none waits.
func DropUnsaved(ctx context.Context, tx database.Tx, userID string) (bool, error) {
	touched, err := database.Touched(tx.NewDelete().Model((*setRow)(nil)).
		Where("user_id = ? AND state = ? AND created_at > ?", userID, pending, database.At(tx.Now.Add(-pendingFor))).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("drop the set that waits: %w", err)
	}
	return touched > 0, nil
}

// Has reports whether the person has a set in force, used up or not.
func Has(ctx context.Context, db bun.IDB, userID string) (bool, error) {
	found, err := db.NewSelect().Model((*setRow)(nil)).Where("user_id = ? AND state = ?", userID, active).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for backup codes: %w", err)
	}
	return found, nil
}
