package servertest

import (
	"context"
	"strings"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// counted fails the test where people have come, gone, or turned 2-step verification on or off, and the tally of them does
// not say so: whatever a test does, it checks that too. Of an installation that is closed nothing can be read any more.
func (in *Installation) counted() {
	in.t.Helper()
	for _, instance := range in.Instances {
		var are, told struct{ people, protected int }
		err := instance.Database.Read().QueryRowContext(context.Background(), `SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(mfa_since) FROM users),
			(SELECT SUM(people) FROM people_tally), (SELECT SUM(protected) FROM people_tally)`).Scan(&are.people, &are.protected, &told.people, &told.protected)
		if err != nil && strings.Contains(err.Error(), "database is closed") { // database/sql has no error of its own for it
			continue
		}
		if err != nil {
			in.t.Errorf("the tally of people: %v", err)
			return
		}
		if are != told {
			in.t.Errorf("there are %+v, but the tally says %+v (account.Recount)", are, told)
		}
		return
	}
}

// recount counts those whom a statement of a test itself may have changed.
func recount(ctx context.Context, tx database.Tx, statement string) error {
	if !strings.Contains(statement, "users") {
		return nil
	}
	return account.Recount(ctx, tx)
}
