package account

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Standard is what is asked of new people where nothing else is said of them.
type Standard struct {
	bun.BaseModel `bun:"table:installation"`

	Requirement string `bun:"new_requirement"`
	// Days are until the deadline, with RequirementRequired alone; 0: it holds at once.
	Days int `bun:"new_days,nullzero"`
}

// ReadStandard reads the installation's.
func ReadStandard(ctx context.Context, db bun.IDB) (Standard, error) {
	var standard Standard
	if err := db.NewSelect().Model(&standard).Column("new_requirement", "new_days").Where("id = 1").Scan(ctx); err != nil {
		return standard, fmt.Errorf("read what is asked of new people: %w", err)
	}
	return standard, nil
}

// SetStandard sets the installation's, which the caller holds. Who is of the account already keeps what is asked of them.
func SetStandard(ctx context.Context, tx database.Tx, standard Standard) error {
	if _, err := tx.NewUpdate().Model(&standard).Column("new_requirement", "new_days").Where("id = 1").Exec(ctx); err != nil {
		return fmt.Errorf("set what is asked of new people: %w", err)
	}
	return nil
}

// of is what it makes of a person with that role. An administrator is never one who may not have 2-step verification.
func (s Standard) of(role string, now time.Time) (requirement string, deadline database.Instant) {
	switch {
	case s.Requirement == RequirementOff && role == Administrator:
		return RequirementAllowed, 0
	case s.Requirement == RequirementRequired && s.Days > 0:
		return s.Requirement, database.At(now.AddDate(0, 0, s.Days))
	}
	return s.Requirement, 0
}

// complete gives those of whom nothing is said the installation's standard.
func complete(ctx context.Context, tx database.Tx, people []New) ([]New, error) {
	var standard *Standard
	done := make([]New, len(people))
	for n, person := range people {
		if person.Requirement == "" {
			if standard == nil {
				read, err := ReadStandard(ctx, tx)
				if err != nil {
					return nil, err
				}
				standard = &read
			}
			person.Requirement, person.Deadline = standard.of(person.Role, tx.Now)
		}
		done[n] = person
	}
	return done, nil
}
