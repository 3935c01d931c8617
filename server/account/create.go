package account

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
)

// New is what a new person starts with. PasswordHash is a PHC string; empty for one who is invited. An empty Requirement
// is the installation's Standard.
type New struct {
	Name, Email, Role, PasswordHash string

	Requirement string
	Deadline    database.Instant
}

// CheckIdentity says what is wrong with a name and an address; nothing means that both may be stored.
func CheckIdentity(name, email string) []problem.Field {
	fields := CheckName(name)
	if !ValidEmail(strings.TrimSpace(email)) {
		fields = append(fields, problem.Field{Name: "email", Code: "email_invalid"})
	}
	return fields
}

// Create adds a person. An address that somebody has already is ErrEmailTaken.
func Create(ctx context.Context, tx database.Tx, person New) (*User, error) {
	key, err := EmailKey(person.Email)
	if err != nil {
		return nil, fmt.Errorf("create a person: %w", err)
	}
	taken, err := ByEmailKey(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	if taken != nil {
		return nil, ErrEmailTaken
	}
	people, err := complete(ctx, tx, []New{person})
	if err != nil {
		return nil, err
	}
	made := fresh(tx, people[0], key)
	user := &made
	if _, err := tx.NewInsert().Model(user).Exec(ctx); err != nil {
		if database.Unique(err) {
			return nil, ErrEmailTaken.Because(err)
		}
		return nil, fmt.Errorf("create a person: %w", err)
	}
	if err := (tally{People: 1}).add(ctx, tx); err != nil {
		return nil, err
	}
	return user, index(ctx, tx, user)
}

// Rename calls a person, who is held, otherwise and lets them be found by it; false where that is their name already.
func Rename(ctx context.Context, tx database.Tx, user *User, name string) (bool, error) {
	name = strings.TrimSpace(name)
	if name == user.Name {
		return false, nil
	}
	user.Name = name
	user.SortName = sortName(user.Name)
	if _, err := tx.NewUpdate().Model(user).Column("name", "sort_name").WherePK().Exec(ctx); err != nil {
		return false, fmt.Errorf("rename a person: %w", err)
	}
	return true, index(ctx, tx, user)
}

// index keeps by which words a person is found, and where in the list: after each change of a name or an address.
func index(ctx context.Context, tx database.Tx, user *User) error {
	if _, err := tx.NewDelete().Model((*term)(nil)).Where("user_id = ?", user.ID).Exec(ctx); err != nil {
		return fmt.Errorf("index a person anew: %w", err)
	}
	rows := terms(nil, user)
	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("index a person: %w", err)
	}
	return nil
}

// HoldInstallation lets the transactions that decide something about the installation as a whole come one after the
// other, on PostgreSQL too. It comes before whatever else they lock: two that each hold a setup link of their own would
// wait for each other.
func HoldInstallation(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewUpdate().Table("installation").Set("id = id").Where("id = 1").Exec(ctx); err != nil {
		return fmt.Errorf("hold the installation: %w", err)
	}
	return nil
}

// ClaimFirstAdministrator reports whether the caller's transaction is the one that makes the first administrator.
// It ends every setup link. Exactly one transaction ever gets true (security.md row 9).
func ClaimFirstAdministrator(ctx context.Context, tx database.Tx) (bool, error) {
	claimed, err := database.Touched(tx.NewUpdate().Table("installation").
		Set("first_administrator_at = ?", database.At(tx.Now)).
		Where("id = 1 AND first_administrator_at IS NULL").Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("claim the first administrator: %w", err)
	}
	if _, err := tx.NewDelete().Table("setup_links").Where("TRUE").Exec(ctx); err != nil {
		return false, fmt.Errorf("void the setup links: %w", err)
	}
	return claimed == 1, nil
}

// sortName is the byte-ordered sort key of a name: accents come after the bare letter, so that é is near e.
func sortName(name string) []byte {
	key := []byte(norm.NFD.String(fold(name)))
	return key[:min(len(key), 200)]
}
