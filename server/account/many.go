package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondstep/secondstep/server/database"
)

// CreateMany adds people as Create does, in a handful of statements for all of them. It asks nobody whether an address
// is taken: one that is fails the whole, which is for callers that make the addresses themselves.
func CreateMany(ctx context.Context, tx database.Tx, people []New) ([]User, error) {
	users := make([]User, len(people))
	terms := make([]term, 0, 6*len(people))
	for n, person := range people {
		key, err := EmailKey(person.Email)
		if err != nil {
			return nil, fmt.Errorf("create people: %w", err)
		}
		users[n] = fresh(tx, person, key)
		for _, word := range words(users[n].Name + " " + users[n].Email) {
			terms = append(terms, term{Term: []byte(word), UserID: users[n].ID})
		}
	}
	if len(users) == 0 {
		return users, nil
	}
	if _, err := tx.NewInsert().Model(&users).Exec(ctx); err != nil {
		return nil, fmt.Errorf("create people: %w", err)
	}
	if _, err := tx.NewInsert().Model(&terms).Exec(ctx); err != nil {
		return nil, fmt.Errorf("index people: %w", err)
	}
	return users, nil
}

// fresh is the row of a person who has just been added.
func fresh(tx database.Tx, person New, key string) User {
	name := strings.TrimSpace(person.Name)
	requirement := person.Requirement
	if requirement == "" {
		requirement = RequirementAllowed
	}
	return User{
		ID: tx.NewID(), Name: name, Email: strings.TrimSpace(person.Email), EmailKey: key, SortName: sortName(name),
		Role: person.Role, PasswordHash: person.PasswordHash, PasswordChangedAt: database.At(tx.Now),
		Requirement: requirement, Deadline: person.Deadline, CreatedAt: database.At(tx.Now),
	}
}
