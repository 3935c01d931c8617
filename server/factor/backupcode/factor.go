// Package backupcode is the factor of the 10 codes that a person keeps on paper, each good for one sign-in.
//
// Invariants:
//   - a person has at most one active and one pending set; only the active one proves anything;
//   - a code is used by one conditional write, once (security.md row 20), and only by the person it belongs to (row 21);
//   - whatever changes how many codes somebody with 2-step verification has left notes whether they are few
//     (account.NoteFewCodes): a code that is used, a set that comes into force, a restore;
//   - an attempt costs exactly one argon2id, whatever was typed and however many codes there are (row 23): the first
//     two symbols pick the one row that it may be, and where they pick none a decoy is hashed against.
package backupcode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/hashing"
)

// Kind is this factor's machine name.
const Kind factor.Kind = "backup_code"

// errRaced rolls a transaction back that another one has overtaken; the database room reports it as a fault.
var errRaced = errors.New("the backup codes changed at the same time")

// Factor implements factor.Factor.
type Factor struct {
	db    *database.Database
	pool  *hashing.Pool
	decoy string // what a code with an unknown selector is checked against, at the same cost
}

// New prepares the factor for codes of the given cost.
func New(db *database.Database, pool *hashing.Pool, cost hashing.Params) *Factor {
	return &Factor{db: db, pool: pool, decoy: hashing.Decoy(cost)}
}

// Kind names the factor.
func (f *Factor) Kind() factor.Kind { return Kind }

// Asks says what is typed.
func (f *Factor) Asks() string { return "a backup code" }

// Full says that paper is not good for everything: whoever has it may have found it.
func (f *Factor) Full() bool { return false }

// Recognises reports whether the response has the shape of a backup code.
func (f *Factor) Recognises(response string) bool {
	_, ok := Parse(response)
	return ok
}

// Quick never finds anything: looking costs an argon2id, which a counted try pays for.
func (f *Factor) Quick(context.Context, factor.Attempt) (factor.Finding, error) { return nil, nil }

// Examine finds out which code of the person's was typed, if any.
func (f *Factor) Examine(ctx context.Context, attempt factor.Attempt) (factor.Finding, error) {
	code, ok := Parse(attempt.Response)
	if !ok {
		return nil, errors.New("examine a backup code: not one by its shape")
	}
	found, err := bySelector(ctx, f.db.Read(), attempt.UserID, code.Selector())
	if err != nil {
		return nil, err
	}
	hash := f.decoy
	if found != nil {
		hash = found.Hash
	}
	right, err := f.pool.Verify(ctx, code.Secret(), hash)
	if err != nil {
		return nil, err
	}
	finding := &finding{userID: attempt.UserID, browser: attempt.Client.Browser}
	if right && found != nil {
		finding.selector = code.Selector()
		finding.id = found.ID
	}
	return finding, nil
}

// finding is a code known to be right, or none.
type finding struct {
	userID, browser string
	id, selector    string
}

// Spend uses the code, or says why not. The row is read anew: it may have been used since it was examined.
func (f *finding) Spend(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error) {
	if f.id != "" {
		used, err := use(ctx, tx, f.id, f.browser)
		if err != nil {
			return nil, err
		}
		if used {
			left, err := f.Remaining(ctx, tx)
			if err != nil {
				return nil, err
			}
			return nil, account.NoteFewCodes(ctx, tx, f.userID, left)
		}
	}
	return f.why(ctx, tx)
}

// Test says which number the code has, and uses nothing up: there are ten of them, and a test is not worth one.
func (f *finding) Test(ctx context.Context, tx database.Tx) (*factor.Tested, *diagnosis.Diagnosis, error) {
	if f.id != "" {
		code, err := bySelector(ctx, tx, f.userID, f.selector)
		if err != nil {
			return nil, nil, err
		}
		if code != nil && code.ID == f.id && code.State == active && code.UsedAt.IsZero() {
			left, err := f.Remaining(ctx, tx)
			return &factor.Tested{Number: &code.Position, Remaining: &left}, nil, err
		}
	}
	why, err := f.why(ctx, tx)
	return nil, why, err
}

// Remaining counts what is left of the active set.
func (f *finding) Remaining(ctx context.Context, tx database.Tx) (int, error) {
	left, err := current(ctx, tx, f.userID)
	if err != nil || left == nil {
		return 0, err
	}
	return left.Remaining, nil
}

func (f *finding) why(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error) {
	left, err := current(ctx, tx, f.userID)
	if err != nil {
		return nil, err
	}
	refusal := &diagnosis.Diagnosis{Reason: diagnosis.WrongCode}
	if left != nil {
		refusal.Remaining = &left.Remaining
	}
	var code *candidate
	if f.id != "" {
		if code, err = bySelector(ctx, tx, f.userID, f.selector); err != nil {
			return nil, err
		}
	}
	switch {
	case code != nil && code.ID == f.id && code.State == retired:
		refusal.Reason = diagnosis.BackupCodeReplaced
		refusal.ReplacedAt = pointer(code.RetiredAt.Time())
	case code != nil && code.ID == f.id && code.State == pending:
		refusal.Reason = diagnosis.SetupNotFinished
	case code != nil && code.ID == f.id:
		refusal.Reason = diagnosis.BackupCodeUsed
		refusal.UsedAt = pointer(code.UsedAt.Time())
		refusal.UsedBrowser = code.UsedBrowser
		if left != nil && left.NextPosition > 0 {
			refusal.NextNumber = &left.NextPosition
		}
	case left == nil || left.Remaining == 0:
		refusal.Reason = diagnosis.NoBackupCodesLeft
	}
	return refusal, nil
}

// Held lists the active set.
func (f *Factor) Held(ctx context.Context, db bun.IDB, userID string) ([]factor.Held, error) {
	left, err := current(ctx, db, userID)
	if err != nil || left == nil {
		return nil, err
	}
	return []factor.Held{{
		ID: left.ID, Kind: Kind, AddedAt: left.ActivatedAt, LastUsedAt: left.LastUsedAt,
		Remaining: left.Remaining, Total: left.Total,
	}}, nil
}

// Rename finds nothing: codes have numbers, no names.
func (f *Factor) Rename(context.Context, database.Tx, string, string, string) (bool, error) {
	return false, nil
}

// Remove finds nothing: a set goes when a newer one is saved, or with 2-step verification.
func (f *Factor) Remove(context.Context, database.Tx, string, string) (bool, error) {
	return false, nil
}

// Retire retires the active set, whose codes are still recognised.
func (f *Factor) Retire(ctx context.Context, tx database.Tx, userID string) error {
	return retire(ctx, tx, userID)
}

// Forget retires the active set and drops the pending one.
func (f *Factor) Forget(ctx context.Context, tx database.Tx, userID string) error {
	if err := DropPending(ctx, tx, userID); err != nil {
		return err
	}
	return retire(ctx, tx, userID)
}

// Abandon drops a set that was shown and is not saved.
func (f *Factor) Abandon(ctx context.Context, tx database.Tx, userID string) error {
	return DropPending(ctx, tx, userID)
}

// AfterRestore retires every set: a code that was used after the backup would be good once more.
func (f *Factor) AfterRestore(ctx context.Context, tx database.Tx) ([]string, error) {
	if _, err := tx.NewDelete().Model((*setRow)(nil)).Where("state = ?", pending).Exec(ctx); err != nil {
		return nil, fmt.Errorf("drop the pending backup codes: %w", err)
	}
	var bereft []string
	err := tx.NewUpdate().Model((*setRow)(nil)).Set("state = ?", retired).Set("retired_at = ?", database.At(tx.Now)).
		Where("state = ?", active).Returning("user_id").Scan(ctx, &bereft)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("retire all backup codes: %w", err)
	}
	return bereft, account.NoteNoCodes(ctx, tx)
}

// Prune deletes sets that are retired for so long that nobody types their codes, and pending ones left behind.
func (f *Factor) Prune(ctx context.Context, tx database.Tx) error {
	long := database.At(tx.Now.Add(-keptFor))
	abandoned := database.At(tx.Now.Add(-pendingFor))
	_, err := tx.NewDelete().Model((*setRow)(nil)).
		Where("(state = ? AND retired_at <= ?) OR (state = ? AND created_at <= ?)", retired, long, pending, abandoned).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune backup codes: %w", err)
	}
	return nil
}

func pointer[T any](value T) *T { return &value }
