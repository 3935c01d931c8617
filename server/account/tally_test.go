package account_test

import (
	"context"
	"testing"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// What changed past the tally is put right, and however many changes there were, one row is left of them.
func TestRecount(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected("ada@example.test", "administrator")
		in.AddPerson("Bob", "bob@example.test", "member")
		in.AddPerson("Cy", "cy@example.test", "member")
		write := func(run func(ctx context.Context, tx database.Tx) error) {
			t.Helper()
			if err := in.First().Database.Write(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		tally := func(people, protected int) {
			t.Helper()
			gotPeople, gotProtected, err := account.Tally(t.Context(), in.First().Database.Read())
			if err != nil || gotPeople != people || gotProtected != protected {
				t.Errorf("%d people, %d protected, %v; want %d and %d", gotPeople, gotProtected, err, people, protected)
			}
		}
		tally(3, 1)
		write(func(ctx context.Context, tx database.Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM users WHERE email = 'bob@example.test'")
			if err == nil {
				_, err = tx.ExecContext(ctx, "UPDATE users SET mfa_since = 1, few_codes = (mfa_since IS NULL)")
			}
			return err
		})
		tally(3, 1)
		write(account.Recount)
		tally(2, 2)
		if rows := in.Column("SELECT people FROM people_tally"); len(rows) != 1 {
			t.Errorf("%d rows are left", len(rows))
		}
		write(account.Recount)
		tally(2, 2)
	})
}
