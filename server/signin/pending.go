package signin

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

const (
	pendingFor   = 5 * time.Minute
	pendingCodes = 5
)

// pendingRow is a sign-in between the password and the second step. It is no session and becomes none: another kind of
// credential, with its own cookie, table and life (security.md row 1).
type pendingRow struct {
	bun.BaseModel `bun:"table:pending_sign_ins,alias:p"`

	ID        string           `bun:"id,pk"`
	TokenHash []byte           `bun:"token_hash"`
	UserID    string           `bun:"user_id"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
	Attempts  int              `bun:"attempts"`
	Browser   string           `bun:"browser"`
	Address   string           `bun:"address"`
}

// Every sign-in with a second step asks some of these.
var (
	beginPending = database.Prepare(`INSERT INTO pending_sign_ins (id, token_hash, user_id, created_at, expires_at, attempts, browser, address)
		VALUES (?, ?, ?, ?, ?, 0, ?, ?)`)
	triedOnPending = database.Prepare("SELECT attempts FROM pending_sign_ins WHERE id = ? AND expires_at > ?")
	countOnPending = database.Prepare("UPDATE pending_sign_ins SET attempts = attempts + 1 WHERE id = ? AND attempts < ? AND expires_at > ? RETURNING attempts")
	// Those of a person are held, so there is always a row.
	stands = database.Prepare(`SELECT t.in_a_row, t.blocked_until, t.locked_at, p.attempts FROM users AS u
		LEFT JOIN second_step_tries AS t ON t.user_id = u.id
		LEFT JOIN pending_sign_ins AS p ON p.id = ? AND p.expires_at > ? WHERE u.id = ?`)
	endPending = database.Prepare("DELETE FROM pending_sign_ins WHERE id = ? AND expires_at > ?")
	// Where anything stands against a code it touches nothing.
	endUnopposed = database.Prepare(`DELETE FROM pending_sign_ins WHERE id = ? AND expires_at > ? AND attempts < ?
		AND NOT EXISTS (SELECT 1 FROM second_step_tries AS t WHERE t.user_id = pending_sign_ins.user_id
			AND (t.in_a_row > 0 OR t.blocked_until > ? OR t.locked_at IS NOT NULL))`)
)

const lookUpPending = `SELECT p.token_hash, p.id, p.user_id, p.expires_at, p.attempts,
	COALESCE(t.in_a_row, 0), COALESCE(t.blocked_until, 0), COALESCE(t.locked_at, 0)
	FROM pending_sign_ins AS p LEFT JOIN second_step_tries AS t ON t.user_id = p.user_id WHERE p.token_hash IN (?)`

// foundPending is a pending sign-in, and what the person's wrong codes have come to.
type foundPending struct {
	pendingRow
	tries codeTries
}

// unopposed reports whether no wrong code stands against it.
func (f *foundPending) unopposed(now time.Time) bool {
	return f.Attempts == 0 && f.tries.InARow == 0 && f.tries.refusal(now) == nil
}

func scanPending(rows *sql.Rows) (hash [sha256.Size]byte, found foundPending, err error) {
	var token sql.RawBytes
	err = rows.Scan(&token, &found.ID, &found.UserID, &found.ExpiresAt, &found.Attempts,
		&found.tries.InARow, &found.tries.BlockedUntil, &found.tries.LockedAt)
	copy(hash[:], token)
	return hash, found, err
}

// Pending answers web's question which pending sign-in this token is of; nil when none that is still alive.
func (s *SignIn) Pending(ctx context.Context, token []byte) (*web.PendingSignIn, error) {
	list, err := s.pendings.Find(ctx, sha256.Sum256(token))
	if err != nil {
		return nil, fmt.Errorf("look up a pending sign-in: %w", err)
	}
	now := s.Now()
	if len(list) == 0 || list[0].ExpiresAt <= database.At(now) {
		return nil, nil
	}
	found := &list[0]
	return &web.PendingSignIn{ID: found.ID, UserID: found.UserID, ExpiresAt: found.ExpiresAt.Time(), Unopposed: found.unopposed(now)}, nil
}

func (s *SignIn) openPending(ctx context.Context, tx database.Tx, userID string, client web.Client) (session.Token, time.Time, error) {
	token, err := session.NewToken(s.Random)
	if err != nil {
		return nil, time.Time{}, err
	}
	hash := sha256.Sum256(token)
	expires := tx.Now.Add(pendingFor)
	_, err = beginPending.Exec(ctx, tx, tx.NewID(), hash[:], userID, int64(database.At(tx.Now)), int64(database.At(expires)),
		client.Browser, client.Address.String())
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open a pending sign-in: %w", err)
	}
	return token, expires, nil
}

// reservePending counts a code against the pending sign-in's own five.
func reservePending(ctx context.Context, tx database.Tx, id string) (left int, refusal *diagnosis.Diagnosis, err error) {
	var attempts int
	err = countOnPending.Scan(ctx, tx, database.Args{id, pendingCodes, int64(database.At(tx.Now))}, &attempts)
	if errors.Is(err, sql.ErrNoRows) {
		if refusal, err = alivePending(ctx, tx, id, false); err == nil && refusal == nil {
			refusal = usedUp() // another's try was taken back this moment
		}
		return 0, refusal, err
	}
	if err != nil {
		return 0, nil, fmt.Errorf("count a code of a pending sign-in: %w", err)
	}
	return pendingCodes - attempts, nil, nil
}

// releasePending takes a counted code back that was not looked at.
func releasePending(ctx context.Context, tx database.Tx, id string) error {
	_, err := tx.NewUpdate().Model((*pendingRow)(nil)).Set("attempts = attempts - 1").Where("id = ? AND attempts > 0", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("take a code of a pending sign-in back: %w", err)
	}
	return nil
}

// alivePending says why no code can be tried on it any more. Counted tells that this
// very try is among its attempts.
func alivePending(ctx context.Context, tx database.Tx, id string, counted bool) (*diagnosis.Diagnosis, error) {
	row := new(pendingRow)
	err := triedOnPending.Scan(ctx, tx, database.Args{id, int64(database.At(tx.Now))}, &row.Attempts)
	if errors.Is(err, sql.ErrNoRows) {
		row, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a pending sign-in: %w", err)
	}
	return row.refusal(counted), nil
}

// refusal is nil while a code may be tried; without a row the sign-in is over.
func (r *pendingRow) refusal(counted bool) *diagnosis.Diagnosis {
	if r == nil {
		return &diagnosis.Diagnosis{Reason: diagnosis.SignInExpired}
	}
	if !counted && r.Attempts >= pendingCodes {
		return usedUp()
	}
	return nil
}

// usedUp refuses a sign-in that takes no more codes. The account itself may have tries left: who knows the password starts
// again.
func usedUp() *diagnosis.Diagnosis {
	over := tooMany(0)
	over.StartAgain = true
	return over
}

// standing reads what stands against a code: what refuses and ends the person's wrong ones (nil where there is no row),
// and the attempts of the pending sign-in (nil where it is over), in one question.
func standing(ctx context.Context, tx database.Tx, userID, id string) (tries *codeTries, row *pendingRow, err error) {
	var inARow, attempts sql.NullInt64
	tries, row = new(codeTries), new(pendingRow)
	err = stands.Scan(ctx, tx, database.Args{id, int64(database.At(tx.Now)), userID}, &inARow, &tries.BlockedUntil, &tries.LockedAt, &attempts)
	if err != nil {
		return nil, nil, fmt.Errorf("read the wrong codes and a pending sign-in: %w", err)
	}
	tries.InARow, row.Attempts = int(inARow.Int64), int(attempts.Int64)
	if !inARow.Valid {
		tries = nil
	}
	if !attempts.Valid {
		row = nil
	}
	return tries, row, nil
}

// closePending ends the pending sign-in because it has become a session; false when another request was first.
func closePending(ctx context.Context, tx database.Tx, id string) (bool, error) {
	touched, err := database.Touched(endPending.Exec(ctx, tx, id, int64(database.At(tx.Now))))
	if err != nil {
		return false, fmt.Errorf("close a pending sign-in: %w", err)
	}
	return touched == 1, nil
}

// closeUnopposed is closePending where no wrong code stands against the person, who is held; else false.
func closeUnopposed(ctx context.Context, tx database.Tx, id string) (bool, error) {
	now := int64(database.At(tx.Now))
	touched, err := database.Touched(endUnopposed.Exec(ctx, tx, id, now, pendingCodes, now))
	if err != nil {
		return false, fmt.Errorf("close a pending sign-in: %w", err)
	}
	return touched == 1, nil
}

// StillPending refuses a caller whose pending sign-in has ended since the request began, because what it was begun under has
// changed. It is exact where the transaction holds the person.
func StillPending(ctx context.Context, tx database.Tx, caller web.Caller) error {
	refusal, err := alivePending(ctx, tx, caller.Pending.ID, true)
	if err == nil && refusal != nil {
		err = Refused(refusal)
	}
	return err
}

// EndPending ends every pending sign-in of the person, because what they were begun under has changed (row 4).
func EndPending(ctx context.Context, tx database.Tx, userID string) error {
	if _, err := tx.NewDelete().Model((*pendingRow)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("end pending sign-ins: %w", err)
	}
	return nil
}

// AfterRestore ends every sign-in that was under way, and every setup and enrolment link.
func (s *SignIn) AfterRestore(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*pendingRow)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("end all pending sign-ins: %w", err)
	}
	if _, err := tx.NewDelete().Model((*setupLink)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("void the setup links: %w", err)
	}
	if _, err := tx.NewDelete().Model((*enrolmentLink)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("void the enrolment links: %w", err)
	}
	return nil
}

// Prune deletes what is over in this room's tables.
func (s *SignIn) Prune(ctx context.Context, tx database.Tx) error {
	now := database.At(tx.Now)
	if _, err := tx.NewDelete().Model((*pendingRow)(nil)).Where("expires_at <= ?", now).Exec(ctx); err != nil {
		return fmt.Errorf("prune pending sign-ins: %w", err)
	}
	if _, err := tx.NewDelete().Model((*setupLink)(nil)).Where("expires_at <= ?", now).Exec(ctx); err != nil {
		return fmt.Errorf("prune setup links: %w", err)
	}
	if _, err := tx.NewDelete().Model((*enrolmentLink)(nil)).Where("expires_at <= ?", now).Exec(ctx); err != nil {
		return fmt.Errorf("prune enrolment links: %w", err)
	}
	old := database.At(tx.Now.Add(-passwordsForgive))
	_, err := tx.NewDelete().Model((*passwordTries)(nil)).Where("last_at <= ? AND blocked_until <= ?", old, now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune counted passwords: %w", err)
	}
	return nil
}
