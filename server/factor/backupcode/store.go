package backupcode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// States of a set. A pending one proves nothing; the active one does; a retired one is only recognised.
const (
	pending = "pending"
	active  = "active"
	retired = "retired"
)

// keptFor is how long a retired set is recognised before it is deleted.
const keptFor = 90 * 24 * time.Hour

// keptSets is how many retired sets of one person are kept at most, so that selectors never run short (1,024 of them).
const keptSets = 5

// pendingFor is how long a set may wait for "I have saved them" before it is deleted; an enrolment waits shorter.
const pendingFor = 2 * time.Hour

type setRow struct {
	bun.BaseModel `bun:"table:backup_code_sets,alias:s"`

	ID          string           `bun:"id,pk"`
	UserID      string           `bun:"user_id"`
	EnrolmentID string           `bun:"enrolment_id,nullzero"`
	SessionID   string           `bun:"session_id"`
	State       string           `bun:"state"`
	CreatedAt   database.Instant `bun:"created_at"`
	ActivatedAt database.Instant `bun:"activated_at,nullzero"`
	RetiredAt   database.Instant `bun:"retired_at,nullzero"`
}

type codeRow struct {
	bun.BaseModel `bun:"table:backup_codes,alias:c"`

	ID          string           `bun:"id,pk"`
	SetID       string           `bun:"set_id"`
	UserID      string           `bun:"user_id"`
	Position    int              `bun:"position"`
	Selector    string           `bun:"selector"`
	Hash        string           `bun:"hash"`
	UsedAt      database.Instant `bun:"used_at,nullzero"`
	UsedBrowser string           `bun:"used_browser,nullzero"`
}

// candidate is the one code that a typed one may be, with the state of its set.
type candidate struct {
	codeRow
	State     string
	RetiredAt database.Instant
}

// Every backup code asks these.
var (
	readCode = database.Prepare(`SELECT c.id, c.position, c.hash, c.used_at, COALESCE(c.used_browser, ''), s.state, s.retired_at
		FROM backup_codes AS c JOIN backup_code_sets AS s ON s.id = c.set_id WHERE c.user_id = ? AND c.selector = ?`)
	useCode = database.Prepare(`UPDATE backup_codes SET used_at = ?, used_browser = ? WHERE id = ? AND used_at IS NULL
		AND EXISTS (SELECT 1 FROM backup_code_sets AS s WHERE s.id = backup_codes.set_id AND s.state = ?)
		AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = backup_codes.user_id AND u.reset_at IS NOT NULL)`)
	readStanding = database.Prepare(`SELECT s.id, s.activated_at, COUNT(*), SUM(CASE WHEN c.used_at IS NULL THEN 1 ELSE 0 END),
		COALESCE(MIN(CASE WHEN c.used_at IS NULL THEN c.position END), 0), MAX(c.used_at)
		FROM backup_code_sets AS s JOIN backup_codes AS c ON c.set_id = s.id
		WHERE s.user_id = ? AND s.state = ? GROUP BY s.id, s.activated_at`)
)

// bySelector reads the only code of this person's that has the selector; nil where none has. It is limited to the
// person whose sign-in it is (security.md row 21).
func bySelector(ctx context.Context, db bun.IDB, userID, selector string) (*candidate, error) {
	found := new(candidate)
	err := readCode.Scan(ctx, db, database.Args{userID, selector},
		&found.ID, &found.Position, &found.Hash, &found.UsedAt, &found.UsedBrowser, &found.State, &found.RetiredAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up a backup code: %w", err)
	}
	return found, nil
}

// use spends a code of the active set: by its id, once (row 20), and none of before a reset.
func use(ctx context.Context, tx database.Tx, id, browser string) (bool, error) {
	touched, err := database.Touched(useCode.Exec(ctx, tx, int64(database.At(tx.Now)), browser, id, active))
	if err != nil {
		return false, fmt.Errorf("use a backup code: %w", err)
	}
	return touched == 1, nil
}

// standing is the active set and what is left of it; nil without an active set.
type standing struct {
	ID           string
	ActivatedAt  database.Instant
	Total        int
	Remaining    int
	NextPosition int // the lowest unused; 0 when none is left
	LastUsedAt   database.Instant
}

func current(ctx context.Context, db bun.IDB, userID string) (*standing, error) {
	found := new(standing)
	err := readStanding.Scan(ctx, db, database.Args{userID, active},
		&found.ID, &found.ActivatedAt, &found.Total, &found.Remaining, &found.NextPosition, &found.LastUsedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup codes left: %w", err)
	}
	return found, nil
}

// selectors are those that the person's kept codes have already.
func selectors(ctx context.Context, db bun.IDB, userID string) (map[string]bool, error) {
	var list []string
	err := db.NewSelect().Model((*codeRow)(nil)).Column("selector").Where("user_id = ?", userID).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("read selectors: %w", err)
	}
	taken := make(map[string]bool, len(list))
	for _, one := range list {
		taken[one] = true
	}
	return taken, nil
}

// retire ends the person's active set, which stays recognisable, and drops what would be too much of the past.
func retire(ctx context.Context, tx database.Tx, userID string) error {
	_, err := tx.NewUpdate().Model((*setRow)(nil)).
		Set("state = ?", retired).Set("retired_at = ?", database.At(tx.Now)).
		Where("user_id = ? AND state = ?", userID, active).Exec(ctx)
	if err != nil {
		return fmt.Errorf("retire backup codes: %w", err)
	}
	old := tx.NewSelect().Model((*setRow)(nil)).Column("id").
		Where("user_id = ? AND state = ?", userID, retired).OrderExpr("retired_at DESC, id DESC").Limit(keptSets)
	_, err = tx.NewDelete().Model((*setRow)(nil)).
		Where("user_id = ? AND state = ? AND id NOT IN (?)", userID, retired, old).Exec(ctx)
	if err != nil {
		return fmt.Errorf("drop the oldest backup codes: %w", err)
	}
	return nil
}
