package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// CreateMany adds people as Create does, in a handful of statements for all of them. It asks nobody whether an address
// is taken: one that is fails the whole, which is for callers that make the addresses themselves.
func CreateMany(ctx context.Context, tx database.Tx, people []New) ([]User, error) {
	users, err := freshMany(ctx, tx, people)
	if err != nil || len(users) == 0 {
		return users, err
	}
	if _, err := tx.NewInsert().Model(&users).Exec(ctx); err != nil {
		return nil, fmt.Errorf("create people: %w", err)
	}
	return users, indexMany(ctx, tx, users)
}

// CreateAbsent adds those of the people whose address nobody has, and answers them in the order of their addresses.
// Of any number of transactions that add the same person at once exactly one does, and the others do the rest of
// theirs. They take the addresses in the same order, so that none waits for one that waits for it.
func CreateAbsent(ctx context.Context, tx database.Tx, people []New) ([]User, error) {
	users, err := freshMany(ctx, tx, people)
	if err != nil || len(users) == 0 {
		return users, err
	}
	slices.SortStableFunc(users, func(a, b User) int { return strings.Compare(a.EmailKey, b.EmailKey) })
	if _, err := tx.NewInsert().Model(&users).On("CONFLICT (email_key) DO NOTHING").Exec(ctx); err != nil {
		return nil, fmt.Errorf("create people: %w", err)
	}
	ids := make([]string, len(users))
	for n := range users {
		ids[n] = users[n].ID
	}
	var made []string
	if err := tx.NewSelect().TableExpr("users AS u").ColumnExpr("u.id").Where("u.id IN ?", bun.Tuple(ids)).Scan(ctx, &made); err != nil {
		return nil, fmt.Errorf("read who was created: %w", err)
	}
	users = slices.DeleteFunc(users, func(user User) bool { return !slices.Contains(made, user.ID) })
	return users, indexMany(ctx, tx, users)
}

// Taken answers which of the canonical addresses somebody has.
func Taken(ctx context.Context, db bun.IDB, keys []string) (map[string]bool, error) {
	taken := map[string]bool{}
	if len(keys) == 0 {
		return taken, nil
	}
	var found []string
	if err := db.NewSelect().TableExpr("users AS u").ColumnExpr("u.email_key").Where("u.email_key IN ?", bun.Tuple(keys)).Scan(ctx, &found); err != nil {
		return nil, fmt.Errorf("read which addresses are taken: %w", err)
	}
	for _, key := range found {
		taken[key] = true
	}
	return taken, nil
}

func freshMany(ctx context.Context, tx database.Tx, people []New) ([]User, error) {
	people, err := complete(ctx, tx, people)
	if err != nil {
		return nil, err
	}
	users := make([]User, len(people))
	for n, person := range people {
		key, err := EmailKey(person.Email)
		if err != nil {
			return nil, fmt.Errorf("create people: %w", err)
		}
		users[n] = fresh(tx, person, key)
	}
	return users, nil
}

// indexMany lets those who were added be found, and counts them.
func indexMany(ctx context.Context, tx database.Tx, users []User) error {
	if len(users) == 0 {
		return nil
	}
	if err := (tally{People: len(users)}).add(ctx, tx); err != nil {
		return err
	}
	rows := make([]term, 0, 6*len(users))
	for n := range users {
		rows = terms(rows, &users[n])
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("index people: %w", err)
	}
	return nil
}

// fresh is the row of a person who has just been added.
func fresh(tx database.Tx, person New, key string) User {
	name := strings.TrimSpace(person.Name)
	return User{
		ID: tx.NewID(), Name: name, Email: strings.TrimSpace(person.Email), EmailKey: key, SortName: sortName(name),
		Role: person.Role, PasswordHash: person.PasswordHash, PasswordChangedAt: database.At(tx.Now),
		Requirement: person.Requirement, Deadline: person.Deadline, CreatedAt: database.At(tx.Now),
	}
}
