package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// tally is a change of how many people there are and how many of them have 2-step verification on. Whatever changes one
// of the two adds one in its transaction; their sums are the numbers, and nobody counts everybody for a page.
//
// Recount puts right what was changed past it. Every installation of the tests is counted when its test ends.
type tally struct {
	bun.BaseModel `bun:"table:people_tally"`

	ID        string `bun:"id,pk"`
	People    int    `bun:"people"`
	Protected int    `bun:"protected"`
}

func (t tally) add(ctx context.Context, tx database.Tx) error {
	t.ID = tx.NewID()
	if _, err := tx.NewInsert().Model(&t).Exec(ctx); err != nil {
		return fmt.Errorf("tally people: %w", err)
	}
	return nil
}

// Tally answers how many people there are and how many have 2-step verification on, disabled ones included.
func Tally(ctx context.Context, db bun.IDB) (people, protected int, err error) {
	err = db.NewSelect().Model((*tally)(nil)).ColumnExpr("COALESCE(SUM(people), 0), COALESCE(SUM(protected), 0)").Scan(ctx, &people, &protected)
	if err != nil {
		return 0, 0, fmt.Errorf("read the tally of people: %w", err)
	}
	return people, protected, nil
}

// Recount counts everybody, adds what the tally is off by, and leaves one row of it. It is a job of the upkeep.
func Recount(ctx context.Context, tx database.Tx) error {
	// One statement sees the people and their tally at the same moment.
	_, err := tx.NewRaw(`INSERT INTO people_tally (id, people, protected)
		SELECT ?, u.people - t.people, u.protected - t.protected
		FROM (SELECT (SELECT COUNT(*) FROM users) AS people, (SELECT COUNT(*) FROM users WHERE mfa_since IS NOT NULL) AS protected) AS u,
			(SELECT COALESCE(SUM(people), 0) AS people, COALESCE(SUM(protected), 0) AS protected FROM people_tally) AS t
		WHERE u.people <> t.people OR u.protected <> t.protected`, tx.NewID()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count everybody: %w", err)
	}
	var rows []tally
	if err := tx.NewSelect().Model(&rows).Limit(mostTallies).Scan(ctx); err != nil {
		return fmt.Errorf("read the tally of people: %w", err)
	}
	if len(rows) < 2 {
		return nil
	}
	sum, ids := tally{}, make([]string, len(rows))
	for n, one := range rows {
		sum.People, sum.Protected, ids[n] = sum.People+one.People, sum.Protected+one.Protected, one.ID
	}
	touched, err := database.Touched(tx.NewDelete().Model((*tally)(nil)).Where("id IN ?", bun.Tuple(ids)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("sum up the tally of people: %w", err)
	}
	if int(touched) != len(ids) {
		return errors.New("sum up the tally of people: somebody else has")
	}
	return sum.add(ctx, tx)
}

// mostTallies is how many rows are summed up in one transaction.
const mostTallies = 10_000
