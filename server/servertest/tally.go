package servertest

import (
	"context"
	"strings"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
)

// counted fails the test where people have come, gone, or turned 2-step verification on or off, and the tally of them does
// not say so, or where somebody's backup codes are few, or not, and that is noted otherwise: whatever a test does, it checks
// that too. Of an installation that is closed nothing can be read any more.
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
		var misnoted int
		err = instance.Database.Read().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM users WHERE "+misnotes).Scan(&misnoted)
		if err != nil || misnoted > 0 {
			in.t.Errorf("of %d people it is noted wrongly whether they have few backup codes (account.NoteFewCodes), %v", misnoted, err)
		}
		return
	}
}

// few is whether somebody's backup codes are, counted; misnotes that something else is noted.
const few = `(4 > (SELECT COUNT(*) FROM backup_code_sets AS s JOIN backup_codes AS c ON c.set_id = s.id
	WHERE s.user_id = users.id AND s.state = 'active' AND c.used_at IS NULL))`

const misnotes = "mfa_since IS NOT NULL AND few_codes <> " + few

// recount counts those whom a statement of a test itself may have changed.
func recount(ctx context.Context, tx database.Tx, statement string) error {
	if strings.HasPrefix(statement, "ALTER") { // it takes a table away
		return nil
	}
	if strings.Contains(statement, "users") || strings.Contains(statement, "backup_code") {
		if _, err := tx.NewRaw("UPDATE users SET few_codes = NOT few_codes WHERE " + misnotes).Exec(ctx); err != nil {
			return err
		}
	}
	if strings.Contains(statement, "users") {
		return account.Recount(ctx, tx)
	}
	return nil
}
