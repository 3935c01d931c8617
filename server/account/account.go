// Package account keeps the people: who they are, their role, their password, and what is required of them.
//
// Invariants:
//   - an e-mail address belongs to one person, whatever its spelling (EmailKey, unique in the database);
//   - the first administrator is made once, by whoever wins one conditional write (ClaimFirstAdministrator);
//   - MFASince is set exactly while 2-step verification is on; the factors' rows follow it, and where the two
//     disagree signing in is refused, never made easier (security.md row 5);
//   - ResetAt is set from a reset until the person has enrolled anew: while it is, the factors of before prove nothing,
//     and neither does the password alone.
package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Roles of a person.
const (
	Member        = "member"
	Administrator = "administrator"
)

// Requirements of 2-step verification (product.md).
const (
	RequirementOff      = "off"
	RequirementAllowed  = "allowed"
	RequirementRequired = "required"
)

// What of a recovery is under way for a person. Room recovery has the rest.
const (
	RecoveryAsked    = "asked"    // waits for the proof of the address
	RecoveryProved   = "proved"   // waits for its time and for the decision
	RecoveryApproved = "approved" // an enrolment link is out
)

// User is a person of the account.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID                string           `bun:"id,pk"`
	Name              string           `bun:"name"`
	Email             string           `bun:"email"`
	EmailKey          string           `bun:"email_key"`
	SortName          []byte           `bun:"sort_name"`
	Role              string           `bun:"role"`
	PasswordHash      string           `bun:"password_hash"`
	PasswordChangedAt database.Instant `bun:"password_changed_at"`
	Requirement       string           `bun:"requirement"`
	Deadline          database.Instant `bun:"deadline,nullzero"`
	DisabledAt        database.Instant `bun:"disabled_at,nullzero"`
	MFASince          database.Instant `bun:"mfa_since,nullzero"`
	FewCodes          bool             `bun:"few_codes"` // less than FewCodes backup codes are left
	ResetAt           database.Instant `bun:"reset_at,nullzero"`
	EnrolmentsBegun   int              `bun:"enrolments_begun"`
	Recovery          string           `bun:"recovery"` // what of a recovery is on record as under way: asked, proved, approved
	RecoveryUntil     database.Instant `bun:"recovery_until,nullzero"`
	CreatedAt         database.Instant `bun:"created_at"`
	LastSignInAt      database.Instant `bun:"last_sign_in_at,nullzero"`
}

// MFA reports whether 2-step verification is on.
func (u *User) MFA() bool { return !u.MFASince.IsZero() }

// Reset reports whether the person was reset and has not enrolled anew: only the password together with an enrolment link
// opens anything, and that no more than enrolling.
func (u *User) Reset() bool { return !u.ResetAt.IsZero() }

// EnrolsByLink reports whether an enrolment link together with the password opens a session of the person's that enrols in
// place of everything before: after a reset, and while a recovery is approved.
func (u *User) EnrolsByLink(now time.Time) bool {
	return u.Reset() || u.RecoveryAt(now) == RecoveryApproved
}

// RecoveryAt is what of a recovery is under way then: what is over by its time is, whether the job has ended it or not.
func (u *User) RecoveryAt(now time.Time) string {
	if !u.RecoveryUntil.IsZero() && u.RecoveryUntil <= database.At(now) {
		return ""
	}
	return u.Recovery
}

// AsksSecondStep reports whether signing in wants a second step: `off` keeps the factors but does not ask for them.
func (u *User) AsksSecondStep() bool { return u.MFA() && u.Requirement != RequirementOff }

// MustEnrol reports whether the person may do nothing but enrol: it is required, the deadline has passed, it is not on.
func (u *User) MustEnrol(now time.Time) bool {
	return MustEnrol(u.Requirement, u.Deadline, u.MFASince, now)
}

// MustEnrol is the rule behind User.MustEnrol, for rows that carry only these columns. Without a deadline a
// requirement holds at once.
func MustEnrol(requirement string, deadline, mfaSince database.Instant, now time.Time) bool {
	return requirement == RequirementRequired && mfaSince.IsZero() && deadline <= database.At(now)
}

// ByID reads one person; nil without an error where there is none.
func ByID(ctx context.Context, db bun.IDB, id string) (*User, error) {
	return one(ctx, db, byID, database.Args{id})
}

// ByEmailKey reads the person with a canonical address (EmailKey); nil without an error where there is none.
func ByEmailKey(ctx context.Context, db bun.IDB, key string) (*User, error) {
	return one(ctx, db, byEmailKey, database.Args{key})
}

func one(ctx context.Context, db bun.IDB, statement *database.Statement, args database.Args) (*User, error) {
	user := new(User)
	err := statement.Scan(ctx, db, args, &user.ID, &user.Name, &user.Email, &user.EmailKey, &user.SortName, &user.Role,
		&user.PasswordHash, &user.PasswordChangedAt, &user.Requirement, &user.Deadline, &user.DisabledAt, &user.MFASince, &user.FewCodes,
		&user.ResetAt, &user.EnrolmentsBegun, &user.Recovery, &user.RecoveryUntil, &user.CreatedAt, &user.LastSignInAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a person: %w", err)
	}
	return user, nil
}

const (
	columns = `id, name, email, email_key, sort_name, role, password_hash, password_changed_at,
	requirement, deadline, disabled_at, mfa_since, few_codes, reset_at, enrolments_begun, recovery, recovery_until, created_at, last_sign_in_at`
	selectUser = "SELECT " + columns + " FROM users WHERE "
	signIn     = "UPDATE users SET last_sign_in_at = ? WHERE id = ?"
)

var (
	byID       = database.Prepare(selectUser + "id = ?")
	byEmailKey = database.Prepare(selectUser + "email_key = ?")
	hold       = database.PrepareHold(selectUser + "id = ?")
	noteSignIn = database.Prepare(signIn)
	holdSignIn = database.Prepare(signIn + " RETURNING " + columns)
)

// HasAdministrator reports whether the installation has been set up.
func HasAdministrator(ctx context.Context, db bun.IDB) (bool, error) {
	found, err := db.NewSelect().Model((*User)(nil)).Where("u.role = ?", Administrator).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an administrator: %w", err)
	}
	return found, nil
}

// Hold reads one person and holds the row until the transaction ends, so that the acts that change somebody's
// factors, sessions or rights come one after the other, on PostgreSQL too. ErrNoUser where there is none.
func Hold(ctx context.Context, tx database.Tx, id string) (*User, error) {
	return held(one(ctx, tx, hold, database.Args{id}))
}

func held(user *User, err error) (*User, error) {
	if err == nil && user == nil {
		return nil, ErrNoUser
	}
	return user, err
}

// HoldSignIn is Hold and NoteSignIn in one statement, for who expects nothing to stand in the way and rolls back where something does.
func HoldSignIn(ctx context.Context, tx database.Tx, id string) (*User, error) {
	return held(one(ctx, tx, holdSignIn, database.Args{int64(database.At(tx.Now)), id}))
}

// NoteSignIn keeps when the person last signed in.
func NoteSignIn(ctx context.Context, tx database.Tx, id string) error {
	if _, err := noteSignIn.Exec(ctx, tx, int64(database.At(tx.Now)), id); err != nil {
		return fmt.Errorf("note a sign-in: %w", err)
	}
	return nil
}

// CountEnrolment counts an enrolment that the person begins and answers its number, from 1: it tells the entries in
// the person's authenticator app apart.
func CountEnrolment(ctx context.Context, tx database.Tx, id string) (int, error) {
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("enrolments_begun = enrolments_begun + 1").Where("id = ?", id).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("count an enrolment: %w", err)
	}
	user, err := ByID(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	return user.EnrolmentsBegun, nil
}

// TurnOn marks 2-step verification as on from now; where it is on already, since when stays.
func TurnOn(ctx context.Context, tx database.Tx, id string) error {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("mfa_since = ?", database.At(tx.Now)).
		Where("id = ? AND mfa_since IS NULL", id).Exec(ctx))
	if err != nil {
		return fmt.Errorf("turn 2-step verification on: %w", err)
	}
	if touched == 0 {
		return nil
	}
	return tally{Protected: 1}.add(ctx, tx)
}

// TurnOff marks 2-step verification as off; false where it was off already.
func TurnOff(ctx context.Context, tx database.Tx, id string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*User)(nil)).Set("mfa_since = NULL").
		Where("id = ? AND mfa_since IS NOT NULL", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("turn 2-step verification off: %w", err)
	}
	if touched == 0 {
		return false, nil
	}
	return true, tally{Protected: -1}.add(ctx, tx)
}

// SetRequirement stores what is asked of a person; a zero deadline of a required one means at once.
func SetRequirement(ctx context.Context, tx database.Tx, id, requirement string, deadline database.Instant) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).
		Set("requirement = ?", requirement).Set("deadline = ?", deadline.OrNull()).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("set a requirement: %w", err)
	}
	return nil
}
