package account_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// Whoever reads a person reads all of them: what signing in reads by prepared statements is what Bun reads by the tags.
func TestEveryReaderReadsEveryColumn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		in.Change(`UPDATE users SET password_changed_at = 11, requirement = 'required', deadline = 12, disabled_at = 13, mfa_since = 14, few_codes = TRUE,
			reset_at = 18, enrolments_begun = 15, created_at = 16, last_sign_in_at = 17`)
		db := in.First().Database
		var whole account.User
		if err := db.Read().NewSelect().Model(&whole).Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		same := func(by string, user *account.User, err error) {
			t.Helper()
			if err != nil || user == nil {
				t.Fatalf("%s: %v, %v", by, user, err)
			}
			if !reflect.DeepEqual(*user, whole) {
				t.Errorf("%s: %+v, not %+v", by, *user, whole)
			}
		}
		user, err := account.ByID(t.Context(), db.Read(), whole.ID)
		same("by id", user, err)
		user, err = account.ByEmailKey(t.Context(), db.Read(), whole.EmailKey)
		same("by address", user, err)
		err = db.Write(t.Context(), func(ctx context.Context, tx database.Tx) (err error) {
			user, err = account.Hold(ctx, tx, whole.ID)
			return err
		})
		same("held", user, err)
	})
}
